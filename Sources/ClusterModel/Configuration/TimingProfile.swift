/// How fast a silent node counts as lost: the one setting from which every timer of membership derives.
public enum TimingProfile: String, Hashable, Codable, Sendable, CaseIterable {
    /// One quiet local network with real-time agents: lost after 150 ms.
    case fast
    /// A local network: lost after 600 ms.
    case lan
    /// Sites with tens of milliseconds between them: lost after 3 s.
    case wan
}
