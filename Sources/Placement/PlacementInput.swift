public import ClusterModel

/// All that placement looks at; equal inputs give equal plans on every machine.
public struct PlacementInput: Hashable, Sendable {
    /// What the operator wants.
    public var configuration: ClusterConfiguration
    /// What each node can take; a node that is not named can take nothing.
    public var nodes: [NodeID: NodeAvailability]
    /// Where resources are now; one that is nowhere is not named.
    public var current: [ResourceName: CurrentPlace]
    /// Failures that count, from the replicated state.
    public var failures: [ResourceName: [NodeID: FailureRecord]]
    /// Moves that an operator ordered and that have not ended.
    public var moves: [ResourceName: NodeID]

    /// Describes a situation.
    public init(
        configuration: ClusterConfiguration,
        nodes: [NodeID: NodeAvailability],
        current: [ResourceName: CurrentPlace] = [:],
        failures: [ResourceName: [NodeID: FailureRecord]] = [:],
        moves: [ResourceName: NodeID] = [:]
    ) {
        self.configuration = configuration
        self.nodes = nodes
        self.current = current
        self.failures = failures
        self.moves = moves
    }
}

/// Where a resource is.
public struct CurrentPlace: Hashable, Sendable {
    /// The node it is assigned to.
    public var node: NodeID
    /// Whether it runs there or its node restarts it in place; false once it has stopped or failed to start.
    public var active: Bool

    /// States both.
    public init(node: NodeID, active: Bool) {
        self.node = node
        self.active = active
    }
}

/// What a node can take.
public enum NodeAvailability: Hashable, Sendable {
    /// Anything.
    case available
    /// Only what it has: it is alive but has not spoken to this leader yet, or waits for its lease.
    case keepsOnly
    /// Nothing.
    case unavailable(NodeUnavailability)
}

/// Why a node can take nothing.
public enum NodeUnavailability: String, Codable, Sendable {
    /// Not heard.
    case lost
    /// Heard, but without a lease for longer than leases take to renew.
    case withoutLease
    /// A fence of it is ordered or under way.
    case fencing
    /// It is leaving the cluster.
    case leaving
    /// It votes and runs nothing.
    case witness
    /// It has not finished looking for what runs on it already.
    case starting
    /// Never heard since this leader was elected.
    case unknown
}

/// Numbers of placement that are not configurable in this version.
public enum PlacementLimits {
    /// How many failures of a resource ban a node for it, until they expire or are cleaned up.
    public static let failureLimit = 3
}
