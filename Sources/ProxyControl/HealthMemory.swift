public import Balancing
public import ClusterModel

/// What a proxy knows of a server's health: the agent hands it to the next process, so that a restart does not send
/// clients to servers that are known to be down.
public struct HealthMemory: Hashable, Codable, Sendable {
    /// The server's address; another one makes it another server, of which nothing is known.
    public var endpoint: Endpoint
    /// Whether its checks let it serve.
    public var isUp: Bool
    /// Whether its checks want no new clients for it.
    public var isStopping: Bool
    /// What its agent said.
    public var agent: AgentOpinion
    /// Since when its state is what it is, in milliseconds since 1970.
    public var since: Int64

    /// States it.
    public init(endpoint: Endpoint, isUp: Bool, isStopping: Bool, agent: AgentOpinion, since: Int64) {
        self.endpoint = endpoint
        self.isUp = isUp
        self.isStopping = isStopping
        self.agent = agent
        self.since = since
    }
}

extension ProxyStatus {
    /// What is known of each listener's servers, by their names.
    public var memories: [String: [String: HealthMemory]] {
        var memories: [String: [String: HealthMemory]] = [:]
        for listener in listeners {
            for server in listener.servers { memories[listener.name, default: [:]][server.name] = server.memory }
        }
        return memories
    }
}

extension ProxyPlan {
    /// The plan for a process that knows nothing yet.
    public func remembering(_ memories: [String: [String: HealthMemory]]) -> ProxyPlan {
        var plan = self
        for index in plan.listeners.indices {
            plan.listeners[index].memories = memories[plan.listeners[index].listener.name]
        }
        return plan
    }
}
