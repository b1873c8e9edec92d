import Balancing
import CLinux
import ClusterModel
import LinuxIO
import ProxyControl
import Testing

/// Servers whose machine answers nothing at all: what is under way to them goes elsewhere.
///
/// Time-outs of connecting are far longer than any test waits, so that only what is tested here can help.
@Suite
struct SilentServerTests {
    private func start(
        _ hole: BlackHole,
        _ others: [Origin],
        mode: ListenerMode = .http,
        _ change: (inout Listener) -> Void = { _ in }
    ) throws -> (TestProxy, Endpoint, PlannedListener) {
        let endpoint = try TestNet.freeEndpoint()
        let proxy = try TestProxy(threads: 1)
        proxy.origins = others
        let listener = Listener.test(endpoint, others, mode: mode) {
            var silent = Server(name: "hole", endpoint: hole.endpoint)
            silent.cookie = "hole"
            $0.servers.insert(silent, at: 0)
            $0.timeouts.connect = 60_000
            change(&$0)
        }
        let planned = PlannedListener(listener)
        try proxy.apply([planned])
        return (proxy, endpoint, planned)
    }

    @Test(arguments: [ListenerMode.http, .tcp])
    func `A connection that is not answered is tried elsewhere long before the time-out`(mode: ListenerMode) throws {
        let hole = try BlackHole()
        let origin = try Origin("s1")
        let (proxy, endpoint, planned) = try start(hole, [origin], mode: mode)
        let body = Origin.pattern(100_000)
        for _ in 0..<3 {
            let client = try TestClient(endpoint)
            try client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.count)\r\n\r\n")
            try client.send(body)
            let response = try client.response()
            #expect(response.status == 200 && Array(response.body.suffix(body.count)) == body)
        }
        let listener = try proxy.listener(planned.listener.name)
        #expect((listener.picks["redispatch"] ?? 0) >= 1 && listener.answers.isEmpty)
        // Nothing was sent twice: one request each, all of them to the server that lives.
        #expect(origin.requests == 3 && listener.servers[1].requests == 3 && listener.servers[0].requests == 0)
    }

    @Test
    func `A sticky client waits for its server, until the cluster knows it lost`() throws {
        let hole = try BlackHole()
        let (proxy, endpoint, planned) = try start(hole, [Origin("s1")]) {
            $0.cookie = CookiePersistence(name: "SRV")
        }
        try expectMove(proxy, endpoint, planned, cookie: "Cookie: SRV=hole\r\n", setCookie: "SRV=s1; path=/")
    }

    @Test
    func `Loss of a node moves what is under way to it even without redispatch and retries`() throws {
        let hole = try BlackHole()
        let (proxy, endpoint, planned) = try start(hole, [Origin("s1")]) {
            $0.redispatch = false
            $0.retries = 0
        }
        try expectMove(proxy, endpoint, planned, cookie: "", setCookie: nil)
    }

    @Test
    func `A tunnel that is under way moves too`() throws {
        let hole = try BlackHole()
        let (proxy, endpoint, planned) = try start(hole, [Origin("s1")], mode: .tcp) { $0.redispatch = false }
        try expectMove(proxy, endpoint, planned, cookie: "", setCookie: nil)
    }

    @Test
    func `The pause before a refused attempt is repeated ends when the node is lost`() throws {
        let dead = try Origin("hole")
        let alive = try Origin("s1")
        let endpoint = try TestNet.freeEndpoint()
        let proxy = try TestProxy(threads: 1)
        proxy.origins = [dead, alive]
        var planned = PlannedListener(
            .test(endpoint, [dead, alive]) {
                $0.redispatch = false
                // Pauses of a second, so many that only the loss can end them in time.
                $0.retries = 100
                $0.timeouts.connect = 60_000
            }
        )
        try proxy.apply([planned])
        dead.stop()
        let client = try TestClient(endpoint)
        try client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
        #expect(try proxy.eventually { $0.listeners[0].servers[0].connectFailures >= 1 })
        planned.nodes = ["hole": .lost]
        try proxy.apply([planned])
        #expect(try client.response()["x-server"] == "s1")
        #expect(try proxy.listener().servers[0].connectFailures <= 3)
    }

    /// One request gets stuck on the silent server; then its node is lost.
    private func expectMove(
        _ proxy: TestProxy,
        _ endpoint: Endpoint,
        _ planned: PlannedListener,
        cookie: String,
        setCookie: String?
    ) throws {
        var planned = planned
        let client = try TestClient(endpoint)
        // Not idempotent: it moves because nothing of it was sent.
        try client.send("POST /x HTTP/1.1\r\nHost: a\r\n\(cookie)Content-Length: 2\r\n\r\nhi")
        #expect(try proxy.eventually { $0.listeners[0].servers[0].connections == 1 })
        planned.nodes = ["hole": .lost]
        try proxy.apply([planned])
        let response = try client.response()
        #expect(response["x-server"] == "s1" && response["set-cookie"] == setCookie)
        let listener = try proxy.listener(planned.listener.name)
        #expect(listener.picks["redispatch"] == 1 && listener.servers[0].connections == 0)
    }
}

/// A listening socket whose queue is full, so that the kernel drops what else comes: to a client, a dead machine.
final class BlackHole {
    let endpoint: Endpoint
    private let listening: Int32
    private var waiting: [Int32] = []

    init() throws {
        endpoint = try TestNet.freeEndpoint()
        var options = StreamSocket.ListenOptions()
        options.backlog = 0
        listening = try StreamSocket.listen(on: endpoint, options).release()
        // One connection fits a queue of length 0; the others make sure.
        for _ in 0..<4 { waiting.append(try StreamSocket.connect(to: endpoint).release()) }
    }

    deinit {
        for number in waiting + [listening] { _ = haven_close(number) }
    }
}
