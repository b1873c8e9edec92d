/// What clients connect to, with the servers behind it; a `listen` section of HAProxy.
public struct Listener: Hashable, Codable, Sendable {
    /// Its name; unique among listeners.
    public var name: String
    /// Where it listens; at least one, no two alike in the cluster.
    public var binds: [Endpoint]
    /// How bytes are understood.
    public var mode: ListenerMode
    /// How a server is picked where no cookie decides.
    public var balance: BalanceAlgorithm
    /// How `source` and `uri` map a hash to a server; default map-based.
    public var hashType: HashType
    /// Whether all backup servers stand in together, not just the first; default false.
    public var allBackups: Bool
    /// Cookie persistence; HTTP mode only.
    public var cookie: CookiePersistence?
    /// Whether `X-Forwarded-For` is appended; HTTP mode only.
    public var forwardFor: Bool
    /// Time-outs.
    public var timeouts: ListenerTimeouts
    /// Connection attempts after the first failed one; default 3; 0 to 100.
    public var retries: Int
    /// Whether a retry may go to another server (HAProxy's `option redispatch`); default true.
    public var redispatch: Bool
    /// Which retry goes to another server: with N every Nth, with -N the Nth before the end, and nil means -1, the last;
    /// -100 to 100, not 0.
    public var redispatchInterval: Int?
    /// What else than a failed connection is answered with another attempt (HAProxy's `retry-on`); nil: a failed
    /// connection alone; empty: nothing.
    public var retryOn: [RetryWord]?
    /// Which connections to servers a request may be sent on that are open already; nil: `always`.
    public var reuse: ReuseMode?
    /// Whether a client is sent to its cookie's server even when that is down (HAProxy's `option persist`); nil: not.
    public var persist: Bool?
    /// The most connections at once; more wait in the kernel's queue; default 40,000.
    public var maxConnections: Int
    /// What an HTTP check sends and expects; nil checks by TCP connect alone.
    public var httpCheck: HTTPCheck?
    /// How its clients' connections are encrypted; nil for not at all.
    public var tls: ListenerTLS?
    /// The servers, in the order of configuration (which decides between equal cookies).
    public var servers: [Server]

    /// A listener with HAProxy's words and Haven's defaults.
    public init(name: String, binds: [Endpoint], mode: ListenerMode) {
        self.name = name
        self.binds = binds
        self.mode = mode
        balance = .roundRobin
        hashType = .mapBased
        allBackups = false
        cookie = nil
        forwardFor = mode == .http
        timeouts = ListenerTimeouts()
        retries = 3
        redispatch = true
        maxConnections = 40_000
        httpCheck = nil
        tls = nil
        servers = []
    }
}

/// How a listener understands bytes.
public enum ListenerMode: String, Codable, Sendable {
    /// As an opaque stream.
    case tcp
    /// As HTTP/1.1 requests and responses.
    case http
}

/// How a server is picked.
public enum BalanceAlgorithm: String, Codable, CaseIterable, Sendable {
    /// Each in turn, in proportion to weights.
    case roundRobin = "roundrobin"
    /// Likewise; HAProxy's name for a round robin whose weights cannot change, which they can here.
    case staticRoundRobin = "static-rr"
    /// The one with the fewest connections for its weight.
    case leastConnections = "leastconn"
    /// By the client's address: the same client comes to the same server.
    case source
    /// By the path of the request; HTTP mode only.
    case uri
    /// The first in the order of configuration.
    case first
    /// The one with fewer connections of two drawn at random.
    case random
}

/// How a hash is mapped to a server.
public enum HashType: String, Codable, CaseIterable, Sendable {
    /// By division: even shares, but a change of the servers moves most clients.
    case mapBased = "map-based"
    /// On a ring: a change of the servers moves only the clients of those that changed.
    case consistent
}

/// Time-outs of a listener; each 1 ms to 49 days.
public struct ListenerTimeouts: Hashable, Codable, Sendable {
    /// Until a server accepts; default 5 s.
    public var connect: Milliseconds = 5000
    /// Silence of a client; default 60 s.
    public var client: Milliseconds = 60_000
    /// Silence of a server; default 60 s.
    public var server: Milliseconds = 60_000
    /// Until a request head is complete; default 10 s.
    public var httpRequest: Milliseconds = 10_000
    /// Until a check's answer, after the connection; default 10 s.
    public var check: Milliseconds = 10_000
    /// Silence on both sides of a connection that only passes bytes on: in HTTP mode after a change of protocol (as
    /// WebSocket's), where it is an hour if nil; in TCP mode any, where nil leaves it to `client` and `server`.
    public var tunnel: Milliseconds?
    /// What an HTTP tunnel gets where nothing is set.
    public static let usualTunnel: Milliseconds = 3_600_000

    /// The defaults.
    public init() {}
}

/// An HTTP health check.
public struct HTTPCheck: Hashable, Codable, Sendable {
    /// `GET`, `HEAD` or `OPTIONS`; default `OPTIONS`, as HAProxy's.
    public var method: String
    /// The request target; default `/`.
    public var uri: String
    /// The Host header; nil sends HTTP/1.0 without one.
    public var host: String?
    /// Status codes that pass, as inclusive ranges; default 200–399.
    public var expectStatus: [StatusRange]

    /// Describes a check.
    public init(
        method: String = "OPTIONS",
        uri: String = "/",
        host: String? = nil,
        expectStatus: [StatusRange] = [StatusRange(200, 399)]
    ) {
        self.method = method
        self.uri = uri
        self.host = host
        self.expectStatus = expectStatus
    }
}

/// Status codes from `first` to `last`, both included; 100 to 599.
public struct StatusRange: Hashable, Codable, Sendable {
    /// The lowest.
    public var first: Int
    /// The highest.
    public var last: Int

    /// States both ends.
    public init(_ first: Int, _ last: Int) {
        self.first = first
        self.last = last
    }
}

/// One server of a pool; the words are those of a haproxy.cfg `server` line.
public struct Server: Hashable, Codable, Sendable {
    /// Its name; unique in the listener.
    public var name: String
    /// Where it listens.
    public var endpoint: Endpoint
    /// Its share; 0 to 256, 0 takes no new clients but keeps those with its cookie; default 1.
    public var weight: Int
    /// The cookie's value that means this server.
    public var cookie: String?
    /// How its health is known; nil trusts it always.
    public var check: ServerCheck?
    /// What the operator wants of it.
    public var state: ServerAdminState
    /// Whether it takes new clients only when no other server does; default false.
    public var isBackup: Bool
    /// How connections to it are encrypted; nil for not at all.
    public var tls: ServerTLS?
    /// How long its share grows to its weight after it came up again; nil: at once.
    public var slowStart: Milliseconds?

    /// Describes a server.
    public init(name: String, endpoint: Endpoint) {
        self.name = name
        self.endpoint = endpoint
        weight = 1
        cookie = nil
        check = nil
        state = .ready
        isBackup = false
        tls = nil
    }
}

/// When a server is checked and what changes its state.
public struct ServerCheck: Hashable, Codable, Sendable {
    /// Time between checks; default 2 s.
    public var inter: Milliseconds = 2000
    /// Passed checks in a row until up; default 2.
    public var rise = 2
    /// Failed checks in a row until down; default 3.
    public var fall = 3
    /// The port to check where it is not the server's own.
    public var port: UInt16?

    /// The defaults.
    public init() {}
}

/// What the operator wants of a server.
public enum ServerAdminState: String, Codable, Sendable {
    /// Serves.
    case ready
    /// Keeps clients with its cookie, takes no new ones.
    case drain
    /// Serves nobody and is not checked.
    case maint
}
