import CLinux
import CTLS
import ClusterModel
import LinuxIO
import Synchronization
import Testing

/// Runs a closure on a thread of its own; `join` waits for it.
final class TestThread {
    private final class Body {
        let run: () -> Void
        init(_ run: @escaping () -> Void) { self.run = run }
    }

    private var thread = pthread_t()
    private var isJoined = false

    init(_ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(Body(body))
        let result = haven_thread_start(
            &thread,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            },
            box.toOpaque()
        )
        precondition(result == 0)
    }

    func join() {
        if !isJoined { _ = haven_thread_join(thread) }
        isJoined = true
    }

    deinit { join() }
}

/// What went wrong on threads, where an issue would belong to no test.
final class FailureList: Sendable {
    private let list = Mutex<[String]>([])
    var all: [String] { list.withLock { $0 } }
    func add(_ line: String) { list.withLock { $0.append(line) } }
}

enum TestNet {
    static let loopback = IPAddress(bytes: [127, 0, 0, 1])

    /// A listening socket on a free port, with its endpoint.
    static func listen() throws -> (descriptor: Int32, endpoint: Endpoint) {
        guard let loopback else { throw SystemError(call: "address", code: EINVAL) }
        let socket = try StreamSocket.listen(on: Endpoint(address: loopback, port: 0), StreamSocket.ListenOptions())
        let number = socket.release()
        guard let local = SocketAddress.local(of: number)?.endpoint else {
            throw SystemError(call: "getsockname", code: EINVAL)
        }
        return (number, Endpoint(address: local.address, port: local.port))
    }

    /// A listening socket that shares its port with nobody.
    static func listenAlone() throws -> (descriptor: Int32, endpoint: Endpoint) {
        let endpoint = try freeEndpoint()
        return (try StreamSocket.listen(on: endpoint, StreamSocket.ListenOptions()).release(), endpoint)
    }

    private static let given = Atomic<Int>(0)

    /// An endpoint where nobody listens: a loopback address of its own for everyone who asks, so that tests that run at
    /// the same time, in this process or in another one, never meet. (Sockets of one user may share a port unseen.)
    static func freeEndpoint() throws -> Endpoint {
        for _ in 0..<1000 {
            let number = given.add(1, ordering: .relaxed).newValue
            let bytes = [127, UInt8(100 + getpid() % 100), UInt8(number / 250), UInt8(number % 250 + 1)]
            guard let address = IPAddress(bytes: bytes) else { throw SystemError(call: "address", code: EINVAL) }
            // The neighbouring port, bound by this process for as long as it lives, marks the address as taken.
            guard listensForGood(Endpoint(address: address, port: 8079)) else { continue }
            return Endpoint(address: address, port: 8080)
        }
        throw SystemError(call: "bind", subject: "a loopback address", code: EADDRINUSE)
    }

    private static func listensForGood(_ endpoint: Endpoint) -> Bool {
        guard let socket = try? StreamSocket.listen(on: endpoint, StreamSocket.ListenOptions()) else { return false }
        return socket.release() >= 0
    }
}

/// A client connection with deadlines: no call waits longer than `patience`.
final class TestClient {
    enum Failure: Error {
        case timeout
        case reset(Int)
        case closed
        case malformed(String)
    }

    static let patience: Int32 = 8000
    let number: Int32
    private var buffer: [UInt8] = []
    private var isEnded = false
    /// Encrypts what is sent and read; nil for plain bytes.
    private(set) var session: OpaquePointer?
    private let wire: UnsafeMutablePointer<haven_wire>

    init(_ endpoint: Endpoint) throws {
        number = try StreamSocket.connect(to: endpoint).release()
        wire = .allocate(capacity: 1)
        wire.initialize(to: haven_wire(fd: number, state: HAVEN_WIRE_READABLE))
        try wait(POLLOUT)
        let error = StreamSocket.error(of: number)
        guard error == 0 else { throw Failure.reset(Int(error)) }
    }

    deinit {
        SSL_free(session)
        _ = haven_close(number)
        wire.deallocate()
    }

    /// Encrypts from here on, asking for a name.
    func encrypt(_ context: TestContext, name: String = "a.test") throws {
        // The session keeps what it needs of the context.
        let session = try withExtendedLifetime(context) { try #require(haven_tls_open(context.pointer, wire, 0)) }
        self.session = session
        _ = haven_tls_set_server_name(session, name)
        while true {
            wire.pointee.state |= HAVEN_WIRE_READABLE
            let result = haven_tls_handshake(session)
            if result == 1 { return }
            guard result == -Int(EAGAIN) else { throw Failure.reset(-result) }
            try wait(POLLIN)
        }
    }

    private func transmit(_ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
        guard let session else { return haven_send(number, bytes, count, 0) }
        return haven_tls_write(session, bytes, count)
    }

    private func receive(_ bytes: inout [UInt8]) -> Int {
        guard let session else { return haven_recv(number, &bytes, bytes.count, 0) }
        wire.pointee.state |= HAVEN_WIRE_READABLE
        return haven_tls_read(session, &bytes, bytes.count)
    }

    private func wait(_ events: Int32) throws {
        guard haven_poll_one(number, Int16(events), Self.patience) > 0 else { throw Failure.timeout }
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                transmit(raw.baseAddress?.advanced(by: sent), min(raw.count - sent, 1 << 20))
            }
            if count == -Int(EAGAIN) {
                try wait(POLLOUT)
            } else if count < 0 {
                throw Failure.reset(-count)
            } else {
                sent += count
            }
        }
    }

    /// Says that nothing more will come.
    func finish() { _ = haven_shutdown(number, Int32(SHUT_WR)) }

    /// Reads more; false at the end.
    private func fill() throws -> Bool {
        if isEnded { return false }
        var chunk = [UInt8](repeating: 0, count: 262_144)
        while true {
            let count = receive(&chunk)
            if count == -Int(EAGAIN) {
                try wait(POLLIN)
                continue
            }
            if count < 0 { throw Failure.reset(-count) }
            isEnded = count == 0
            buffer += chunk[..<count]
            return count > 0
        }
    }

    /// Everything until the other side closes.
    func readAll() throws -> [UInt8] {
        while try fill() {}
        defer { buffer = [] }
        return buffer
    }

    /// Exactly that many bytes.
    func read(_ count: Int) throws -> [UInt8] {
        while buffer.count < count { guard try fill() else { throw Failure.closed } }
        defer { buffer.removeFirst(count) }
        return Array(buffer[..<count])
    }

    /// Whether the other side has closed (or reset) without another byte.
    func isClosed() -> Bool {
        do { return try !fill() && buffer.isEmpty } catch Failure.reset { return true } catch { return false }
    }

    private func readLine() throws -> String {
        while true {
            if let end = buffer.firstIndex(of: 0x0A) {
                let line = String(decoding: buffer[..<end].dropLast(), as: UTF8.self)
                buffer.removeFirst(end + 1)
                return line
            }
            guard try fill() else { throw buffer.isEmpty ? Failure.closed : Failure.malformed("line") }
        }
    }

    /// Reads one response whole.
    func response(toHead: Bool = false) throws -> TestResponse {
        let parts = try readLine().split(separator: " ", maxSplits: 2)
        guard parts.count >= 2, parts[0] == "HTTP/1.1", let status = Int(parts[1]) else {
            throw Failure.malformed("status line \(parts)")
        }
        var response = TestResponse(status: status)
        while true {
            let line = try readLine()
            if line.isEmpty { break }
            guard let colon = line.firstIndex(of: ":") else { throw Failure.malformed(line) }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            response.fields.append((line[..<colon].lowercased(), String(value)))
        }
        if toHead || status < 200 || status == 204 || status == 304 { return response }
        if response["transfer-encoding"] == "chunked" {
            while let size = Int(try readLine(), radix: 16), size > 0 {
                response.body += try read(size)
                _ = try readLine()
            }
            while try !readLine().isEmpty {}
        } else if let length = response["content-length"].flatMap({ Int($0) }) {
            response.body = try read(length)
        } else {
            response.body = try readAll()
        }
        return response
    }

    /// One request with its response.
    func get(_ path: String, _ fields: String = "") throws -> TestResponse {
        try send("GET \(path) HTTP/1.1\r\nHost: a.test\r\n\(fields)\r\n")
        return try response()
    }
}

struct TestResponse {
    var status: Int
    var fields: [(String, String)] = []
    var body: [UInt8] = []

    subscript(name: String) -> String? { fields.first { $0.0 == name }?.1 }
    var text: String { String(decoding: body, as: UTF8.self) }

    init(status: Int) { self.status = status }
}
