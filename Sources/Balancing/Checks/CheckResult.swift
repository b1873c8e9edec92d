/// How a check ended, with HAProxy's codes.
public enum CheckResult: String, Codable, Sendable {
    /// Connected.
    case connected = "L4OK"
    /// Refused or unreachable.
    case refused = "L4CON"
    /// No connection in time.
    case connectTimeout = "L4TOUT"
    /// Connected and encrypted.
    case secured = "L6OK"
    /// No encryption in time.
    case handshakeTimeout = "L6TOUT"
    /// It could not be agreed how to encrypt, or the server could not prove who it is.
    case handshakeFailed = "L6RSP"
    /// The expected answer.
    case passed = "L7OK"
    /// A 404 that means that no new clients shall come (`http-check disable-on-404`).
    case conditionallyPassed = "L7OKC"
    /// Another status, or an error in the service's own words.
    case wrongStatus = "L7STS"
    /// An answer that is none, or not the expected one.
    case invalidResponse = "L7RSP"
    /// No answer in time.
    case responseTimeout = "L7TOUT"
    /// No check: too many errors in clients' traffic (`observe`).
    case observed = "HANA"

    /// Whether the server passed.
    public var isPass: Bool {
        switch self {
        case .connected, .secured, .passed, .conditionallyPassed: true
        default: false
        }
    }
}

/// What a check found out.
public struct CheckVerdict: Hashable, Sendable {
    /// How it ended.
    public var result: CheckResult
    /// The status code of an HTTP answer.
    public var status: Int?
    /// What the service says about it, or what was wrong; visible ASCII, empty for nothing.
    public var info: String

    /// States a verdict; what is not visible ASCII in `info` is replaced, and what is too long cut off.
    public init(_ result: CheckResult, status: Int? = nil, info: String = "") {
        self.result = result
        self.status = status
        self.info = Self.plain(info.utf8)
    }

    /// What a server said, harmless for terminals and logs: visible ASCII of a bounded length.
    static func plain(_ bytes: some Sequence<UInt8>) -> String {
        let visible = bytes.prefix(CheckLimits.infoBytes).map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }
        return String(decoding: visible, as: UTF8.self)
    }
}

/// Every bound of a check's conversation.
public enum CheckLimits {
    /// The most of an answer that is kept and looked at, in bytes; what follows cannot make a check pass.
    public static let answerBytes = 16_384
    /// The longest line of an agent's answer.
    public static let agentBytes = 1024
    /// The longest text that a verdict carries.
    public static let infoBytes = 160
}
