import ClusterModel

/// The entries that this node holds, behind a base that stands for everything compacted away.
struct ReplicatedLog: Sendable {
    /// The entry before the first one held.
    private(set) var base: LogPosition
    private var entries: [LogEntry]
    /// Command bytes held.
    private(set) var byteCount: Int

    /// Takes a sound durable state.
    init(_ durable: DurableState) {
        entries = durable.log
        if let snapshot = durable.snapshot {
            if let last = entries.last, last.index < snapshot.lastIndex { entries.removeAll() }
            base = LogPosition(index: snapshot.lastIndex, term: snapshot.lastTerm)
            // The term before the first entry behind an older snapshot is not stored; the entry itself then serves.
            if let first = entries.first, first.index <= base.index {
                base = LogPosition(index: first.index, term: first.term)
                entries.removeFirst()
            }
        } else {
            base = LogPosition(index: 0, term: 0)
        }
        byteCount = entries.reduce(0) { $0 + $1.payload.byteCount }
    }

    var count: Int { entries.count }

    var last: LogPosition {
        entries.last.map { LogPosition(index: $0.index, term: $0.term) } ?? base
    }

    /// The term of an entry that is held or is the base.
    func term(at index: LogIndex) -> Term? {
        if index == base.index { return base.term }
        return self[index]?.term
    }

    subscript(index: LogIndex) -> LogEntry? {
        guard index > base.index, index - base.index <= UInt64(entries.count) else { return nil }
        return entries[Int(index - base.index) - 1]
    }

    /// Entries from `index` on, bounded for one message; empty when there are none or they are compacted away.
    func slice(from index: LogIndex) -> [LogEntry] {
        guard index > base.index, index <= last.index else { return [] }
        var end = Int(index - base.index) - 1
        let start = end
        var bytes = 0
        while end < entries.count, end - start < ConsensusLimits.appendEntries {
            bytes += entries[end].payload.byteCount
            if bytes > ConsensusLimits.appendBytes, end > start { break }
            end += 1
        }
        return Array(entries[start..<end])
    }

    /// Everything in `range`, all of which is held.
    func entries(_ range: ClosedRange<LogIndex>) -> ArraySlice<LogEntry> {
        precondition(range.lowerBound > base.index && range.upperBound <= last.index, "the log holds the range")
        return entries[Int(range.lowerBound - base.index) - 1...Int(range.upperBound - base.index) - 1]
    }

    /// Command bytes behind an index.
    func byteCount(behind index: LogIndex) -> Int {
        guard index >= base.index, index < last.index else { return index < base.index ? byteCount : 0 }
        return entries[Int(index - base.index)...].reduce(0) { $0 + $1.payload.byteCount }
    }

    mutating func append(_ entry: LogEntry) {
        precondition(entry.index == last.index + 1, "entries follow each other")
        entries.append(entry)
        byteCount += entry.payload.byteCount
    }

    /// Takes away every entry at or behind an index.
    mutating func truncate(from index: LogIndex) {
        precondition(index > base.index, "what is compacted is committed")
        while let last = entries.last, last.index >= index {
            byteCount -= last.payload.byteCount
            entries.removeLast()
        }
    }

    /// Forgets every entry up to and including an index that is held.
    mutating func compact(through index: LogIndex) {
        guard index > base.index, let entry = self[index] else { return }
        let count = Int(index - base.index)
        byteCount -= entries[..<count].reduce(0) { $0 + $1.payload.byteCount }
        entries.removeFirst(count)
        base = LogPosition(index: index, term: entry.term)
    }

    /// Starts anew behind a snapshot.
    mutating func reset(to position: LogPosition) {
        base = position
        entries.removeAll()
        byteCount = 0
    }

    /// The last entry at or before `index` whose term is at most `term`: where two logs may still agree.
    ///
    /// Skips a whole term per round instead of one entry (Raft §5.3, last paragraphs).
    func lastAgreement(atOrBefore index: LogIndex, termAtMost term: Term) -> LogPosition {
        var index = min(index, last.index)
        while index > base.index, let entry = self[index], entry.term > term { index -= 1 }
        return LogPosition(index: index, term: self.term(at: index) ?? 0)
    }
}
