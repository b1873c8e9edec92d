import ClusterModel

/// Changes that were proposed and whose effect has not been seen, so that none is proposed twice in a row.
///
/// In every round the core asks for all changes that it still wants: one that is not asked for any more was applied or
/// is no longer wanted, and is forgotten; one that is asked for beyond its patience was lost, and is proposed again.
/// Applying a change twice is harmless (`ClusterState.apply`), proposing it in every round would be a flood.
struct Proposals {
    enum Key: Hashable {
        case announce(NodeID)
        case left(NodeID)
        case release(ResourceName, Epoch)
        case assign(ResourceName)
        case fenceOrdered(NodeID)
        case fenceEnded(NodeID)
        case failure(ResourceName, Epoch, Int)
        case cleanup(ResourceName, NodeID)
        case moveEnded(ResourceName)
        case found(ResourceName, NodeID)
    }

    private var until: [Key: Instant] = [:]
    private var wanted: Set<Key> = []

    /// The earliest moment at which a proposal counts as lost.
    var deadline: Instant? { until.values.min() }

    mutating func beginRound() { wanted.removeAll(keepingCapacity: true) }

    mutating func endRound() { until = until.filter { wanted.contains($0.key) } }

    func isUnderWay(_ key: Key) -> Bool { until[key] != nil }

    /// Whether it was proposed and is not yet to be proposed again.
    func isUnderWay(_ key: Key, now: Instant) -> Bool { until[key].map { now < $0 } ?? false }

    /// Says that a change is still wanted.
    ///
    /// - Returns: Whether it has to be proposed now.
    mutating func want(_ key: Key, now: Instant) -> Bool {
        wanted.insert(key)
        if let until = until[key], now < until { return false }
        until[key] = now + RecoveryLimits.proposalPatience
        return true
    }
}
