import ClusterModel

/// The voter sets of a log, from the one that its snapshot stands for to the newest entry.
struct VoterHistory: Sendable {
    /// In ascending order; the first is known committed, for it is in a snapshot or the cluster began with it.
    private(set) var listed: [ListedVoters]
    /// The newest configuration entry that is known committed.
    private(set) var committedIndex: LogIndex

    /// Reads the sets of a log.
    ///
    /// - Parameters:
    ///   - base: The set before the log's first entry that counts.
    ///   - committed: The newest configuration entry that was ever known committed here.
    ///   - log: Entries.
    ///   - snapshot: Those up to this one are part of the base.
    init(base: ListedVoters, committed: LogIndex, log: [LogEntry], snapshot: LogIndex) {
        listed = [base]
        committedIndex = base.index
        for entry in log where entry.index > snapshot { append(entry) }
        // A set behind another one was appended only after that one was committed.
        if listed.count > 1 { committedIndex = listed[listed.count - 2].index }
        if let known = listed.last(where: { $0.index <= committed }) {
            committedIndex = max(committedIndex, known.index)
        }
    }

    /// The set that the newest entry says.
    var newest: ListedVoters { listed[listed.count - 1] }

    /// Whether the newest entry is known committed.
    var isSettled: Bool { newest.index <= committedIndex }

    /// What has to be counted now: the newest set and, until that is known committed, the one before it (RULE 4.2-a).
    var active: [VoterSet] {
        guard !isSettled, listed.count > 1 else { return [newest.set] }
        return [newest.set, listed[listed.count - 2].set]
    }

    /// The set as of an entry of the log that is known committed.
    func set(asOf index: LogIndex) -> ListedVoters { listed.last { $0.index <= index } ?? listed[0] }

    mutating func append(_ entry: LogEntry) {
        guard case .voters(let set) = entry.payload else { return }
        committedIndex = max(committedIndex, newest.index)
        listed.append(ListedVoters(index: entry.index, set: set))
    }

    mutating func truncate(from index: LogIndex) {
        while listed.count > 1, newest.index >= index { listed.removeLast() }
    }

    /// Everything up to an entry is committed.
    ///
    /// - Returns: Whether a configuration entry became known so.
    mutating func commit(through index: LogIndex) -> Bool {
        guard let known = listed.last(where: { $0.index <= index }), known.index > committedIndex else { return false }
        committedIndex = known.index
        return true
    }

    /// Forgets sets that an older one than the committed prefix is no longer needed for.
    mutating func compact(through index: LogIndex) {
        let base = set(asOf: index)
        listed.removeAll { $0.index < base.index }
    }

    /// Takes a snapshot's set for whatever this log said up to the snapshot's last entry.
    mutating func rebase(on base: ListedVoters, through index: LogIndex) {
        listed.removeAll { $0.index <= index }
        listed.insert(base, at: 0)
        committedIndex = max(committedIndex, base.index)
    }

    /// Starts anew behind a snapshot.
    mutating func reset(to base: ListedVoters) {
        listed = [base]
        committedIndex = max(committedIndex, base.index)
    }
}
