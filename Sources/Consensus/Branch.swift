public import Bytes
public import ClusterModel

/// A history of the cluster that began when a node went on alone, without the voters that could have decided otherwise
/// (RULE 4.2-e).
///
/// Nodes of different branches exchange heartbeats and nothing else: what one has committed the other may lack.
public struct BranchMark: Hashable, Sendable {
    /// Drawn at random; 0 for the history that the cluster began with.
    public let id: UInt64
    /// One more than that of the history it parted from.
    public let generation: UInt32
    /// How many changes of operators were in it when it began.
    public let base: UInt64
    /// Who went on alone; node 0 for the history that the cluster began with.
    public let founder: NodeID
    /// Whether that node led at the time, or was the last that it followed.
    public let founderLed: Bool

    /// The history that the cluster began with.
    public static let origin = BranchMark(id: 0, generation: 0, base: 0, founder: NodeID(0), founderLed: false)

    /// States everything.
    public init(id: UInt64, generation: UInt32, base: UInt64, founder: NodeID, founderLed: Bool) {
        self.id = id
        self.generation = generation
        self.base = base
        self.founder = founder
        self.founderLed = founderLed
    }

    /// Reads the fields.
    public init(parsing reader: inout ByteReader) throws(WireError) {
        id = try reader.readUInt64()
        generation = try reader.readUInt32()
        base = try reader.readUInt64()
        founder = NodeID(try reader.readUInt8())
        founderLed = try reader.readFlag("founder flag")
    }

    /// Writes the fields.
    public func encode(into writer: inout ByteWriter) {
        writer.write(id)
        writer.write(generation)
        writer.write(base)
        writer.write(founder.rawValue)
        writer.write(founderLed)
    }
}

/// What a node has to say for its branch when it meets another.
struct BranchClaim: Hashable, Sendable {
    var mark: BranchMark
    /// How many changes of operators are in it now.
    var changes: UInt64
    /// Which branches gave way to it.
    var gaveWay: [UInt64] = []
    /// Whether who speaks holds the log of its branch; a newcomer that nobody leads has only the name of it.
    var hasLog = true

    /// Whether this history goes on where the two meet: the one whose log is there; else the one that the other gave way
    /// to before; else the one in which operators changed something since they parted; where that tells nothing, the later
    /// generation, then that of the node that led before, then the lowest number.
    ///
    /// Of two different branches exactly one goes on, whoever asks. A meeting is decided once: a node of a branch that
    /// gave way may have been away then, and what has happened since must not decide otherwise when it is back. A newcomer
    /// decides for itself alone.
    func prevails(over other: BranchClaim) -> Bool {
        if hasLog != other.hasLog { return hasLog }
        let (hadOther, otherHadThis) = (gaveWay.contains(other.mark.id), other.gaveWay.contains(mark.id))
        if hadOther != otherHadThis { return hadOther }
        let parted =
            mark.generation == other.mark.generation
            ? min(mark.base, other.mark.base)
            : mark.generation > other.mark.generation ? mark.base : other.mark.base
        let (isChanged, isOtherChanged) = (changes > parted, other.changes > parted)
        if isChanged != isOtherChanged { return isChanged }
        if mark.generation != other.mark.generation { return mark.generation > other.mark.generation }
        if mark.founderLed != other.mark.founderLed { return mark.founderLed }
        if mark.founder != other.mark.founder { return mark.founder < other.mark.founder }
        return mark.id < other.mark.id
    }
}

/// The branch that a node is in, as its disk holds it.
public struct DurableBranch: Hashable, Sendable {
    /// Which.
    public let mark: BranchMark
    /// On its founder: who votes from that entry of its log on, whatever earlier entries say; nil elsewhere.
    public let voters: ListedVoters?

    /// Pairs both.
    public init(mark: BranchMark, voters: ListedVoters? = nil) {
        self.mark = mark
        self.voters = voters
    }

    /// Reads both.
    public init(parsing reader: inout ByteReader) throws(WireError) {
        mark = try BranchMark(parsing: &reader)
        voters = try reader.readFlag("branch voters") ? try ListedVoters(parsing: &reader) : nil
    }

    /// Writes both.
    public func encode(into writer: inout ByteWriter) {
        mark.encode(into: &writer)
        writer.write(voters != nil)
        voters?.encode(into: &writer)
    }
}
