/// What a machine does for the cluster.
public enum NodeRole: String, Hashable, Codable, Sendable, CaseIterable {
    /// Votes and runs resources.
    case member
    /// Votes and runs nothing: a third vote for two machines.
    case witness
    /// Runs resources and does not vote.
    case satellite

    /// Whether its vote counts.
    public var votes: Bool { self != .satellite }
    /// Whether resources may be placed there.
    public var runsResources: Bool { self != .witness }
}
