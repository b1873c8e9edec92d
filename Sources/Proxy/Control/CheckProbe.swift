import Balancing
import CLinux
import ClusterModel
import LinuxIO
import ProxyControl

/// One check under way: its connection, and what is said over it.
struct CheckProbe: ~Copyable {
    /// What came of an event.
    enum Progress {
        /// Nothing that concerns others.
        case goesOn
        /// It has another socket, which nobody watches yet.
        case reconnected
        /// It is over.
        case ended(CheckReport, AgentReply?)
    }

    private var session: CheckSession?
    private var socket: Descriptor
    private let encryption: CheckEncryption?
    /// Whether nothing has to be agreed before the conversation may begin.
    private var isSecured: Bool
    private let endpoint: Endpoint
    private var conversation: CheckConversation
    private var isConnected = false
    private var output: [UInt8] = []
    private var sent = 0
    private let started: Instant
    private let connectTimeout: Duration
    private let answerTimeout: Duration
    /// When it fails by itself.
    private(set) var deadline: Instant

    var descriptor: Int32 { socket.number }

    /// Starts connecting.
    init(
        to endpoint: Endpoint,
        recipe: CheckRecipe,
        encryption: CheckEncryption? = nil,
        connectTimeout: Duration,
        answerTimeout: Duration,
        now: Instant
    ) throws(SystemError) {
        let conversation = CheckConversation(recipe)
        let first = Endpoint(address: endpoint.address, port: conversation.firstPort ?? endpoint.port)
        socket = try StreamSocket.connect(to: first)
        self.endpoint = endpoint
        self.encryption = encryption
        isSecured = encryption == nil || conversation.firstPort != nil
        self.conversation = conversation
        started = now
        deadline = now + connectTimeout
        self.connectTimeout = connectTimeout
        self.answerTimeout = answerTimeout
    }

    /// Goes on after an event, until a socket has to be waited for.
    mutating func proceed(now: Instant) -> Progress {
        var event: CheckEvent?
        if !isConnected {
            guard StreamSocket.error(of: socket.number) == 0 else { return .ended(report(.refused, now: now), nil) }
            isConnected = true
            deadline = now + answerTimeout
            // A reset spares the server a connection in TIME_WAIT or a session to time out.
            if conversation.isConnectAlone { haven_reset_on_close(socket.number) }
            if isSecured { event = .connected }
        }
        if !isSecured {
            switch secure() {
            case 1: event = .connected
            case -Int(EAGAIN): return .goesOn
            default: return .ended(report(.handshakeFailed, now: now), nil)
            }
        }
        while true {
            if let event {
                switch conversation.next(event) {
                case .wait: break
                case .send(let bytes):
                    output = bytes
                    sent = 0
                case .connect(let port): return reconnect(port, now: now)
                case .end(let verdict, let farewell):
                    // Best effort: a service that does not take it at once does not get it.
                    if !farewell.isEmpty { _ = write(farewell, farewell.count) }
                    session?.sayEnd()
                    return .ended(report(verdict, now: now), conversation.agentReply)
                }
            }
            switch output.isEmpty ? read() : send() {
            case .blocked: return .goesOn
            case .failed: return .ended(report(.invalidResponse, now: now), nil)
            case .happened(let next): event = next
            }
        }
    }

    private enum Transfer {
        case blocked
        case failed
        case happened(CheckEvent)
    }

    private mutating func send() -> Transfer {
        while sent < output.count {
            let count = output.withUnsafeBytes { raw in
                write(raw.baseAddress?.advanced(by: sent), raw.count - sent)
            }
            if count == -Int(EAGAIN) { return .blocked }
            guard count > 0 else { return .failed }
            sent += count
        }
        output = []
        return .happened(.sent)
    }

    /// Goes on with the handshake; 1 when it is complete, or -errno.
    private mutating func secure() -> Int {
        if session == nil {
            guard let encryption else { return -Int(EPROTO) }
            session = CheckSession(encryption, socket: socket.number)
        }
        let result = session?.handshake() ?? -Int(EPROTO)
        isSecured = result == 1
        return result
    }

    private func write(_ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
        session?.write(bytes, count) ?? haven_send(socket.number, bytes, count, 0)
    }

    private func receive(_ target: UnsafeMutableRawPointer?, _ count: Int) -> Int {
        session?.read(target, count) ?? haven_recv(socket.number, target, count, 0)
    }

    private func read() -> Transfer {
        var chunk = [UInt8](repeating: 0, count: ProxyLimits.checkReadBytes)
        while true {
            let count = chunk.withUnsafeMutableBytes { receive($0.baseAddress, $0.count) }
            if count == -Int(EINTR) { continue }
            if count == -Int(EAGAIN) { return .blocked }
            return .happened(count > 0 ? .received(chunk[..<count]) : .closed)
        }
    }

    private mutating func reconnect(_ port: UInt16?, now: Instant) -> Progress {
        session = nil
        isSecured = encryption == nil || port != nil
        do throws(SystemError) {
            socket = try StreamSocket.connect(to: Endpoint(address: endpoint.address, port: port ?? endpoint.port))
        } catch { return .ended(report(.refused, now: now), nil) }
        isConnected = false
        deadline = now + connectTimeout
        return .reconnected
    }

    /// The result of a check that took too long.
    func expired(now: Instant) -> CheckReport {
        guard isConnected else { return report(.connectTimeout, now: now) }
        guard isSecured else { return report(.handshakeTimeout, now: now) }
        return report(CheckVerdict(.responseTimeout, info: conversation.place), now: now)
    }

    private func report(_ result: CheckResult, now: Instant) -> CheckReport { report(CheckVerdict(result), now: now) }

    private func report(_ verdict: CheckVerdict, now: Instant) -> CheckReport {
        CheckReport(
            result: verdict.result == .connected && session != nil ? .secured : verdict.result,
            httpStatus: verdict.status,
            milliseconds: (now - started).milliseconds,
            info: verdict.info.isEmpty ? nil : verdict.info
        )
    }
}
