public import ClusterModel

/// What a node must find again after any crash, and what a restart reads back.
public struct DurableState: Hashable, Sendable {
    /// The newest term seen.
    public var term: Term
    /// Whom this node voted for in that term.
    public var votedFor: NodeID?
    /// The newest snapshot.
    public var snapshot: Snapshot?
    /// Entries in ascending order without a gap; they may begin at or before the snapshot's last entry, never after
    /// the one behind it.
    public var log: [LogEntry]
    /// The newest configuration entry that was known committed here: a restart need not ask the set before it again,
    /// whose voters may be gone for ever.
    public var committedVoters: LogIndex
    /// What is known to be dead for ever.
    public var deaths: DeathFacts
    /// Whether the node began with an empty store in a cluster that was there before, and has not been listed since.
    ///
    /// Whatever an earlier life of it promised or voted for is forgotten here, so its word counts for nothing until a
    /// configuration entry lists the start that it runs.
    public var isNewcomer: Bool
    /// The history that the log belongs to; nil for the one that the cluster began with.
    public var branch: DurableBranch?

    /// States everything; without arguments, the state of a node that never ran.
    public init(
        term: Term = 0,
        votedFor: NodeID? = nil,
        snapshot: Snapshot? = nil,
        log: [LogEntry] = [],
        committedVoters: LogIndex = 0,
        deaths: DeathFacts = DeathFacts(),
        isNewcomer: Bool = false,
        branch: DurableBranch? = nil
    ) {
        self.term = term
        self.votedFor = votedFor
        self.snapshot = snapshot
        self.log = log
        self.committedVoters = committedVoters
        self.deaths = deaths
        self.isNewcomer = isNewcomer
        self.branch = branch
    }

    /// What is wrong with it, so that a shell refuses to start on a damaged store; nil when it is sound.
    public func violation() -> String? {
        var expected: LogIndex?
        var newest = snapshot?.lastTerm ?? 0
        for entry in log {
            if let expected, entry.index != expected { return "log entry \(expected) is missing" }
            if entry.index == 0 { return "a log entry has index 0" }
            if entry.index > (snapshot?.lastIndex ?? 0), entry.term < newest { return "log terms go back" }
            newest = max(newest, entry.term)
            expected = entry.index + 1
        }
        if let first = log.first, first.index > (snapshot?.lastIndex ?? 0) + 1 {
            return "log entries between the snapshot and entry \(first.index) are missing"
        }
        if committedVoters > max(log.last?.index ?? 0, snapshot?.lastIndex ?? 0) {
            return "configuration entry \(committedVoters) was known committed and is missing"
        }
        if newest > term { return "the log holds term \(newest), the vote record only term \(term)" }
        return nil
    }

    /// Carries out writes exactly as a store must, in one transaction.
    public mutating func apply(_ writes: DurableWrites) {
        if let vote = writes.vote {
            term = vote.term
            votedFor = vote.votedFor
        }
        if let snapshot = writes.snapshot { self.snapshot = snapshot }
        if let from = writes.replaceLogFrom {
            log.removeAll { $0.index >= from }
            log.append(contentsOf: writes.entries)
        }
        if let drop = writes.dropLogThrough { log.removeAll { $0.index <= drop } }
        if let index = writes.committedVoters { committedVoters = index }
        if let deaths = writes.deaths { self.deaths = deaths }
        if writes.endsNewcomer { isNewcomer = false }
        if let branch = writes.branch { self.branch = branch }
    }
}

/// One atomic change of ``DurableState``, carried out in the order of the properties.
public struct DurableWrites: Hashable, Sendable {
    /// Replaces term and vote.
    public internal(set) var vote: VoteRecord?
    /// Replaces the snapshot.
    public internal(set) var snapshot: Snapshot?
    /// Deletes every entry at or behind this index, then writes `entries`, the first of which has this index.
    public internal(set) var replaceLogFrom: LogIndex?
    /// What replaces the deleted entries; empty only when entries are just deleted.
    public internal(set) var entries: [LogEntry] = []
    /// Deletes every entry up to and including this index.
    public internal(set) var dropLogThrough: LogIndex?
    /// Replaces the index of the newest configuration entry known committed.
    public internal(set) var committedVoters: LogIndex?
    /// Replaces the facts of death.
    public internal(set) var deaths: DeathFacts?
    /// The node was listed: it is a newcomer no more.
    public internal(set) var endsNewcomer = false
    /// Replaces the branch.
    public internal(set) var branch: DurableBranch?

    var isEmpty: Bool {
        if case .some = snapshot { return false }
        if case .some = deaths { return false }
        if case .some = branch { return false }
        return vote == nil && replaceLogFrom == nil && dropLogThrough == nil && committedVoters == nil && !endsNewcomer
    }

    /// Adds entries behind what is there, replacing from the first one's index on.
    mutating func replaceLog(from index: LogIndex, with more: [LogEntry]) {
        guard let start = replaceLogFrom, index >= start else {
            replaceLogFrom = index
            entries = more
            return
        }
        entries.removeLast(entries.count - min(entries.count, Int(index - start)))
        entries.append(contentsOf: more)
    }
}

/// The part of the durable state that elections need.
public struct VoteRecord: Hashable, Sendable {
    /// The newest term seen.
    public let term: Term
    /// Whom this node voted for in it.
    public let votedFor: NodeID?

    /// States both.
    public init(term: Term, votedFor: NodeID?) {
        self.term = term
        self.votedFor = votedFor
    }
}
