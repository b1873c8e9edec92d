public import ClusterModel

/// The generations of the cluster's secret.
public struct KeyView: Hashable, Codable, Sendable {
    /// The one that seals.
    public var current: UInt32
    /// The newest; above `current` while it is being handed out.
    public var newest: UInt32
    /// The oldest that still opens datagrams.
    public var oldest: UInt32
    /// The nodes that the next step waits for.
    public var waitsFor: [NodeName] = []
    /// Whether a node was removed that knows the present one.
    public var mustRotate = false

    /// States the generations.
    public init(current: UInt32, newest: UInt32, oldest: UInt32) {
        self.current = current
        self.newest = newest
        self.oldest = oldest
    }
}
