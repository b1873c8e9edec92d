public import Balancing

/// Which exchanges an agent wants to see.
public struct ExchangeQuery: Codable, Sendable {
    /// Of this listener; nil for all.
    public var listener: String?
    /// At most so many, the newest; 1 to `PlanLimits.exchanges`.
    public var last: Int

    /// States both.
    public init(listener: String?, last: Int) {
        self.listener = listener
        self.last = last
    }
}

/// What a proxy did lately, and why.
public struct ExchangeReport: Codable, Sendable {
    /// What was counted since the proxy started, by listener, in the plan's order.
    public var listeners: [ListenerReasons]
    /// Exchanges that ended lately, the oldest first.
    public var exchanges: [Exchange]

    /// States both.
    public init(listeners: [ListenerReasons], exchanges: [Exchange]) {
        self.listeners = listeners
        self.exchanges = exchanges
    }
}

/// Why servers of a listener were picked, and what cookies were worth; only what happened is in it.
public struct ListenerReasons: Codable, Sendable {
    /// The listener.
    public var name: String
    /// What clients' cookies were worth, by HAProxy's letter.
    public var clientCookies: [String: UInt64] = [:]
    /// What became of cookies in responses, by HAProxy's letter.
    public var serverCookies: [String: UInt64] = [:]
    /// Its servers, in the plan's order.
    public var servers: [ServerReasons] = []

    /// Starts with nothing counted.
    public init(name: String) { self.name = name }
}

/// Why a server was picked.
public struct ServerReasons: Codable, Sendable {
    /// The server.
    public var name: String
    /// How often, by reason.
    public var picks: [String: UInt64] = [:]
    /// Requests that were sent again after it had them.
    public var retries: UInt64 = 0

    /// Starts with nothing counted.
    public init(name: String) { self.name = name }
}

/// One request with what became of it; in TCP mode a connection.
///
/// Times are in milliseconds.
public struct Exchange: Codable, Sendable {
    /// The listener; nil for one that is no longer in the plan.
    public var listener: String?
    /// The server that was picked last; nil when none was, or when it is no longer in the plan.
    public var server: String?
    /// Where the client came from.
    public var client: String
    /// Why the server was picked; nil when none was.
    public var pick: PickReason?
    /// What the client's cookie was worth.
    public var clientCookie: ClientCookie
    /// What became of the cookie in the response.
    public var serverCookie: ServerCookie
    /// Further attempts.
    public var retries: Int
    /// Whether one of them went to another server.
    public var isRedispatched: Bool
    /// Why the proxy answered itself; nil when a server answered, or nobody.
    public var answer: AnswerReason?
    /// The response's status; 0 for none.
    public var status: Int
    /// How long ago it ended.
    public var ago: Int64
    /// From the request's head to its being sent; nil for never.
    public var connected: Int64?
    /// From the request's head to the response's; nil for never.
    public var answered: Int64?
    /// From the request's head to the end.
    public var total: Int64
    /// Whether the connection of client or server ended before the response did.
    public var isCut: Bool

    /// Describes an exchange that a server answered at once; the rest is set afterwards.
    public init(client: String, ago: Int64, total: Int64) {
        self.client = client
        self.ago = ago
        self.total = total
        clientCookie = .absent
        serverCookie = .absent
        retries = 0
        isRedispatched = false
        status = 0
        isCut = false
    }
}
