/// The HTTP version of a check's request.
public enum HTTPCheckVersion: String, Codable, CaseIterable, Sendable {
    /// HTTP/1.0: no Host is needed.
    case http10 = "HTTP/1.0"
    /// HTTP/1.1: a Host is needed.
    case http11 = "HTTP/1.1"
}

/// One field line of a check's request.
public struct CheckHeader: Hashable, Codable, Sendable {
    /// An RFC 9110 token.
    public var name: String
    /// Visible ASCII and blanks; may be empty.
    public var value: String

    /// Describes a line.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// What a server's answer to an HTTP check must look like: a rule `http-check expect`.
public struct HTTPExpectation: Hashable, Codable, Sendable {
    /// What is looked at, and for what.
    public enum Subject: Hashable, Codable, Sendable {
        /// The status code is in one of these ranges.
        case status([StatusRange])
        /// The status code matches a `BytePattern`.
        case statusPattern(String)
        /// The body holds a text.
        case string(String)
        /// The body matches a `BytePattern`.
        case pattern(String)
    }

    /// What is looked at.
    public var subject: Subject
    /// Whether the server passes when it is not so (`!`).
    public var isNegated: Bool

    /// States a rule.
    public init(_ subject: Subject, isNegated: Bool = false) {
        self.subject = subject
        self.isNegated = isNegated
    }
}

/// What must come from a server in a scripted check: a rule `tcp-check expect`.
public struct TCPExpectation: Hashable, Codable, Sendable {
    /// What is looked for in what has come since the last `send`.
    public enum Subject: Hashable, Codable, Sendable {
        /// A text.
        case string(String)
        /// A `BytePattern`.
        case pattern(String)
        /// Bytes.
        case binary([UInt8])
    }

    /// What is looked for.
    public var subject: Subject
    /// Whether the server fails when it comes (`!`).
    public var isNegated: Bool

    /// States a rule.
    public init(_ subject: Subject, isNegated: Bool = false) {
        self.subject = subject
        self.isNegated = isNegated
    }
}

/// One step of a scripted check.
public enum TCPCheckRule: Hashable, Codable, Sendable {
    /// Connects, to another port where one is given; a script that does not start with it connects all the same.
    case connect(port: UInt16?)
    /// Sends a text.
    case send(String)
    /// Sends bytes.
    case sendBinary([UInt8])
    /// Waits for an answer.
    case expect(TCPExpectation)
}

/// A check that speaks a service's own protocol; in place of the TCP connect and of the HTTP check.
public enum ServiceCheck: Hashable, Codable, Sendable {
    /// `tcp-check`: the rules one after the other.
    case script([TCPCheckRule])
    /// `redis-check`: PING; with `isMaster` the server must also be a master.
    case redis(isMaster: Bool)
    /// `mysql-check`: the server's greeting; with a user also a login without a password.
    case mysql(user: String?)
    /// `pgsql-check`: the start of a session as this user.
    case postgres(user: String)
}

/// `agent-check`: a program beside the server that says how it is, in HAProxy's words.
public struct AgentCheck: Hashable, Codable, Sendable {
    /// Where the program listens, at the server's address.
    public var port: UInt16
    /// Time between two questions; default 2 s.
    public var inter: Milliseconds

    /// Describes the program.
    public init(port: UInt16, inter: Milliseconds = 2000) {
        self.port = port
        self.inter = inter
    }
}

/// `observe`: what clients' traffic tells of a server, beside its checks.
public struct Observation: Hashable, Codable, Sendable {
    /// What counts as an error.
    public enum Layer: String, Codable, CaseIterable, Sendable {
        /// A connection that could not be made.
        case layer4
        /// That, and a response that is broken, late, or has a status of 500 and above other than 501 and 505.
        case layer7
    }

    /// What happens after too many errors.
    public enum Reaction: String, Codable, CaseIterable, Sendable {
        /// The next check comes sooner.
        case fastinter
        /// As after a failed check.
        case failCheck = "fail-check"
        /// One more failed check takes it down.
        case suddenDeath = "sudden-death"
        /// It is down.
        case markDown = "mark-down"
    }

    /// What counts as an error.
    public var layer: Layer
    /// Errors in a row that are too many; nil: 10; 1 to 1,000,000.
    public var errorLimit: Int?
    /// What happens then; nil: `failCheck`.
    public var onError: Reaction?

    /// HAProxy's limit.
    public static let usualErrorLimit = 10

    /// Observes with the defaults.
    public init(_ layer: Layer) {
        self.layer = layer
        errorLimit = nil
        onError = nil
    }
}

/// What happens to the connections of a server that goes down.
public enum MarkedDownAction: String, Codable, CaseIterable, Sendable {
    /// They are ended.
    case shutdownSessions = "shutdown-sessions"
}

/// What happens when a server comes back.
public enum MarkedUpAction: String, Codable, CaseIterable, Sendable {
    /// Connections to backup servers of the listener are ended.
    case shutdownBackupSessions = "shutdown-backup-sessions"
}

/// Another server whose checks count for this one, too.
public struct TrackedServer: Hashable, Codable, Sendable {
    /// The other's listener.
    public var listener: String
    /// The other's name.
    public var server: String

    /// Names it.
    public init(listener: String, server: String) {
        self.listener = listener
        self.server = server
    }
}
