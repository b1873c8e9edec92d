internal import Foundation
internal import GRDB
import Synchronization

/// What the consensus core must never forget: vote, log, snapshot, incarnation.
///
/// Every function returns only when its work is on the disk, so that they belong on a disk worker thread; `write` is
/// one transaction and one sync. A process killed or a machine that loses power at any instruction keeps everything
/// that was acknowledged and nothing of a batch in part. After a failed write or sync the store refuses further writes:
/// the kernel may have dropped the pages that it could not write, so that a later success would prove nothing.
public final class DurableStore: Sendable {
    /// The file.
    public let path: String
    private let queue: DatabaseQueue
    private let broken = Mutex<StoreError?>(nil)

    private init(path: String, queue: DatabaseQueue) {
        self.path = path
        self.queue = queue
    }

    /// Makes a fresh store; for set-up and joining only, because a store that is lost holds a vote that is forgotten.
    public static func create(in directory: StateDirectory) throws(StoreError) -> DurableStore {
        let path = directory.path(of: .state)
        try directory.makeEmptyFile(.state)
        let queue = try StateDatabase.open(path)
        try StateDatabase.translating(path) {
            try queue.inDatabase { database in
                try database.inTransaction(.immediate) { try database.executeSchema() }
            }
        }
        try directory.sync()
        return DurableStore(path: path, queue: queue)
    }

    /// Opens the store of an earlier start.
    public static func open(in directory: StateDirectory) throws(StoreError) -> DurableStore {
        let path = directory.path(of: .state)
        guard try directory.contains(.state) else { throw .missing(path: path) }
        let queue = try StateDatabase.open(path)
        try StateDatabase.check(queue, path: path)
        return DurableStore(path: path, queue: queue)
    }

    /// Reads and checks everything.
    public func recover() throws(StoreError) -> RecoveredState {
        try StateDatabase.translating(path) { try queue.inDatabase { try $0.recoverState(path: path) } }
    }

    /// Raises the incarnation durably; to be called once at a start, before anything is sent.
    ///
    /// - Parameter floor: The new number is above this too (what the cluster knows of a node that joins again).
    /// - Returns: The incarnation of this start.
    /// - Throws: What the disk refused; the node must then not start.
    public func beginIncarnation(above floor: UInt64 = 0) throws(StoreError) -> UInt64 {
        try transaction { database in
            let last = try database.storedIncarnation(path: self.path)
            let next = try checked(max(last, floor)) + 1
            try database.execute(
                sql: "UPDATE incarnation SET value = ?, checksum = ? WHERE id = 1",
                arguments: [next, checksum([UInt64(next)])]
            )
            return UInt64(next)
        }
    }

    /// Makes the batch durable.
    public func write(_ batch: DurableBatch) throws(StoreError) {
        if batch.isEmpty { return }
        try transaction { database in
            if let vote = batch.vote { try database.replaceVote(vote) }
            if let snapshot = batch.snapshot { try database.replaceSnapshot(snapshot) }
            if let index = batch.truncateFrom { try database.truncate(from: index) }
            if !batch.entries.isEmpty { try database.append(batch.entries) }
            for (name, value) in batch.facts { try database.replaceFact(name, value) }
        }
    }

    private func transaction<Result>(
        _ body: (Database) throws -> Result
    ) throws(StoreError) -> Result {
        if let failure = broken.withLock({ $0 }) { throw failure }
        do throws(StoreError) {
            return try StateDatabase.translating(path) {
                var result: Result?
                try queue.inDatabase { database in
                    try database.inTransaction(.immediate) {
                        result = try body(database)
                        return .commit
                    }
                }
                guard let result else { throw StoreError.failed(path: path, detail: "no result") }
                return result
            }
        } catch {
            switch error {
            case .failed, .damaged: broken.withLock { $0 = error }
            case .diskFull, .invalid, .inUse, .missing, .exposed: break
            }
            throw error
        }
    }
}
