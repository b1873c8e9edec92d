import ClusterModel
import Dispatch
import Glibc
import Testing

@testable import AdminAPI

// One at a time: each server and each client holds a thread of Dispatch, which lends few at once.
@Suite(.serialized)
struct AdminSocketTests {
    private let token: AdminServer.Handler = { _, _ in .token("ok") }

    /// Serves `handler` in a fresh directory for as long as `body` runs.
    private func serving(
        _ handler: @escaping AdminServer.Handler,
        _ body: @Sendable (AdminClient) async throws -> Void
    ) async throws {
        var template = Array("/tmp/haven-admin-XXXXXX".utf8CString)
        let directory = try #require(mkdtemp(&template).map { String(cString: $0) })
        defer { rmdir(directory) }
        let path = directory + "/socket"
        let server = try AdminServer(path: path, handler: handler)
        let running = Task { try await server.run() }
        try await body(AdminClient(path: path, timeoutSeconds: 20))
        running.cancel()
        _ = await running.result
        #expect(access(path, F_OK) != 0, "the socket is removed at the end")
    }

    /// Blocking calls need threads of their own: tasks have as many as there are processors.
    private func blocking<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: body()) }
        }
    }

    @Test
    func `A request reaches the handler with the caller's uid, and its response comes back`() async throws {
        let handler: AdminServer.Handler = { request, uid in
            .done(version: 7, notes: ["\(uid)", "\(request == .move(resource: "VIP", to: nil))"])
        }
        try await serving(handler) { client in
            let response = await self.blocking { try? client.send(.move(resource: "VIP", to: nil)) }
            #expect(response == .done(version: 7, notes: ["\(getuid())", "true"]))
        }
    }

    @Test
    func `Directory and socket are for root and the group alone`() async throws {
        try await serving(token) { client in
            var directory = stat()
            var socket = stat()
            #expect(stat(String(client.path.dropLast("/socket".count)), &directory) == 0)
            #expect(stat(client.path, &socket) == 0)
            #expect(directory.st_mode & 0o777 == 0o750)
            #expect(socket.st_mode & 0o777 == 0o660)
        }
    }

    @Test
    func `A secret travels in a request and never in a response`() async throws {
        let device = FenceDevice(name: "d", agent: "a", secrets: ["password": Secret("hunter2")], targets: ["n": ""])
        let handler: AdminServer.Handler = { request, _ in
            guard case .edit(.createFenceDevice(let device), _) = request else { return .token("") }
            var configuration = ClusterConfiguration(name: device.secrets["password"]?.exposed ?? "", nodes: [])
            configuration.fenceDevices = [device]
            return .configuration(configuration, version: 1)
        }
        try await serving(handler) { client in
            let response = await self.blocking { try? client.send(.edit(.createFenceDevice(device), expected: 3)) }
            guard case .configuration(let configuration, 1) = response else {
                Issue.record("\(String(describing: response))")
                return
            }
            #expect(configuration.name == "hunter2")
            #expect(configuration.fenceDevices.first?.secrets["password"] == .masked)
        }
    }

    @Test
    func `Garbage is answered or dropped, and the next request is served`() async throws {
        try await serving(token) { client in
            for garbage in [
                "GARBAGE\r\n\r\n", "GET /nothing HTTP/1.1\r\n\r\n", "\u{0}\u{1}\r\n\r\n",
                "POST /v1/request HTTP/1.1\r\nContent-Length: 3\r\n\r\n{}}",
                "POST /v1/request HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
                "POST /v1/request HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                String(repeating: "x", count: 20_000),
            ] {
                let answer = await self.blocking { raw(garbage, client.path) }
                #expect(answer.hasPrefix("HTTP/1.1 400 "), "\(garbage.prefix(40)): \(answer.prefix(40))")
            }
            let response = await self.blocking { try? client.send(.token(node: "a")) }
            #expect(response == .token("ok"))
        }
    }

    @Test
    func `A large configuration passes both ways`() async throws {
        var configuration = ClusterConfiguration(name: "big", nodes: [])
        configuration.resources = (0..<1000).map { number in
            let kind = ResourceKind.ocf(OCFSpecification(provider: "heartbeat", type: "Dummy", parameters: ["a": "b"]))
            return Resource(name: "resource-\(number)", kind: kind)
        }
        let sent = configuration
        let handler: AdminServer.Handler = { request, _ in
            guard case .edit(.replaceAll(let got), _) = request else { return .token("") }
            return .configuration(got, version: 2)
        }
        try await serving(handler) { client in
            let response = await self.blocking { try? client.send(.edit(.replaceAll(sent), expected: nil)) }
            #expect((response == .configuration(sent, version: 2)) as Bool, "what came back differs")
        }
    }

    @Test
    func `Without an agent the client says so`() {
        let client = AdminClient(path: "/tmp/haven-no-such-directory/socket")
        #expect(throws: AdminClientError.agentDown(path: client.path)) { try client.send(.status) }
    }

    @Test
    func `A second agent does not take the socket of a living one`() async throws {
        try await serving(token) { client in
            #expect(throws: AdminServer.StartFailure.self) {
                try AdminServer(path: client.path) { _, _ in .token("second") }
            }
            let response = await self.blocking { try? client.send(.token(node: "a")) }
            #expect(response == .token("ok"))
        }
    }
}

/// Sends bytes as they are and reads to the end.
private func raw(_ text: String, _ path: String) -> String {
    guard let descriptor = try? UnixSocket.connected(to: path) else { return "" }
    defer { close(descriptor) }
    UnixSocket.setTimeout(descriptor, seconds: 20)
    _ = UnixSocket.send(Array(text.utf8)[...], to: descriptor)
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = UnixSocket.receive(into: &buffer, from: descriptor)
    return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : ""
}
