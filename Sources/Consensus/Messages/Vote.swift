public import Bytes
public import ClusterModel

/// Asks for a vote, or whether one would be given.
public struct VoteRequest: Hashable, Sendable {
    /// The term in which the sender stands, or would.
    public var term: Term
    /// Where the sender's log ends.
    public var lastIndex: LogIndex
    /// The term of that entry.
    public var lastTerm: Term
    /// The present leader told the sender to stand, so promises to that leader do not count.
    public var isTransfer: Bool

    /// Reads the fields.
    public init(parsing reader: inout ByteReader) throws(WireError) {
        term = try reader.readOrdinal("term")
        lastIndex = try reader.readOrdinal("lastIndex")
        lastTerm = try reader.readOrdinal("lastTerm")
        isTransfer = try reader.readFlag("transfer flag")
    }

    /// Writes the fields.
    public func encode(into writer: inout ByteWriter) {
        writer.write(term)
        writer.write(lastIndex)
        writer.write(lastTerm)
        writer.write(isTransfer)
    }

    init(term: Term, last: LogPosition, isTransfer: Bool) {
        self.term = term
        lastIndex = last.index
        lastTerm = last.term
        self.isTransfer = isTransfer
    }

    var last: LogPosition { LogPosition(index: lastIndex, term: lastTerm) }
}

/// The answer to a pre-vote; binds nobody.
public struct PreVoteAnswer: Hashable, Sendable {
    /// The voter's own term, so that a candidate that is behind catches up.
    public var term: Term
    /// The term that was asked about.
    public var asked: Term
    /// Whether the voter would vote so.
    public var granted: Bool
    /// When refused only for a promise to a leader: nanoseconds until that promise ends.
    ///
    /// Otherwise 0.
    public var retryAfter: UInt64

    /// Reads the fields.
    public init(parsing reader: inout ByteReader) throws(WireError) {
        term = try reader.readOrdinal("term")
        asked = try reader.readOrdinal("asked")
        granted = try reader.readFlag("granted flag")
        retryAfter = try reader.readUInt64()
    }

    /// Writes the fields.
    public func encode(into writer: inout ByteWriter) {
        writer.write(term)
        writer.write(asked)
        writer.write(granted)
        writer.write(retryAfter)
    }

    init(term: Term, asked: Term, granted: Bool, retryAfter: UInt64) {
        self.term = term
        self.asked = asked
        self.granted = granted
        self.retryAfter = retryAfter
    }
}

/// A vote.
public struct VoteAnswer: Hashable, Sendable {
    /// The voter's term.
    public var term: Term
    /// Whether the voter voted for the receiver in this term.
    public var granted: Bool
    /// q of the lease rule: nanoseconds since this voter last acknowledged a leader, or since it started.
    public var sinceAcknowledgement: UInt64

    /// Reads the fields.
    public init(parsing reader: inout ByteReader) throws(WireError) {
        term = try reader.readOrdinal("term")
        granted = try reader.readFlag("granted flag")
        sinceAcknowledgement = try reader.readUInt64()
    }

    /// Writes the fields.
    public func encode(into writer: inout ByteWriter) {
        writer.write(term)
        writer.write(granted)
        writer.write(sinceAcknowledgement)
    }

    init(term: Term, granted: Bool, sinceAcknowledgement: UInt64) {
        self.term = term
        self.granted = granted
        self.sinceAcknowledgement = sinceAcknowledgement
    }
}

/// Leader to follower: stand at once, without asking first; you have my whole log (Raft thesis §3.10).
public struct StandNow: Hashable, Sendable {
    /// The leader's term; in any other the order is stale.
    public var term: Term

    /// Reads the field.
    public init(parsing reader: inout ByteReader) throws(WireError) { term = try reader.readOrdinal("term") }

    /// Writes the field.
    public func encode(into writer: inout ByteWriter) { writer.write(term) }

    init(term: Term) { self.term = term }
}
