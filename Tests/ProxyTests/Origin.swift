import CLinux
import ClusterModel
import HTTP1
import LinuxIO
import Synchronization

/// A small HTTP server that does what the path says; a thread per connection.
final class Origin: Sendable {
    let name: String
    let endpoint: Endpoint
    private let listening: Int32
    private let stopped = Atomic<Bool>(false)
    private let isHealthy = Atomic<Bool>(true)
    private let open = Mutex<Set<Int32>>([])
    private let accepted = Atomic<Int>(0)
    private let served = Atomic<Int>(0)
    private let threads = Mutex<[SendableThread]>([])

    // SAFETY: joined by the owner only, after all have been started.
    private struct SendableThread: @unchecked Sendable { let thread: TestThread }

    init(_ name: String) throws {
        self.name = name
        (listening, endpoint) = try TestNet.listen()
        let weakly = Unmanaged.passUnretained(self)
        let address = UInt(bitPattern: weakly.toOpaque())
        let thread = TestThread {
            guard let pointer = UnsafeRawPointer(bitPattern: address) else { return }
            Unmanaged<Origin>.fromOpaque(pointer).takeUnretainedValue().accept()
        }
        threads.withLock { $0.append(SendableThread(thread: thread)) }
    }

    deinit { stop() }

    var connections: Int { accepted.load(ordering: .relaxed) }
    var requests: Int { served.load(ordering: .relaxed) }

    /// What `/health` answers from now on.
    func setHealthy(_ value: Bool) { isHealthy.store(value, ordering: .relaxed) }

    /// Closes all connections that it has, as a restarted server does.
    func closeConnections() {
        open.withLock { for number in $0 { _ = haven_shutdown(number, Int32(SHUT_RDWR)) } }
    }

    /// Stops listening and closes everything.
    func stop() {
        guard !stopped.exchange(true, ordering: .relaxed) else { return }
        _ = haven_shutdown(listening, Int32(SHUT_RDWR))
        closeConnections()
        for entry in threads.withLock({ $0 }) { entry.thread.join() }
        _ = haven_close(listening)
    }

    private func accept() {
        while !stopped.load(ordering: .relaxed) {
            guard haven_poll_one(listening, Int16(POLLIN), 60_000) > 0 else { continue }
            guard let (number, _) = try? StreamSocket.accept(from: listening) else { continue }
            accepted.add(1, ordering: .relaxed)
            open.withLock { _ = $0.insert(number) }
            if stopped.load(ordering: .relaxed) { _ = haven_shutdown(number, Int32(SHUT_RDWR)) }
            let address = UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque())
            let thread = TestThread {
                guard let pointer = UnsafeRawPointer(bitPattern: address) else { return }
                Unmanaged<Origin>.fromOpaque(pointer).takeUnretainedValue().serve(number)
            }
            threads.withLock { $0.append(SendableThread(thread: thread)) }
        }
    }

    private func serve(_ number: Int32) {
        var connection = OriginConnection(number: number)
        while let request = connection.request(), respond(request, &connection) {}
        open.withLock { _ = $0.remove(number) }
        _ = haven_close(number)
    }

    /// Answers one request; false to close.
    private func respond(_ request: OriginRequest, _ connection: inout OriginConnection) -> Bool {
        served.add(1, ordering: .relaxed)
        if let order = request.order(for: name) { return obey(order, &connection) }
        let size = request.path.split(separator: "?").last.flatMap { Int($0) } ?? 0
        switch request.path.prefix(while: { $0 != "?" }) {
        case "/big": return connection.send(200, "Content-Length: \(size)\r\n", Self.pattern(size))
        case "/head": return connection.send(200, "Content-Length: 12345\r\n", [])
        case "/chunked": return connection.send(200, "Transfer-Encoding: chunked\r\n", Self.chunked(Self.pattern(size)))
        case "/until-close":
            _ = connection.send(200, "", Self.pattern(size))
            return false
        case "/204": return connection.send(204, "", [])
        case "/304": return connection.send(304, "Content-Length: 999\r\nETag: x\r\n", [])
        case "/continue":
            return connection.send(raw: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
                && echo(request, &connection)
        case "/hang":
            _ = haven_poll_one(connection.number, Int16(POLLIN), 60_000)
            return false
        case "/drop": return false
        case "/cut":
            _ = connection.send(200, "Content-Length: 100\r\n", Self.pattern(10))
            return false
        case "/garbage":
            _ = connection.send(raw: "this is no HTTP\r\n\r\n")
            return false
        case "/upgrade":
            guard connection.send(raw: "HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello\n") else {
                return false
            }
            connection.echoBytes()
            return false
        case "/smuggle":
            return connection.send(
                raw: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nX: evil\r\n\r\n"
            )
        case "/cookie":
            return connection.send(200, "Set-Cookie: SRV=app\r\nSet-Cookie: O=1\r\nContent-Length: 0\r\n", [])
        case "/early":
            _ = connection.send(413, "Content-Length: 5\r\nConnection: close\r\n", Array("large".utf8))
            return false
        case "/health":
            return connection.send(isHealthy.load(ordering: .relaxed) ? 200 : 500, "Content-Length: 0\r\n", [])
        default: return echo(request, &connection)
        }
    }

    /// Does what the request wants of this server alone.
    private func obey(_ order: Substring, _ connection: inout OriginConnection) -> Bool {
        switch order {
        case "drop": return false
        case "garbage":
            _ = connection.send(raw: "this is no HTTP\r\n\r\n")
            return false
        case "hang":
            _ = haven_poll_one(connection.number, Int16(POLLIN), 60_000)
            return false
        default: return connection.send(Int(order) ?? 500, "X-Server: \(name)\r\nContent-Length: 0\r\n", [])
        }
    }

    private func echo(_ request: OriginRequest, _ connection: inout OriginConnection) -> Bool {
        let text = Array(request.head.utf8) + request.body
        // A request may say which fields it wants in the response.
        let lines = request.head.split(separator: "\r\n").filter { $0.hasPrefix("X-Set: ") }
        let wanted = lines.map { "\($0.dropFirst(7))\r\n" }.joined()
        return connection.send(200, "X-Server: \(name)\r\n\(wanted)Content-Length: \(text.count)\r\n", text)
    }

    /// Bytes whose period is a prime, so that a piece that is lost or doubled does not go unseen.
    static func pattern(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + period.count)
        while bytes.count < count { bytes += period }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    private static let period = (0..<65_521).map { UInt8(truncatingIfNeeded: $0 ^ ($0 >> 8)) }

    static func chunked(_ bytes: [UInt8]) -> [UInt8] {
        var coded: [UInt8] = []
        var at = 0
        while at < bytes.count {
            let size = min(bytes.count - at, 1 + at % 30_000)
            coded += Array("\(String(size, radix: 16))\r\n".utf8) + bytes[at..<(at + size)] + [0x0D, 0x0A]
            at += size
        }
        return coded + Array("0\r\n\r\n".utf8)
    }
}

struct OriginRequest {
    var path: String
    /// The head as it came.
    var head: String
    var body: [UInt8]

    /// What a field `X-At: NAME what` wants of one server.
    func order(for name: String) -> Substring? {
        let start = "X-At: \(name) "
        return head.split(separator: "\r\n").first { $0.hasPrefix(start) }.map { $0.dropFirst(start.count) }
    }
}

/// The origin's end of one connection.
struct OriginConnection {
    let number: Int32
    private var buffer: [UInt8] = []
    private var head = RequestHead()

    init(number: Int32) { self.number = number }

    private mutating func fill() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 262_144)
        while true {
            let count = haven_recv(number, &chunk, chunk.count, 0)
            if count == -Int(EAGAIN) {
                guard haven_poll_one(number, Int16(POLLIN), 60_000) > 0 else { return false }
                continue
            }
            guard count > 0 else { return false }
            buffer += chunk[..<count]
            return true
        }
    }

    /// The next request; nil when there is none.
    mutating func request() -> OriginRequest? {
        while true {
            let seen = buffer
            let progress = head.read(seen.span)
            if case .complete(let end) = progress { return finish(end) }
            guard progress == .incomplete, fill() else { return nil }
        }
    }

    /// Sends everything back until the other side ends.
    mutating func echoBytes() {
        while true {
            let bytes = buffer
            buffer = []
            guard send(raw: bytes), fill() else { return }
        }
    }

    private mutating func finish(_ end: Int) -> OriginRequest? {
        let text = String(decoding: buffer[..<end], as: UTF8.self)
        let path = String(decoding: buffer[head.targetRange], as: UTF8.self)
        buffer.removeFirst(end)
        // Answers before the body, as a server does that refuses it.
        if path == "/early" { return OriginRequest(path: path, head: text, body: []) }
        var body: [UInt8] = []
        switch head.framing {
        case .none, .untilClose: break
        case .length:
            while buffer.count < Int(head.contentLength) { guard fill() else { return nil } }
            body = Array(buffer[..<Int(head.contentLength)])
            buffer.removeFirst(body.count)
        case .chunked:
            var scanner = ChunkScanner()
            var scanned = 0
            while true {
                let seen = buffer
                let progress = scanner.scan(seen.span, from: scanned)
                scanned = seen.count
                if case .finished(let end) = progress {
                    body = Self.decode(Array(buffer[..<end]))
                    buffer.removeFirst(end)
                    break
                }
                guard progress == .more, fill() else { return nil }
            }
        }
        return OriginRequest(path: path, head: text, body: body)
    }

    private static func decode(_ coded: [UInt8]) -> [UInt8] {
        var body: [UInt8] = []
        var rest = coded[...]
        while let end = rest.firstIndex(of: 0x0A) {
            let line = rest[..<end].dropLast().prefix { $0 != UInt8(ascii: ";") }
            guard let size = Int(String(decoding: line, as: UTF8.self), radix: 16), size > 0 else { break }
            body += rest[(end + 1)..<(end + 1 + size)]
            rest = rest[(end + 3 + size)...]
        }
        return body
    }

    func send(_ status: Int, _ fields: String, _ body: [UInt8]) -> Bool {
        send(raw: Array("HTTP/1.1 \(status) X\r\n\(fields)\r\n".utf8) + body)
    }

    func send(raw text: String) -> Bool { send(raw: Array(text.utf8)) }

    func send(raw bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                haven_send(number, raw.baseAddress?.advanced(by: sent), raw.count - sent, 0)
            }
            if count == -Int(EAGAIN) {
                guard haven_poll_one(number, Int16(POLLOUT), 60_000) > 0 else { return false }
                continue
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }
}
