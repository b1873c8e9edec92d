import CLinux
import ClusterModel
import ProxyControl
import Testing

/// TCP mode.
@Suite
struct TunnelTests {
    private func start(_ origins: [Origin], threads: Int = 1) throws -> (TestProxy, Endpoint) {
        let endpoint = try TestNet.freeEndpoint()
        let proxy = try TestProxy(threads: threads)
        proxy.origins = origins
        try proxy.apply([PlannedListener(.test(endpoint, origins, mode: .tcp))])
        return (proxy, endpoint)
    }

    @Test
    func `Bytes pass unchanged, however many`() throws {
        let (proxy, endpoint) = try start([Origin("s1")])
        let client = try TestClient(endpoint)
        #expect(try client.get("/x").text == "GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n")
        #expect(try client.get("/big?20000000").body == Origin.pattern(20_000_000))
        let body = Origin.pattern(5_000_000)
        try client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.count)\r\n\r\n")
        try client.send(body)
        #expect(Array(try client.response().body.suffix(body.count)) == body)
        #expect(try proxy.listener("raw").requests == 1)
    }

    @Test
    func `A half-closed connection still carries the answer`() throws {
        let (proxy, endpoint) = try start([Origin("s1")])
        let client = try TestClient(endpoint)
        try client.send("GET /big?300000 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        client.finish()
        #expect(try client.response().body == Origin.pattern(300_000))
        #expect(client.isClosed())
        #expect(try proxy.eventually { $0.connections == 0 && $0.listeners[0].servers[0].connections == 0 })
    }

    @Test
    func `A server that closes closes the client`() throws {
        let (proxy, endpoint) = try start([Origin("s1")])
        defer { _ = proxy }
        #expect(try TestClient(endpoint).get("/until-close?5000").body == Origin.pattern(5000))
    }

    @Test
    func `A server that answers and closes before it was told all is heard`() throws {
        let (proxy, endpoint) = try start([Origin("s1")])
        for _ in 0..<20 {
            let client = try TestClient(endpoint)
            try client.send("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n")
            // The server's reset may meet the client at any of these bytes.
            try? client.send(Origin.pattern(3_000_000))
            let response = try client.response()
            #expect(response.status == 413 && response.text == "large")
        }
        #expect(try proxy.eventually { $0.connections == 0 && $0.listeners[0].servers[0].connections == 0 })
    }

    @Test
    func `A refused connection goes to the next server; without one the client is reset`() throws {
        let (dead, alive) = (try Origin("s1"), try Origin("s2"))
        let (proxy, endpoint) = try start([dead, alive])
        dead.stop()
        for _ in 0..<4 { #expect(try TestClient(endpoint).get("/x")["x-server"] == "s2") }
        alive.stop()
        // The reset may come before the client has looked at its connection.
        if let client = try? TestClient(endpoint) { #expect(client.isClosed()) }
        let listener = try proxy.listener("raw")
        #expect(listener.answers == ["connect-failed": 1] && (listener.picks["redispatch"] ?? 0) >= 2)
    }

    @Test
    func `Silence ends a connection`() throws {
        let origin = try Origin("s1")
        let endpoint = try TestNet.freeEndpoint()
        let proxy = try TestProxy(threads: 1)
        proxy.origins = [origin]
        try proxy.apply([PlannedListener(.test(endpoint, [origin], mode: .tcp) { $0.timeouts.client = 100 })])
        #expect(try TestClient(endpoint).isClosed())
    }
}
