/// One entry of the replicated log as it lies on the disk.
public struct StoredEntry: Hashable, Sendable {
    /// Position, from 1, without gaps.
    public var index: UInt64
    /// The term in which a leader made it.
    public var term: UInt64
    /// What the payload is; the store does not look.
    public var kind: UInt8
    /// The encoded entry.
    public var payload: [UInt8]

    /// Joins the parts.
    public init(index: UInt64, term: UInt64, kind: UInt8, payload: [UInt8]) {
        self.index = index
        self.term = term
        self.kind = kind
        self.payload = payload
    }
}

/// The state up to an entry, which replaces the entries up to it.
public struct StoredSnapshot: Hashable, Sendable {
    /// The last entry that it contains.
    public var index: UInt64
    /// The term of that entry.
    public var term: UInt64
    /// The encoded state.
    public var payload: [UInt8]

    /// Joins the parts.
    public init(index: UInt64, term: UInt64, payload: [UInt8]) {
        self.index = index
        self.term = term
        self.payload = payload
    }
}

/// A node's word in an election.
public struct StoredVote: Hashable, Sendable {
    /// The newest term that the node knows.
    public var term: UInt64
    /// Whom it voted for in that term.
    public var votedFor: UInt8?

    /// Joins the parts.
    public init(term: UInt64, votedFor: UInt8?) {
        self.term = term
        self.votedFor = votedFor
    }
}

/// What must be on the disk together: one transaction, one sync; applied in the order of the fields.
public struct DurableBatch: Hashable, Sendable {
    /// Replaces the vote.
    public var vote: StoredVote?
    /// Replaces the snapshot and removes the entries up to its index.
    public var snapshot: StoredSnapshot?
    /// Removes this entry and all behind it; a snapshot that contradicts the log's rest needs it too.
    public var truncateFrom: UInt64?
    /// Appended; the first follows directly on what is left.
    public var entries: [StoredEntry] = []
    /// Small named values, replaced; nil removes one.
    public var facts: [String: [UInt8]?] = [:]

    /// Nothing yet.
    public init() {}

    /// Whether writing it would change nothing.
    public var isEmpty: Bool {
        vote == nil && snapshot == nil && truncateFrom == nil && entries.isEmpty && facts.isEmpty
    }
}

/// Everything that was durable when the node last stopped, however it stopped.
public struct RecoveredState: Hashable, Sendable {
    /// The vote; term 0 in a fresh store.
    public var vote = StoredVote(term: 0, votedFor: nil)
    /// The newest snapshot.
    public var snapshot: StoredSnapshot?
    /// The entries behind the snapshot, in order and without gaps.
    public var entries: [StoredEntry] = []
    /// The named values.
    public var facts: [String: [UInt8]] = [:]
    /// The incarnation of the last start; 0 in a fresh store.
    public var incarnation: UInt64 = 0

    /// A fresh store's.
    public init() {}

    /// The newest entry, in the snapshot or behind it.
    public var lastIndex: UInt64 { entries.last?.index ?? snapshot?.index ?? 0 }
}

/// Bounds of what one store holds.
public enum StoreLimit {
    /// Bytes of one entry's payload.
    public static let entryBytes = 1 << 20
    /// Bytes of a snapshot.
    public static let snapshotBytes = 64 << 20
    /// Named values.
    public static let facts = 256
    /// Bytes of one named value.
    public static let factBytes = 1 << 16
}
