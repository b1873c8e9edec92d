import CLinux
import ClusterModel
import LinuxIO
import ProxyControl
import Testing

/// What happens when one side misbehaves or vanishes.
@Suite
struct FaultTests {
    private func start(
        _ origins: [Origin],
        _ change: (inout Listener) -> Void = { _ in }
    ) throws -> (TestProxy, Endpoint) {
        let endpoint = try TestNet.freeEndpoint()
        let proxy = try TestProxy()
        proxy.origins = origins
        try proxy.apply([PlannedListener(.test(endpoint, origins, change))])
        return (proxy, endpoint)
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", 400, "bad-request"),
        ("\u{0}\u{1}\u{2}\u{3}", 400, "bad-request"),
        ("GET / HTTP/3.0\r\n", 505, "version"),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "not-implemented"),
        ("GET / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n", 417, "expectation"),
        ("GET / HTTP/1.1\r\nX: \(String(repeating: "x", count: 17_000))", 431, "head-too-long"),
        ("GET /\(String(repeating: "x", count: 17_000))", 414, "target-too-long"),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnope\r\n", 400, "bad-request"),
    ])
    func `Garbage is answered, counted and ends its connection only`(text: String, status: Int, reason: String) throws {
        let origin = try Origin("s1")
        let (proxy, endpoint) = try start([origin])
        let client = try TestClient(endpoint)
        try client.send(text)
        let response = try client.response()
        #expect(response.status == status && response["x-haven-reason"] == reason)
        #expect(response["connection"] == "close" && client.isClosed())
        #expect(try proxy.listener().answers == [reason: 1])
        #expect(origin.requests == 0)
        #expect(try TestClient(endpoint).get("/").status == 200)
    }

    @Test
    func `A malformed chunk in the middle of a body ends the request with 400`() throws {
        let (proxy, endpoint) = try start([Origin("s1")])
        defer { _ = proxy }
        let client = try TestClient(endpoint)
        try client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        #expect(try proxy.eventually { $0.listeners[0].servers[0].requests == 1 })
        try client.send("zz\r\n")
        #expect(try client.response().status == 400)
    }

    @Test
    func `A head that trickles is answered with 408, silence with nothing`() throws {
        let (proxy, endpoint) = try start([Origin("s1")]) { $0.timeouts.httpRequest = 150 }
        let silent = try TestClient(endpoint)
        let trickling = try TestClient(endpoint)
        try trickling.send("GET / HTTP/1.1\r\nHost:")
        let used = try TestClient(endpoint)
        #expect(try used.get("/").status == 200)
        #expect(try trickling.response().status == 408)
        #expect(silent.isClosed() && used.isClosed())
        #expect(try proxy.listener().answers == ["request-timeout": 1])
    }

    @Test
    func `A body that stops coming is answered with 408`() throws {
        let (proxy, endpoint) = try start([Origin("s1")]) { $0.timeouts.client = 150 }
        defer { _ = proxy }
        let client = try TestClient(endpoint)
        try client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello")
        #expect(try client.response().status == 408)
    }

    @Test(arguments: [
        ("/drop", 502, "server-closed"), ("/garbage", 502, "bad-response"), ("/hang", 504, "server-timeout"),
    ])
    func `A server's failure is told to the client, whose connection goes on`(
        path: String,
        status: Int,
        reason: String
    ) throws {
        let (proxy, endpoint) = try start([Origin("s1")]) { $0.timeouts.server = 150 }
        let client = try TestClient(endpoint)
        let response = try client.get(path)
        #expect(response.status == status && response["x-haven-reason"] == reason)
        #expect(try client.get("/fine").status == 200)
        let listener = try proxy.listener()
        #expect(listener.answers == [reason: 1] && listener.servers[0].badResponses == 1)
    }

    @Test
    func `A response that is cut off is cut off for the client too`() throws {
        let (proxy, endpoint) = try start([Origin("s1")])
        defer { _ = proxy }
        let client = try TestClient(endpoint)
        #expect(throws: TestClient.Failure.self) { try client.get("/cut") }
        #expect(try proxy.listener().servers[0].badResponses == 1)
    }

    @Test
    func `A pooled connection that its server has closed costs nobody an error`() throws {
        let origin = try Origin("s1")
        let (proxy, endpoint) = try start([origin])
        defer { _ = proxy }
        let client = try TestClient(endpoint)
        for _ in 0..<10 {
            #expect(try client.get("/x").status == 200)
            origin.closeConnections()
            try client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
            #expect(try client.response().status == 200)
            origin.closeConnections()
        }
    }

    @Test
    func `A refused request goes to the next server at once`() throws {
        let dead = try Origin("s1")
        let alive = try Origin("s2")
        let (proxy, endpoint) = try start([dead, alive])
        dead.stop()
        let client = try TestClient(endpoint)
        for _ in 0..<6 { #expect(try client.get("/x")["x-server"] == "s2") }
        let listener = try proxy.listener()
        #expect((listener.picks["redispatch"] ?? 0) >= 2 && listener.answers.isEmpty)
        #expect(listener.servers[0].connectFailures == listener.picks["redispatch"])
    }

    @Test
    func `Without redispatch a dead server is tried again after a pause, then 503`() throws {
        let dead = try Origin("s1")
        let (proxy, endpoint) = try start([dead]) {
            $0.redispatch = false
            $0.retries = 2
            $0.timeouts.connect = 50
        }
        dead.stop()
        let before = Clock.monotonic()
        let response = try TestClient(endpoint).get("/x")
        #expect(response.status == 503 && response["x-haven-reason"] == "connect-failed")
        #expect(Clock.monotonic() - before >= .milliseconds(100))
        #expect(try proxy.listener().servers[0].connectFailures == 3)
    }

    @Test
    func `No server at all is 503 at once`() throws {
        let (proxy, endpoint) = try start([])
        let client = try TestClient(endpoint)
        for _ in 0..<2 { #expect(try client.get("/x")["x-haven-reason"] == "no-server") }
        #expect(try proxy.listener().answers == ["no-server": 2])
        try client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.response(toHead: true).status == 503)
        #expect(try client.get("/x").status == 503)
    }

    @Test
    func `Connections beyond the limit wait, and are served when one ends`() throws {
        let (proxy, endpoint) = try start([Origin("s1")]) { $0.maxConnections = 2 }
        var first: TestClient? = try TestClient(endpoint)
        let second = try TestClient(endpoint)
        #expect(try first?.get("/1").status == 200)
        #expect(try second.get("/2").status == 200)
        let third = try TestClient(endpoint)
        try third.send("GET /3 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try second.get("/4").status == 200)
        #expect(try proxy.listener().accepted == 2)
        first = nil
        #expect(try third.response().status == 200)
    }
}
