public import Balancing

/// What a proxy is doing.
public struct ProxyStatus: Codable, Sendable {
    /// The plan that every thread applies.
    public var generation: UInt64
    /// Event-loop threads.
    public var threads: Int
    /// Resident memory.
    public var residentBytes: UInt64
    /// Client connections now.
    public var connections: Int
    /// Whether binds on virtual IPs answer now; true where the proxy runs without a lease.
    public var holdsLease: Bool
    /// Its listeners, in the plan's order.
    public var listeners: [ListenerStatus]

    /// Describes a proxy.
    public init(
        generation: UInt64,
        threads: Int,
        residentBytes: UInt64,
        connections: Int,
        holdsLease: Bool,
        listeners: [ListenerStatus]
    ) {
        self.generation = generation
        self.threads = threads
        self.residentBytes = residentBytes
        self.connections = connections
        self.holdsLease = holdsLease
        self.listeners = listeners
    }
}

/// A listener's counters since the proxy started.
public struct ListenerStatus: Codable, Sendable {
    /// Its name.
    public var name: String
    /// Client connections now.
    public var connections = 0
    /// Client connections ever.
    public var accepted: UInt64 = 0
    /// Requests; in TCP mode connections that were given a server.
    public var requests: UInt64 = 0
    /// Connections that were reset because a virtual IP's lease was over.
    public var resetWithoutLease: UInt64 = 0
    /// Clients whose handshake failed.
    public var handshakeFailures: UInt64 = 0
    /// Answers that the proxy made itself, by reason; only those that happened.
    public var answers: [String: UInt64] = [:]
    /// Picks of servers, by reason; only those that happened.
    public var picks: [String: UInt64] = [:]
    /// Its servers, in the plan's order.
    public var servers: [ServerReport] = []

    /// Starts with nothing counted.
    public init(name: String) { self.name = name }
}

/// One server as the proxy sees it.
public struct ServerReport: Codable, Sendable {
    /// Its name.
    public var name: String
    /// Its state.
    public var status: ServerStatus
    /// What the cluster says of its node.
    public var node: NodeCondition
    /// Since when it is in that state, in milliseconds since 1970.
    public var since: Int64
    /// Its last check; nil before the first.
    public var lastCheck: CheckReport?
    /// Connections that serve clients now.
    public var connections = 0
    /// Connections that wait for reuse.
    public var idleConnections = 0
    /// Requests sent to it; in TCP mode connections.
    public var requests: UInt64 = 0
    /// Connection attempts that failed.
    public var connectFailures: UInt64 = 0
    /// Connections that stood and whose handshake failed.
    public var handshakeFailures: UInt64 = 0
    /// Responses that ended too early or were no HTTP.
    public var badResponses: UInt64 = 0

    /// Starts with nothing counted.
    public init(name: String, status: ServerStatus, node: NodeCondition, since: Int64, lastCheck: CheckReport?) {
        self.name = name
        self.status = status
        self.node = node
        self.since = since
        self.lastCheck = lastCheck
    }
}

/// The result of one check.
public struct CheckReport: Hashable, Codable, Sendable {
    /// HAProxy's code.
    public var result: CheckResult
    /// The status of an HTTP check that got one.
    public var httpStatus: Int?
    /// How long it took.
    public var milliseconds: Int64

    /// Describes a result.
    public init(result: CheckResult, httpStatus: Int? = nil, milliseconds: Int64) {
        self.result = result
        self.httpStatus = httpStatus
        self.milliseconds = milliseconds
    }
}

/// How a check ended, with HAProxy's codes.
public enum CheckResult: String, Codable, Sendable {
    /// Connected.
    case connected = "L4OK"
    /// Refused or unreachable.
    case refused = "L4CON"
    /// No connection in time.
    case connectTimeout = "L4TOUT"
    /// The expected status.
    case passed = "L7OK"
    /// Another status.
    case wrongStatus = "L7STS"
    /// No HTTP.
    case invalidResponse = "L7RSP"
    /// No answer in time.
    case responseTimeout = "L7TOUT"

    /// Whether the server passed.
    public var isPass: Bool { self == .connected || self == .passed }
}

/// Why the proxy answered itself, instead of a server.
public enum AnswerReason: UInt8, CaseIterable, Codable, Sendable {
    /// 400: the request breaks the rules of HTTP/1.1 or could be read in two ways.
    case badRequest
    /// 405: TRACE.
    case methodNotAllowed
    /// 408: the request did not come in time.
    case requestTimeout
    /// 414: the request line is longer than a head may be.
    case targetTooLong
    /// 417: an expectation that is not 100-continue.
    case expectation
    /// 431: the head is longer or has more fields than allowed.
    case headTooLong
    /// 501: a method or transfer coding that is not relayed.
    case notImplemented
    /// 502: the server's answer was no HTTP.
    case badResponse
    /// 502: the server closed before it answered.
    case serverClosed
    /// 503: no server takes requests.
    case noServer
    /// 503: no connection, after all retries.
    case connectFailed
    /// 504: the server did not answer in time.
    case serverTimeout
    /// 505: no HTTP/1.x.
    case version

    /// The name in counters, and in the answer's `X-Haven-Reason`.
    public var name: StaticString {
        switch self {
        case .badRequest: "bad-request"
        case .methodNotAllowed: "method-not-allowed"
        case .requestTimeout: "request-timeout"
        case .targetTooLong: "target-too-long"
        case .expectation: "expectation"
        case .headTooLong: "head-too-long"
        case .notImplemented: "not-implemented"
        case .badResponse: "bad-response"
        case .serverClosed: "server-closed"
        case .noServer: "no-server"
        case .connectFailed: "connect-failed"
        case .serverTimeout: "server-timeout"
        case .version: "version"
        }
    }

    /// The status code with its phrase.
    public var status: StaticString {
        switch self {
        case .badRequest: "400 Bad Request"
        case .methodNotAllowed: "405 Method Not Allowed"
        case .requestTimeout: "408 Request Timeout"
        case .targetTooLong: "414 URI Too Long"
        case .expectation: "417 Expectation Failed"
        case .headTooLong: "431 Request Header Fields Too Large"
        case .notImplemented: "501 Not Implemented"
        case .badResponse, .serverClosed: "502 Bad Gateway"
        case .noServer, .connectFailed: "503 Service Unavailable"
        case .serverTimeout: "504 Gateway Timeout"
        case .version: "505 HTTP Version Not Supported"
        }
    }
}
