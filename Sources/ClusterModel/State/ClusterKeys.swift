/// The generations of the cluster's secret that the log has seen; the first came with each node's identity.
///
/// A rotation has two steps: a generation is installed, and opens datagrams; once every node has it, it is used, and seals.
public struct ClusterKeys: Hashable, Codable, Sendable {
    /// The generation that seals.
    public var current: UInt32
    /// Secrets that were installed by the log and are not retired, by generation; 64 hexadecimal digits each.
    public var secrets: [UInt32: Secret]
    /// Generations up to here open nothing any more.
    public var retired: UInt32
    /// The newest rotation does not wait for nodes that are away: they need a token afterwards.
    public var leavesAbsentBehind: Bool
    /// A node was removed that knows the present secret.
    public var mustRotate: Bool
    /// The generations before the newest are retired as soon as it is used everywhere.
    public var retiresByItself: Bool

    /// As a cluster is set up: one generation, known from the identities.
    public init(current: UInt32 = 1) {
        self.current = current
        secrets = [:]
        retired = 0
        leavesAbsentBehind = false
        mustRotate = false
        retiresByItself = false
    }

    /// The newest generation, in use or not.
    public var newest: UInt32 { max(current, secrets.keys.max() ?? 0) }

    /// Whether a generation is installed and not used yet.
    public var isRotating: Bool { newest > current }

    /// Opens datagrams under one more generation; nil when the previous rotation has not ended.
    mutating func install(_ generation: UInt32, _ secret: Secret, leavesAbsentBehind: Bool) -> RequestAnswer? {
        guard !isRotating else { return .refused("generation \(newest) is still being handed out") }
        guard generation == current + 1 else { return .refused("generation \(current + 1) is the next one") }
        guard secret.exposed.utf8.count == 64 else { return .refused("a secret has 64 hexadecimal digits") }
        secrets[generation] = secret
        self.leavesAbsentBehind = leavesAbsentBehind
        retiresByItself = mustRotate
        mustRotate = false
        return nil
    }

    /// Seals with the newest generation.
    mutating func use(_ generation: UInt32) {
        if generation == newest { current = generation }
    }

    /// Opens nothing any more under generations before the one in use.
    mutating func retire() -> RequestAnswer? {
        guard !isRotating else { return .refused("generation \(newest) is still being handed out") }
        guard retired + 1 < current else { return .refused("only generation \(current) is left, and it is in use") }
        retired = current - 1
        secrets = secrets.filter { $0.key > retired }
        retiresByItself = false
        return nil
    }
}
