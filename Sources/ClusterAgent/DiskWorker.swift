import Bytes
import ClusterModel
import Consensus
import Foundation
import Store
import Synchronization

/// The only thread that writes durable state, so that no sync to a disk is ever waited for on the core thread.
///
/// Batches that wait while one is written are acknowledged together.
final class DiskWorker: Sendable {
    /// What became of batches.
    enum Outcome: Sendable {
        /// They and all before them are on the disk.
        case written(PersistReceipt)
        /// The disk does not take writes now; they are tried again.
        case failing(String)
        /// What is on the disk is not known: the node must stop.
        case broken(String)
    }

    /// How long a full disk is left alone before the next try.
    static let retryPause = 0.5

    private struct Queue {
        var batches: [PersistBatch] = []
        var isClosed = false
    }

    private let store: DurableStore
    private let queue = Mutex(Queue())
    private let signal = DispatchSemaphore(value: 0)
    private let report: @Sendable (Outcome) -> Void

    /// Starts the thread; outcomes are reported on it.
    init(store: DurableStore, report: @escaping @Sendable (Outcome) -> Void) {
        self.store = store
        self.report = report
        let thread = Thread { [self] in run() }
        thread.name = "haven-disk"
        thread.start()
    }

    /// Queues a batch behind all before it.
    ///
    /// The core itself bounds what it hands out before it hears of a receipt.
    func write(_ batch: PersistBatch) {
        queue.withLock { $0.batches.append(batch) }
        signal.signal()
    }

    /// Ends the thread after what is queued.
    func close() {
        queue.withLock { $0.isClosed = true }
        signal.signal()
    }

    private func run() {
        var waiting: [PersistBatch] = []
        while true {
            if waiting.isEmpty { signal.wait() }
            let isClosed = queue.withLock { queue in
                waiting += queue.batches
                queue.batches.removeAll(keepingCapacity: true)
                return queue.isClosed
            }
            if waiting.isEmpty {
                if isClosed { return }
                continue
            }
            do {
                let receipt = try PersistBatch.writeTogether(waiting) { batches in
                    for batch in batches { try store.write(DurableBatch(batch.writes)) }
                }
                waiting.removeAll(keepingCapacity: true)
                if let receipt { report(.written(receipt)) }
            } catch let error as StoreError {
                guard case .diskFull = error else {
                    report(.broken(error.description))
                    return
                }
                report(.failing(error.description))
                _ = signal.wait(timeout: .now() + Self.retryPause)
            } catch {
                report(.broken("\(error)"))
                return
            }
        }
    }
}

extension DurableBatch {
    private enum EntryKind {
        static let noop: UInt8 = 0
        static let command: UInt8 = 1
        static let voters: UInt8 = 2
    }

    /// The same writes in the store's words.
    init(_ writes: DurableWrites) {
        self.init()
        vote = writes.vote.map { StoredVote(term: $0.term, votedFor: $0.votedFor?.rawValue) }
        snapshot = writes.snapshot.map { StoredSnapshot(index: $0.lastIndex, term: $0.lastTerm, payload: $0.data) }
        truncateFrom = writes.replaceLogFrom
        entries = writes.entries.map { entry in
            switch entry.payload {
            case .noop: StoredEntry(index: entry.index, term: entry.term, kind: EntryKind.noop, payload: [])
            case .command(let bytes):
                StoredEntry(index: entry.index, term: entry.term, kind: EntryKind.command, payload: bytes)
            case .voters(let set):
                StoredEntry(
                    index: entry.index,
                    term: entry.term,
                    kind: EntryKind.voters,
                    payload: VoterFacts.bytes { set.encode(into: &$0) }
                )
            }
        }
        facts = VoterFacts.facts(in: writes)
    }

    /// An entry as consensus knows it; nil for a kind that this version does not know.
    static func entry(_ stored: StoredEntry) -> LogEntry? {
        switch stored.kind {
        case EntryKind.noop: LogEntry(index: stored.index, term: stored.term, payload: .noop)
        case EntryKind.command: LogEntry(index: stored.index, term: stored.term, payload: .command(stored.payload))
        case EntryKind.voters:
            VoterFacts.read(stored.payload) { (reader) throws(WireError) in try VoterSet(parsing: &reader) }
                .map { LogEntry(index: stored.index, term: stored.term, payload: .voters($0)) }
        default: nil
        }
    }
}

extension DurableState {
    /// What consensus restarts from; nil when an entry or a fact is of a kind that this version does not know.
    init?(_ recovered: RecoveredState) {
        var entries: [LogEntry] = []
        for stored in recovered.entries {
            guard let entry = DurableBatch.entry(stored) else { return nil }
            entries.append(entry)
        }
        guard let facts = VoterFacts(recovered.facts) else { return nil }
        self.init(
            term: recovered.vote.term,
            votedFor: recovered.vote.votedFor.map { NodeID($0) },
            snapshot: recovered.snapshot.map {
                Snapshot(lastIndex: $0.index, lastTerm: $0.term, data: $0.payload, voters: facts.snapshotVoters)
            },
            log: entries,
            committedVoters: facts.committedVoters,
            deaths: facts.deaths,
            isNewcomer: !facts.wasListed,
            branch: facts.branch
        )
    }
}
