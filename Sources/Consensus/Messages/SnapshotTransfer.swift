public import Bytes
public import ClusterModel

/// A part of the leader's snapshot, for a follower whose next entry the leader's log does not hold any more (Raft §7).
public struct SnapshotPart: Hashable, Sendable {
    /// The leader's term.
    public var term: Term
    /// When it was sent, by the leader's clock.
    public var sentAt: ClockEcho
    /// The last entry in the snapshot.
    public var lastIndex: LogIndex
    /// The term of that entry.
    public var lastTerm: Term
    /// The whole snapshot's length.
    public var total: UInt32
    /// Where this part begins.
    public var offset: UInt32
    /// At most `ConsensusLimits.snapshotChunkBytes`.
    public var data: [UInt8]
    /// Who votes after the snapshot's last entry.
    public var voters: ListedVoters

    /// Reads the fields.
    public init(parsing reader: inout ByteReader) throws(WireError) {
        term = try reader.readOrdinal("term")
        sentAt = try reader.readUInt64()
        lastIndex = try reader.readOrdinal("lastIndex")
        lastTerm = try reader.readOrdinal("lastTerm")
        total = try reader.readUInt32()
        guard Int(total) <= ConsensusLimits.snapshotBytes else { throw .invalid("snapshot length") }
        offset = try reader.readUInt32()
        data = try reader.readCounted(limit: ConsensusLimits.snapshotChunkBytes)
        voters = try ListedVoters(parsing: &reader)
        guard voters.index <= lastIndex else { throw .invalid("voters index") }
        guard lastTerm <= term, Int(offset) + data.count <= Int(total) else { throw .invalid("snapshot part") }
    }

    /// Writes the fields.
    public func encode(into writer: inout ByteWriter) {
        writer.write(term)
        writer.write(sentAt)
        writer.write(lastIndex)
        writer.write(lastTerm)
        writer.write(total)
        writer.write(offset)
        writer.writeCounted(data)
        voters.encode(into: &writer)
    }

    init(
        term: Term,
        sentAt: ClockEcho,
        last: LogPosition,
        total: Int,
        offset: Int,
        data: [UInt8],
        voters: ListedVoters
    ) {
        self.term = term
        self.sentAt = sentAt
        lastIndex = last.index
        lastTerm = last.term
        self.total = UInt32(total)
        self.offset = UInt32(offset)
        self.data = data
        self.voters = voters
    }

    var last: LogPosition { LogPosition(index: lastIndex, term: lastTerm) }
}

/// How much of a snapshot has come.
///
/// A complete one is answered by an ``AppendAnswer`` once it is durable.
public struct SnapshotAnswer: Hashable, Sendable {
    /// The follower's term.
    public var term: Term
    /// `sentAt` of the part that is answered.
    public var echo: ClockEcho
    /// Which snapshot.
    public var lastIndex: LogIndex
    /// Bytes held so far; the next part begins here.
    public var received: UInt32

    /// Reads the fields.
    public init(parsing reader: inout ByteReader) throws(WireError) {
        term = try reader.readOrdinal("term")
        echo = try reader.readUInt64()
        lastIndex = try reader.readOrdinal("lastIndex")
        received = try reader.readUInt32()
    }

    /// Writes the fields.
    public func encode(into writer: inout ByteWriter) {
        writer.write(term)
        writer.write(echo)
        writer.write(lastIndex)
        writer.write(received)
    }

    init(term: Term, echo: ClockEcho, lastIndex: LogIndex, received: Int) {
        self.term = term
        self.echo = echo
        self.lastIndex = lastIndex
        self.received = UInt32(received)
    }
}
