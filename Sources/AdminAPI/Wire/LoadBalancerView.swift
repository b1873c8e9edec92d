public import ClusterModel

/// What the proxies that were asked say.
public struct LoadBalancerReport: Hashable, Codable, Sendable {
    /// What each sees: the asked node first, then the others in the order of the configuration.
    public var nodes: [LoadBalancerView]
    /// Nodes whose agents gave no answer.
    public var silent: [NodeName]

    /// States a report.
    public init(nodes: [LoadBalancerView], silent: [NodeName] = []) {
        self.nodes = nodes
        self.silent = silent
    }
}

/// Listeners and servers as one node's proxy sees them.
public struct LoadBalancerView: Hashable, Codable, Sendable {
    /// The node.
    public var node: NodeName
    /// Whether the proxy of that node runs; where it does not, the rest is the configuration's alone.
    public var proxyRuns: Bool
    /// The listeners, in the order of creation.
    public var listeners: [ListenerView]

    /// States a view.
    public init(node: NodeName, proxyRuns: Bool, listeners: [ListenerView]) {
        self.node = node
        self.proxyRuns = proxyRuns
        self.listeners = listeners
    }
}

/// A listener and how it is.
public struct ListenerView: Hashable, Codable, Sendable {
    /// Its name.
    public var name: String
    /// Where it listens.
    public var binds: [Endpoint]
    /// How it understands bytes.
    public var mode: ListenerMode
    /// Why it does not listen; nil when it does.
    public var failure: String?
    /// Client connections now.
    public var connections: Int
    /// Client connections since the proxy started.
    public var totalConnections: UInt64
    /// Its servers, in the order of configuration.
    public var servers: [ServerView]

    /// Describes a listener.
    public init(name: String, binds: [Endpoint], mode: ListenerMode, servers: [ServerView] = []) {
        self.name = name
        self.binds = binds
        self.mode = mode
        failure = nil
        connections = 0
        totalConnections = 0
        self.servers = servers
    }
}

/// A server and how it is.
public struct ServerView: Hashable, Codable, Sendable {
    /// What checks and the cluster say of a server.
    public enum Health: String, Codable, Sendable {
        /// Serves, or could.
        case up
        /// Does not serve.
        case down
        /// Keeps those whom it has and takes no new ones, by its own wish.
        case stopping
        /// Is not checked and trusted.
        case unchecked
    }

    /// Its name.
    public var name: String
    /// Where it listens.
    public var endpoint: Endpoint
    /// Its share.
    public var weight: Int
    /// Whether it serves only when no other server does.
    public var isBackup = false
    /// What the operator wants of it.
    public var state: ServerAdminState
    /// What checks and the cluster say.
    public var health: Health
    /// The newest check's result, or what the cluster knows, such as `L4CON connection refused` or `node lost`.
    public var reason: String
    /// For how long it has been so; nil where unknown.
    public var since: Milliseconds?
    /// Connections now.
    public var connections: Int
    /// Connections since the proxy started.
    public var totalConnections: UInt64

    /// Describes a server.
    public init(
        name: String,
        endpoint: Endpoint,
        weight: Int = 1,
        state: ServerAdminState = .ready,
        health: Health,
        reason: String = ""
    ) {
        self.name = name
        self.endpoint = endpoint
        self.weight = weight
        self.state = state
        self.health = health
        self.reason = reason
        since = nil
        connections = 0
        totalConnections = 0
    }
}
