public import ClusterModel

/// What one node's proxy did lately, and why.
public struct ExchangesView: Hashable, Codable, Sendable {
    /// The node.
    public var node: NodeName
    /// What was counted since its proxy started, by listener, in the order of creation.
    public var listeners: [ListenerReasonsView]
    /// Exchanges that ended lately, the oldest first.
    public var exchanges: [ExchangeView]

    /// States all of it.
    public init(node: NodeName, listeners: [ListenerReasonsView], exchanges: [ExchangeView]) {
        self.node = node
        self.listeners = listeners
        self.exchanges = exchanges
    }
}

/// Why servers of a listener were picked, and what cookies were worth; only what happened is in it.
public struct ListenerReasonsView: Hashable, Codable, Sendable {
    /// The listener.
    public var name: String
    /// What clients' cookies were worth, by HAProxy's letter.
    public var clientCookies: [String: UInt64]
    /// What became of cookies in responses, by HAProxy's letter.
    public var serverCookies: [String: UInt64]
    /// Its servers, in the order of configuration.
    public var servers: [ServerReasonsView]

    /// States all of it.
    public init(
        name: String,
        clientCookies: [String: UInt64],
        serverCookies: [String: UInt64],
        servers: [ServerReasonsView]
    ) {
        self.name = name
        self.clientCookies = clientCookies
        self.serverCookies = serverCookies
        self.servers = servers
    }
}

/// Why a server was picked.
public struct ServerReasonsView: Hashable, Codable, Sendable {
    /// The server.
    public var name: String
    /// How often, by reason.
    public var picks: [String: UInt64]
    /// Requests that were sent again after it had them.
    public var retries: UInt64

    /// States all of it.
    public init(name: String, picks: [String: UInt64], retries: UInt64) {
        self.name = name
        self.picks = picks
        self.retries = retries
    }
}

/// One request with what became of it; in TCP mode a connection.
public struct ExchangeView: Hashable, Codable, Sendable {
    /// When it ended, in milliseconds since 1970.
    public var at: Int64
    /// The listener; nil for one that is no longer configured.
    public var listener: String?
    /// The server that was picked last; nil when none was, or for one that is no longer configured.
    public var server: String?
    /// Where the client came from.
    public var client: String
    /// Why the server was picked; nil when none was.
    public var pick: String?
    /// The third and fourth of HAProxy's flags: what the client's cookie was worth, what became of it in the response.
    public var cookie = "--"
    /// Further attempts.
    public var retries = 0
    /// Whether one of them went to another server.
    public var isRedispatched = false
    /// Why the proxy answered itself; nil when a server answered, or nobody.
    public var answer: String?
    /// The response's status; 0 for none.
    public var status = 0
    /// From the request's head to its being sent; nil for never.
    public var connected: Milliseconds?
    /// From the request's head to the response's; nil for never.
    public var answered: Milliseconds?
    /// From the request's head to the end.
    public var total: Milliseconds
    /// Whether the connection of client or server ended before the response did.
    public var isCut = false

    /// Describes an exchange; the rest is set afterwards.
    public init(at: Int64, client: String, total: Milliseconds) {
        self.at = at
        self.client = client
        self.total = total
    }
}
