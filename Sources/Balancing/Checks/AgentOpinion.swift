public import ClusterModel

/// All that a server's agent has said so far: what a line does not mention stays as it was.
public struct AgentOpinion: Hashable, Codable, Sendable {
    /// The share as a part of the configured weight; nil: all of it.
    public var weightPercent: Int?
    /// The state that it wants beside the operator's; the stricter one counts.
    public var admin: ServerAdminState
    /// Whether it lets the server serve.
    public var isUp: Bool

    /// Nothing was said.
    public init() {
        weightPercent = nil
        admin = .ready
        isUp = true
    }

    /// Takes in a line.
    public mutating func take(_ reply: AgentReply) {
        if let percent = reply.weightPercent { weightPercent = percent }
        if let state = reply.admin { admin = state }
        if let up = reply.isUp { isUp = up }
    }

    /// The stricter of two states.
    public func admin(with operators: ServerAdminState) -> ServerAdminState {
        if operators == .maint || admin == .maint { return .maint }
        return operators == .drain || admin == .drain ? .drain : .ready
    }

    /// The share that comes out of a configured weight: 0 for 0 %, and at least 1 for any other part of a weight.
    public func weight(of configured: Int) -> Int {
        guard let weightPercent, configured > 0 else { return configured }
        if weightPercent == 0 { return 0 }
        return min(256, max(1, configured * weightPercent / 100))
    }
}
