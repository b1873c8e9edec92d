/// Numbers batches in the order in which they must reach the disk.
public typealias PersistID = UInt64

/// Writes that must be durable before anything that rests on them leaves the node.
///
/// The messages that wait for a batch stay inside the core. They come out in `Ready.sendNow` of the call that gets
/// `.persisted(receipt)`, and a receipt comes only from a ``write(_:)`` whose body returned without throwing. So they
/// can be neither seen nor sent too early, whichever thread writes, and heartbeats never wait for a disk.
public struct PersistBatch: Sendable {
    /// What to write, in one transaction, synced to the disk before the body returns.
    public let writes: DurableWrites
    /// Batches reach the disk in ascending order.
    public let id: PersistID

    /// Carries the batch out.
    ///
    /// - Parameter body: Writes and syncs; when it throws, nothing that rests on the batch is ever sent.
    /// - Returns: The proof to hand back as `Input.persisted`.
    /// - Throws: What the body throws.
    public func write<Failure: Error>(
        _ body: (DurableWrites) throws(Failure) -> Void
    ) throws(Failure) -> PersistReceipt {
        try body(writes)
        return PersistReceipt(id: id)
    }

    /// Carries several batches out in one transaction, for a worker that finds more than one waiting.
    ///
    /// - Parameters:
    ///   - batches: In the order in which they were handed out; none may be left out.
    ///   - body: Writes all in that order and syncs once.
    /// - Returns: The proof for all of them; nil for no batches.
    /// - Throws: What the body throws; then none of them counts as written.
    public static func writeTogether<Failure: Error>(
        _ batches: [PersistBatch],
        _ body: ([PersistBatch]) throws(Failure) -> Void
    ) throws(Failure) -> PersistReceipt? {
        guard let last = batches.last else { return nil }
        try body(batches)
        return PersistReceipt(id: last.id)
    }
}

/// Proof that a batch and all before it are on the disk.
public struct PersistReceipt: Hashable, Sendable {
    /// The newest batch that it covers.
    public let id: PersistID
}
