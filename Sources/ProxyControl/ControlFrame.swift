public import ClusterModel
internal import FoundationEssentials

/// What agent and proxy say to each other, over a Unix stream socket.
///
/// A frame is `HP`, its kind, a count of descriptors that come with it, four bytes of length (big-endian), and that many
/// bytes of JSON. The proxy greets; then the agent asks and the proxy answers, one at a time.
public struct ControlFrame: Sendable {
    /// What the payload is.
    public enum Kind: UInt8, Sendable {
        /// Proxy: who I am (`ProxyHello`).
        case hello = 1
        /// Agent: listening sockets for one endpoint (`Endpoint`, with one descriptor per thread).
        case sockets = 2
        /// Agent: a plan (`ProxyPlan`).
        case plan = 3
        /// Proxy: what became of the plan (`PlanResult`).
        case result = 4
        /// Agent: tell your status (empty object).
        case statusRequest = 5
        /// Proxy: `ProxyStatus`.
        case status = 6
        /// Agent: say that you are alive (empty object).
        case ping = 7
        /// Proxy: every loop has come round since the ping (empty object).
        case pong = 8
        /// Agent: tell what was done lately, and why (`ExchangeQuery`).
        case exchangesRequest = 9
        /// Proxy: `ExchangeReport`.
        case exchanges = 10
    }

    /// The length of the part before the payload.
    public static let headerBytes = 8
    /// The longest payload.
    public static let payloadBytes = 8 << 20
    /// The most descriptors of one frame.
    public static let descriptors = 64

    /// What it is.
    public var kind: Kind
    /// How many descriptors come with it.
    public var descriptorCount: Int
    /// JSON.
    public var payload: [UInt8]

    /// Wraps a value.
    public init(_ kind: Kind, _ value: some Encodable, descriptorCount: Int = 0) throws(ProxyControlError) {
        self.kind = kind
        self.descriptorCount = descriptorCount
        let encoder = JSONEncoder()
        // Agent and proxy are alone on this channel, and keys have to get through.
        encoder.userInfo[Secret.reveal] = kind == .plan
        do { payload = [UInt8](try encoder.encode(value)) } catch { throw .encoding("\(error)") }
        guard payload.count <= Self.payloadBytes else { throw .tooLarge(payload.count) }
    }

    /// Reads the payload.
    public func decode<Value: Decodable>(_ type: Value.Type) throws(ProxyControlError) -> Value {
        do { return try JSONDecoder().decode(type, from: Data(payload)) } catch { throw .decoding("\(error)") }
    }

    /// The bytes on the socket.
    public var encoded: [UInt8] {
        let length = UInt32(payload.count)
        var bytes: [UInt8] = [0x48, 0x50, kind.rawValue, UInt8(descriptorCount)]
        for shift in [24, 16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: length >> shift)) }
        return bytes + payload
    }

    private init(kind: Kind, descriptorCount: Int, payload: [UInt8]) {
        self.kind = kind
        self.descriptorCount = descriptorCount
        self.payload = payload
    }

    /// Takes one whole frame off the front of `buffer`; nil when bytes are missing.
    public static func take(from buffer: inout [UInt8]) throws(ProxyControlError) -> ControlFrame? {
        guard buffer.count >= headerBytes else { return nil }
        guard buffer[0] == 0x48, buffer[1] == 0x50, let kind = Kind(rawValue: buffer[2]) else {
            throw .protocolBreach("no frame")
        }
        let length = buffer[4..<8].reduce(0) { $0 << 8 | Int($1) }
        guard length <= payloadBytes, buffer[3] <= descriptors else { throw .tooLarge(length) }
        guard buffer.count >= headerBytes + length else { return nil }
        let payload = Array(buffer[headerBytes..<(headerBytes + length)])
        let count = Int(buffer[3])
        buffer.removeFirst(headerBytes + length)
        return ControlFrame(kind: kind, descriptorCount: count, payload: payload)
    }
}

/// How a proxy introduces itself to whoever connects.
public struct ProxyHello: Codable, Sendable {
    /// The version of this protocol.
    public var version: Int
    /// The proxy's process, by which an agent that did not start it can end it.
    public var process: Int32
    /// How many listening sockets it needs for each endpoint.
    public var threads: Int
    /// The plan that it runs; 0 for none yet.
    public var generation: UInt64
    /// The endpoints that it has sockets for.
    public var held: [Endpoint]

    /// The version that this code speaks.
    public static let currentVersion = 4

    /// Describes a proxy.
    public init(process: Int32, threads: Int, generation: UInt64, held: [Endpoint]) {
        version = Self.currentVersion
        self.process = process
        self.threads = threads
        self.generation = generation
        self.held = held
    }
}

/// What became of a plan.
public struct PlanResult: Codable, Sendable {
    /// The plan that now runs: the new one, or the old one if it was refused.
    public var generation: UInt64
    /// Why the plan was refused as a whole; nil when it runs.
    public var refusal: String?
    /// Endpoints of the plan that are not served, each with the reason.
    public var failedBinds: [FailedBind]
    /// What cannot be used of the plan's certificates and keys, in the operator's words.
    public var faults: [String]

    /// Describes an outcome.
    public init(
        generation: UInt64,
        refusal: String? = nil,
        failedBinds: [FailedBind] = [],
        faults: [String] = []
    ) {
        self.generation = generation
        self.refusal = refusal
        self.failedBinds = failedBinds
        self.faults = faults
    }
}

/// An endpoint that could not be listened on.
public struct FailedBind: Hashable, Codable, Sendable {
    /// Which.
    public var endpoint: Endpoint
    /// The kernel's reason.
    public var reason: String

    /// Names it.
    public init(endpoint: Endpoint, reason: String) {
        self.endpoint = endpoint
        self.reason = reason
    }
}

/// What can go wrong between agent and proxy.
public enum ProxyControlError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A system call failed.
    case system(String)
    /// The other side did not answer in time.
    case timeout
    /// The other side closed.
    case closed
    /// Bytes that are not of this protocol, or another version of it.
    case protocolBreach(String)
    /// A message beyond its limit.
    case tooLarge(Int)
    /// A value that could not be written.
    case encoding(String)
    /// A value that could not be read.
    case decoding(String)

    /// The operator's sentence.
    public var description: String {
        switch self {
        case .system(let text): text
        case .timeout: "the proxy did not answer in time"
        case .closed: "the proxy closed the control connection"
        case .protocolBreach(let text): "unexpected bytes on the control connection: \(text)"
        case .tooLarge(let count): "a control message of \(count) bytes is too large"
        case .encoding(let text): "a control message could not be written: \(text)"
        case .decoding(let text): "a control message could not be read: \(text)"
        }
    }
}
