public import Bytes
public import ClusterModel

/// What a node says of itself to every other node, each heartbeat interval.
public struct Heartbeat: Hashable, Sendable {
    /// The sender's incarnation.
    public var incarnation: Incarnation
    /// The sender's term.
    public var term: Term
    /// Whom the sender follows; itself when it leads.
    public var leader: NodeID?
    /// Where the sender's log ends.
    public var lastIndex: LogIndex
    /// The term of that entry.
    public var lastTerm: Term
    /// What the sender knows committed.
    public var commitIndex: LogIndex
    /// The digest of the sender's applied configuration.
    public var configurationDigest: UInt64
    /// When it was sent, by the sender's clock: ascending within an incarnation, and the anchor of leases.
    public var sentAt: ClockEcho
    /// Whom the sender hears.
    public var hears: NodeSet
    /// Whom the sender hears and is heard by.
    public var reaches: NodeSet
    /// The sender holds a lease now.
    public var holdsLease: Bool
    /// The sender may hold a lease, so an acknowledgement shall grant one.
    public var wantsLease: Bool
    /// The sender's incarnation has ended: it runs nothing and never will again.
    public var hasLeft: Bool
    /// The sender leads nobody and renews the leases of half of the voters (RULE 4.3-a).
    public var isHolder: Bool
    /// The sender began with an empty store and was not listed since: its word counts for nothing yet.
    public var isNewcomer: Bool
    /// What the sender knows to be dead for ever.
    public var deaths: DeathFacts
    /// Silence after which the sender counts others as lost; it expects others not to be stricter with it.
    public var lostAfter: Duration
    /// From a leader: for how long an acknowledgement promises not to vote for another, whatever the voter's own times
    /// are; its leases rest on it.
    public var promise: Duration
    /// The history that the sender's log belongs to.
    public var branch: BranchMark
    /// How many changes of operators are in it.
    public var changes: UInt64
    /// The other branch that the sender hears, when it speaks for its own and adds nothing to it; all ones for none.
    ///
    /// From one that has left: the branch that it gave its own up for.
    public var meets: UInt64
    /// Branches that gave way to the sender's, as its applied log says; at most ``ConsensusLimits/branchesGone``, and none
    /// at level 1.
    public var gaveWay: [UInt64]

    /// What somebody says who has said nothing yet.
    static let silence = Heartbeat(
        incarnation: 0,
        term: 0,
        leader: nil,
        last: LogPosition(index: 0, term: 0),
        commitIndex: 0,
        configurationDigest: 0,
        sentAt: 0
    )

    /// The longest time that a heartbeat may state.
    static let longestTime = Duration.seconds(60)

    /// Reads the fields of that level.
    public init(parsing reader: inout ByteReader, level: UInt8) throws(WireError) {
        incarnation = try reader.readUInt64()
        term = try reader.readOrdinal("term")
        let leader = try reader.readUInt8()
        self.leader = leader == 0 ? nil : NodeID(leader)
        lastIndex = try reader.readOrdinal("lastIndex")
        lastTerm = try reader.readOrdinal("lastTerm")
        commitIndex = try reader.readOrdinal("commitIndex")
        configurationDigest = try reader.readUInt64()
        sentAt = try reader.readUInt64()
        hears = try NodeSet(parsing: &reader)
        reaches = try NodeSet(parsing: &reader)
        let flags = try reader.readUInt8()
        guard flags & ~31 == 0 else { throw .invalid("heartbeat flags") }
        holdsLease = flags & 1 != 0
        wantsLease = flags & 2 != 0
        hasLeft = flags & 4 != 0
        isHolder = flags & 8 != 0
        isNewcomer = flags & 16 != 0
        deaths = try DeathFacts(parsing: &reader)
        lostAfter = .milliseconds(Int64(try reader.readUInt16()))
        promise = .milliseconds(Int64(try reader.readUInt16()))
        branch = try BranchMark(parsing: &reader)
        changes = try reader.readUInt64()
        meets = try reader.readUInt64()
        gaveWay = level >= 2 ? try Self.branches(&reader) : []
        guard lostAfter <= Self.longestTime, promise <= Self.longestTime else { throw .invalid("heartbeat times") }
    }

    private static func branches(_ reader: inout ByteReader) throws(WireError) -> [UInt64] {
        let count = Int(try reader.readUInt8())
        guard count <= ConsensusLimits.branchesGone else { throw .invalid("branches that gave way") }
        var branches: [UInt64] = []
        for _ in 0..<count { branches.append(try reader.readUInt64()) }
        return branches
    }

    /// Writes the fields of that level.
    public func encode(into writer: inout ByteWriter, level: UInt8) {
        writer.write(incarnation)
        writer.write(term)
        writer.write(leader?.rawValue ?? 0)
        writer.write(lastIndex)
        writer.write(lastTerm)
        writer.write(commitIndex)
        writer.write(configurationDigest)
        writer.write(sentAt)
        hears.encode(into: &writer)
        reaches.encode(into: &writer)
        let flags = [holdsLease, wantsLease, hasLeft, isHolder, isNewcomer]
        writer.write(flags.enumerated().reduce(UInt8(0)) { $0 | ($1.element ? 1 << UInt8($1.offset) : 0) })
        deaths.encode(into: &writer)
        writer.write(UInt16(clamping: lostAfter.milliseconds))
        writer.write(UInt16(clamping: promise.milliseconds))
        branch.encode(into: &writer)
        writer.write(changes)
        writer.write(meets)
        guard level >= 2 else { return }
        writer.write(UInt8(gaveWay.count))
        for branch in gaveWay { writer.write(branch) }
    }

    init(
        incarnation: Incarnation,
        term: Term,
        leader: NodeID?,
        last: LogPosition,
        commitIndex: LogIndex,
        configurationDigest: UInt64,
        sentAt: ClockEcho
    ) {
        self.incarnation = incarnation
        self.term = term
        self.leader = leader
        lastIndex = last.index
        lastTerm = last.term
        self.commitIndex = commitIndex
        self.configurationDigest = configurationDigest
        self.sentAt = sentAt
        hears = NodeSet()
        reaches = NodeSet()
        holdsLease = false
        wantsLease = false
        hasLeft = false
        isHolder = false
        isNewcomer = false
        deaths = DeathFacts()
        lostAfter = .zero
        promise = .zero
        branch = .origin
        changes = 0
        meets = ConsensusCore.nobody
        gaveWay = []
    }
}

/// The answer to a heartbeat, between leader and follower, or holder and voter of its half; also the reply to a departure.
///
/// A follower's answer is a voter's: it renews the leader's lease and the voter's promise not to vote for another.
/// A leader's answer grants the follower a lease.
public struct HeartbeatAck: Hashable, Sendable {
    /// The sender's term; an answer counts only within it.
    public var term: Term
    /// `sentAt` of the heartbeat that is answered.
    public var echo: ClockEcho
    /// From a leader: nanoseconds that were left of its own lease when it answered.
    ///
    /// From a follower: 0.
    public var remaining: UInt64
    /// From or to a holder instead of a leader; the term then says nothing.
    public var isOfHolder = false

    /// Reads the fields.
    public init(parsing reader: inout ByteReader) throws(WireError) {
        term = try reader.readOrdinal("term")
        echo = try reader.readUInt64()
        remaining = try reader.readUInt64()
        isOfHolder = try reader.readFlag("holder flag")
    }

    /// Writes the fields.
    public func encode(into writer: inout ByteWriter) {
        writer.write(term)
        writer.write(echo)
        writer.write(remaining)
        writer.write(isOfHolder)
    }

    init(term: Term, echo: ClockEcho, remaining: UInt64) {
        self.term = term
        self.echo = echo
        self.remaining = remaining
    }
}
