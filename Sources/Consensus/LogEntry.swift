public import ClusterModel

/// One entry of the replicated log.
public struct LogEntry: Hashable, Sendable {
    /// Its position, from 1.
    public let index: LogIndex
    /// The term of the leader that appended it.
    public let term: Term
    /// What it says.
    public let payload: EntryPayload

    /// States an entry.
    public init(index: LogIndex, term: Term, payload: EntryPayload) {
        self.index = index
        self.term = term
        self.payload = payload
    }
}

/// What an entry says.
public enum EntryPayload: Hashable, Sendable {
    /// Nothing: a leader's first entry, which lets it commit what earlier terms left (Raft §5.4.2, §8).
    case noop
    /// A command; its bytes mean nothing to consensus.
    case command([UInt8])
    /// Whose votes count from here on, and until it is committed those of the set before as well (RULE 4.2-a).
    case voters(VoterSet)

    /// How many command bytes it holds.
    public var byteCount: Int {
        switch self {
        case .noop, .voters: 0
        case .command(let bytes): bytes.count
        }
    }
}

/// Everything up to and including an entry, as the shell's own bytes (Raft §7).
public struct Snapshot: Hashable, Sendable {
    /// The last entry that is in it.
    public let lastIndex: LogIndex
    /// That entry's term.
    public let lastTerm: Term
    /// The state after that entry.
    public let data: [UInt8]
    /// Who votes after that entry; nil in the snapshot of a log that lists nobody yet.
    public let voters: ListedVoters?

    /// States a snapshot.
    public init(lastIndex: LogIndex, lastTerm: Term, data: [UInt8], voters: ListedVoters? = nil) {
        self.lastIndex = lastIndex
        self.lastTerm = lastTerm
        self.data = data
        self.voters = voters
    }
}

/// Where a log ends, as voters compare logs (Raft §5.4.1): the later term wins, then the higher index.
package struct LogPosition: Hashable, Comparable, Sendable {
    package var index: LogIndex
    package var term: Term

    package init(index: LogIndex, term: Term) {
        self.index = index
        self.term = term
    }

    package static func < (left: LogPosition, right: LogPosition) -> Bool {
        left.term != right.term ? left.term < right.term : left.index < right.index
    }
}
