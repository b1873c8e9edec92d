import CLinux
import ClusterModel
import ProxyControl
import Testing

/// Changes of protocol through a whole proxy, as consoles in a browser need them.
@Suite
struct UpgradeTests {
    private func start(_ change: (inout Listener) -> Void = { _ in }) throws -> (TestProxy, Endpoint) {
        let origin = try Origin("s1")
        let endpoint = try TestNet.freeEndpoint()
        let proxy = try TestProxy(threads: 1)
        proxy.origins = [origin]
        try proxy.apply([PlannedListener(.test(endpoint, [origin], change))])
        return (proxy, endpoint)
    }

    private static let request =
        "GET /upgrade HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"

    /// A client whose connection speaks the other protocol now; what it sent early is echoed already.
    private func upgraded(_ endpoint: Endpoint, early: String = "") throws -> TestClient {
        let client = try TestClient(endpoint)
        try client.send(Self.request + early)
        let response = try client.response(toHead: true)
        #expect(response.status == 101 && response["connection"] == "Upgrade" && response["upgrade"] == "echo")
        #expect(try client.read(6 + early.utf8.count) == Array(("hello\n" + early).utf8))
        return client
    }

    @Test
    func `After the change bytes pass both ways, early ones included, and both ends are passed on`() throws {
        let (proxy, endpoint) = try start()
        let client = try upgraded(endpoint, early: "GET is no request any more\r\n\r\n")
        let bytes = Origin.pattern(200_000)
        for _ in 0..<5 {
            try client.send(bytes)
            #expect(try client.read(bytes.count) == bytes)
        }
        client.finish()
        #expect(client.isClosed())
        #expect(try proxy.eventually { $0.connections == 0 && $0.listeners[0].servers[0].connections == 0 })
        let listener = try proxy.listener()
        #expect(listener.requests == 1 && listener.servers[0].requests == 1 && listener.answers.isEmpty)
    }

    @Test
    func `A tunnel has a time-out of its own`() throws {
        let (proxy, endpoint) = try start {
            $0.timeouts.client = 50
            $0.timeouts.server = 50
            $0.timeouts.httpRequest = 50
            $0.timeouts.tunnel = 60_000
        }
        let client = try upgraded(endpoint)
        let idle = try TestClient(endpoint)
        // Others are long over when the tunnel still works.
        #expect(idle.isClosed())
        let second = try TestClient(endpoint)
        #expect(second.isClosed())
        try client.send("ping")
        #expect(try client.read(4) == Array("ping".utf8))
        #expect(try proxy.status().connections == 1)
    }

    @Test
    func `A silent tunnel ends with its time-out`() throws {
        let (proxy, endpoint) = try start { $0.timeouts.tunnel = 100 }
        let client = try upgraded(endpoint)
        #expect(client.isClosed())
        #expect(try proxy.eventually { $0.connections == 0 })
    }

    @Test
    func `A server that does not change goes on with HTTP`() throws {
        let (proxy, endpoint) = try start()
        let client = try TestClient(endpoint)
        for _ in 0..<3 {
            let response = try client.get("/x", "Connection: Upgrade\r\nUpgrade: echo\r\n")
            #expect(response.status == 200 && response.text.contains("Connection: Upgrade\r\nUpgrade: echo\r\n"))
        }
        #expect(try proxy.listener().accepted == 1)
    }

    @Test
    func `Consent that nobody asked for is answered with 502`() throws {
        let (proxy, endpoint) = try start()
        let client = try TestClient(endpoint)
        #expect(try client.get("/upgrade")["x-haven-reason"] == "bad-response")
        let response = try client.get("/upgrade", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n")
        #expect(response.status == 502)
        #expect(try proxy.listener().servers[0].badResponses == 2)
    }
}
