import CLinux
import ClusterModel
import LinuxIO
import ProxyControl

/// One check under way: a connection, and for HTTP a request and the start of its answer.
struct CheckProbe: ~Copyable {
    private let socket: Descriptor
    private let request: [UInt8]
    private let expected: [StatusRange]
    private var isConnected = false
    private var sent = 0
    private var answer: [UInt8] = []
    private let started: Instant
    private let answerTimeout: Duration
    /// When it fails by itself.
    private(set) var deadline: Instant

    var descriptor: Int32 { socket.number }

    /// Starts connecting.
    init(
        to endpoint: Endpoint,
        http: HTTPCheck?,
        connectTimeout: Duration,
        answerTimeout: Duration,
        now: Instant
    ) throws(SystemError) {
        socket = try StreamSocket.connect(to: endpoint)
        request = http.map(Self.request) ?? []
        expected = http?.expectStatus ?? []
        started = now
        deadline = now + connectTimeout
        self.answerTimeout = answerTimeout
    }

    private static func request(_ check: HTTPCheck) -> [UInt8] {
        // Without a Host there is no HTTP/1.1; HAProxy's default request is HTTP/1.0 for the same reason.
        guard let host = check.host else { return Array("\(check.method) \(check.uri) HTTP/1.0\r\n\r\n".utf8) }
        return Array("\(check.method) \(check.uri) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n".utf8)
    }

    /// Goes on after an event; the result when the check is over.
    mutating func proceed(now: Instant) -> CheckReport? {
        if !isConnected {
            guard StreamSocket.error(of: socket.number) == 0 else { return report(.refused, now: now) }
            isConnected = true
            if request.isEmpty {
                // A reset spares the server a connection in TIME_WAIT or a session to time out.
                haven_reset_on_close(socket.number)
                return report(.connected, now: now)
            }
            deadline = now + answerTimeout
        }
        while sent < request.count {
            let count = request.withUnsafeBytes { raw in
                haven_send(socket.number, raw.baseAddress?.advanced(by: sent), raw.count - sent, 0)
            }
            if count == -Int(EAGAIN) { return nil }
            guard count > 0 else { return report(.invalidResponse, now: now) }
            sent += count
        }
        return read(now: now)
    }

    private mutating func read(now: Instant) -> CheckReport? {
        var chunk = [UInt8](repeating: 0, count: 1024)
        while answer.count < ProxyLimits.checkAnswerBytes {
            let count = haven_recv(socket.number, &chunk, chunk.count, 0)
            if count == -Int(EAGAIN) { return nil }
            if count > 0 { answer += chunk[..<count] }
            if let status = Self.status(answer) {
                let passes = expected.contains { ($0.first...max($0.first, $0.last)).contains(status) }
                return report(passes ? .passed : .wrongStatus, status, now: now)
            }
            if count <= 0 { break }
            if answer.count >= 16 { break }
        }
        return report(.invalidResponse, now: now)
    }

    /// The status code of `HTTP/1.x nnn`, once it is there.
    private static func status(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 13, bytes.starts(with: Array("HTTP/1.".utf8)), bytes[8] == 0x20 else { return nil }
        guard bytes[12] == 0x20 || bytes[12] == 0x0D || bytes[12] == 0x0A else { return nil }
        return Int(String(decoding: bytes[9..<12], as: UTF8.self))
    }

    /// The result of a check that took too long.
    func expired(now: Instant) -> CheckReport { report(isConnected ? .responseTimeout : .connectTimeout, now: now) }

    private func report(_ result: CheckResult, _ status: Int? = nil, now: Instant) -> CheckReport {
        CheckReport(result: result, httpStatus: status, milliseconds: (now - started).milliseconds)
    }
}
