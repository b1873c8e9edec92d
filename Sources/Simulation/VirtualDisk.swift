import ClusterModel
import Consensus

/// A disk that writes batches one after the other and loses those that were not done when the power went.
struct VirtualDisk: Sendable {
    /// What a restart reads.
    private(set) var durable = DurableState()
    private(set) var waiting: [PersistBatch] = []
    /// Raised at every start; written before the agent says anything.
    var incarnation: Incarnation = 0

    mutating func enqueue(_ batch: PersistBatch) { waiting.append(batch) }

    /// Finishes the oldest batch.
    mutating func writeNext() -> PersistReceipt? {
        guard !waiting.isEmpty else { return nil }
        let batch = waiting.removeFirst()
        return batch.write { durable.apply($0) }
    }

    /// What was on its way is lost, but for some that reached the disk without anybody having been told.
    mutating func crash(surviving count: Int) {
        for batch in waiting.prefix(count) { durable.apply(batch.writes) }
        waiting.removeAll()
    }

    /// The machine gets another disk, or another store on it.
    mutating func replace(with state: DurableState) {
        durable = state
        waiting = []
    }

    /// Where the log ends that a restart reads.
    var lastIndex: LogIndex { max(durable.log.last?.index ?? 0, durable.snapshot?.lastIndex ?? 0) }

    /// See `lastIndex`; the longer of two logs has the higher one.
    var lastPosition: LogPosition {
        LogPosition(index: lastIndex, term: durable.log.last?.term ?? durable.snapshot?.lastTerm ?? 0)
    }

    /// The newest entry of an index that is on the disk or on its way there.
    func entry(at index: LogIndex) -> LogEntry? {
        for batch in waiting.reversed() {
            if let entry = batch.writes.entries.first(where: { $0.index == index }) { return entry }
        }
        return durable.log.first { $0.index == index }
    }

    func holds(index: LogIndex, term: Term) -> Bool {
        if let last = durable.snapshot?.lastIndex, last >= index { return true }
        guard let first = durable.log.first?.index, index >= first, index - first < UInt64(durable.log.count) else {
            return false
        }
        return durable.log[Int(index - first)].term == term
    }
}
