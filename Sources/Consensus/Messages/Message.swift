public import Bytes
public import ClusterModel

/// What voters say to each other.
///
/// One file per family holds its fields and its bytes. What is large is held by reference: a message changes hands many
/// times, and the same heartbeat goes to everybody.
public enum Message: Hashable, Sendable {
    /// Every node to every other, each heartbeat interval.
    indirect case heartbeat(Heartbeat)
    /// Between leader and follower, at once.
    case heartbeatAck(HeartbeatAck)
    /// Would you vote for me?
    case preVote(VoteRequest)
    /// Perhaps.
    case preVoteAnswer(PreVoteAnswer)
    /// Vote for me.
    case vote(VoteRequest)
    /// Yes or no.
    case voteAnswer(VoteAnswer)
    /// Entries of the leader's log.
    case append(Append)
    /// How far the follower's log agrees.
    case appendAnswer(AppendAnswer)
    /// A part of a snapshot.
    indirect case snapshotPart(SnapshotPart)
    /// How much of it has come.
    case snapshotAnswer(SnapshotAnswer)
    /// Leader to follower: stand now.
    case standNow(StandNow)

    /// The first byte of a message.
    ///
    /// Which fields a message has the level of the session says. Before there were levels a message whose fields changed
    /// got a new number: 1, 2 and 9 were heartbeat, its answer and the snapshot's part without voters and proofs.
    private enum Kind: UInt8 {
        case heartbeat = 12
        case heartbeatAck = 13
        case preVote = 3
        case preVoteAnswer = 4
        case vote = 5
        case voteAnswer = 6
        case append = 7
        case appendAnswer = 8
        case snapshotPart = 14
        case snapshotAnswer = 10
        case standNow = 11
    }

    /// Reads one message of that level; the caller checks that nothing is left over.
    public init(parsing reader: inout ByteReader, level: UInt8 = ProtocolLevel.newest) throws(WireError) {
        guard let kind = Kind(rawValue: try reader.readUInt8()) else { throw .invalid("message kind") }
        self =
            switch kind {
            case .heartbeat: .heartbeat(try Heartbeat(parsing: &reader, level: level))
            case .heartbeatAck: .heartbeatAck(try HeartbeatAck(parsing: &reader))
            case .preVote: .preVote(try VoteRequest(parsing: &reader))
            case .preVoteAnswer: .preVoteAnswer(try PreVoteAnswer(parsing: &reader))
            case .vote: .vote(try VoteRequest(parsing: &reader))
            case .voteAnswer: .voteAnswer(try VoteAnswer(parsing: &reader))
            case .append: .append(try Append(parsing: &reader))
            case .appendAnswer: .appendAnswer(try AppendAnswer(parsing: &reader))
            case .snapshotPart: .snapshotPart(try SnapshotPart(parsing: &reader))
            case .snapshotAnswer: .snapshotAnswer(try SnapshotAnswer(parsing: &reader))
            case .standNow: .standNow(try StandNow(parsing: &reader))
            }
    }

    /// Writes one message as nodes of that level read it; what the level does not have is left out.
    public func encode(into writer: inout ByteWriter, level: UInt8 = ProtocolLevel.newest) {
        writer.write(kind.rawValue)
        switch self {
        case .heartbeat(let body): body.encode(into: &writer, level: level)
        case .heartbeatAck(let body): body.encode(into: &writer)
        case .preVote(let body), .vote(let body): body.encode(into: &writer)
        case .preVoteAnswer(let body): body.encode(into: &writer)
        case .voteAnswer(let body): body.encode(into: &writer)
        case .append(let body): body.encode(into: &writer)
        case .appendAnswer(let body): body.encode(into: &writer)
        case .snapshotPart(let body): body.encode(into: &writer)
        case .snapshotAnswer(let body): body.encode(into: &writer)
        case .standNow(let body): body.encode(into: &writer)
        }
    }

    private var kind: Kind {
        switch self {
        case .heartbeat: .heartbeat
        case .heartbeatAck: .heartbeatAck
        case .preVote: .preVote
        case .preVoteAnswer: .preVoteAnswer
        case .vote: .vote
        case .voteAnswer: .voteAnswer
        case .append: .append
        case .appendAnswer: .appendAnswer
        case .snapshotPart: .snapshotPart
        case .snapshotAnswer: .snapshotAnswer
        case .standNow: .standNow
        }
    }
}

/// A reading of a node's own clock that only this node understands; whoever answers sends it back unchanged.
public typealias ClockEcho = UInt64

extension ByteReader {
    /// A term or index.
    mutating func readOrdinal(_ name: WireError.StaticName) throws(WireError) -> UInt64 {
        let value = try readUInt64()
        guard value < ConsensusLimits.highestOrdinal else { throw .invalid(name) }
        return value
    }

    /// A byte that is 0 or 1.
    mutating func readFlag(_ name: WireError.StaticName) throws(WireError) -> Bool {
        switch try readUInt8() {
        case 0: false
        case 1: true
        default: throw .invalid(name)
        }
    }
}

extension ByteWriter {
    mutating func write(_ flag: Bool) { write(UInt8(flag ? 1 : 0)) }
}
