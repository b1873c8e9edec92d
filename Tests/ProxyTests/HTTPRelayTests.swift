import CLinux
import ClusterModel
import ProxyControl
import Testing

/// Messages pass whole, in order and to the right end.
@Suite
struct HTTPRelayTests {
    private func start(
        _ count: Int = 1,
        _ change: (inout Listener) -> Void = { _ in }
    ) throws -> (TestProxy, [Origin], Endpoint) {
        let origins = try (1...count).map { try Origin("s\($0)") }
        let endpoint = try TestNet.freeEndpoint()
        let proxy = try TestProxy()
        proxy.origins = origins
        try proxy.apply([PlannedListener(.test(endpoint, origins, change))])
        return (proxy, origins, endpoint)
    }

    @Test
    func `Connections of both sides are used again`() throws {
        let (proxy, origins, endpoint) = try start()
        let client = try TestClient(endpoint)
        for number in 0..<20 {
            let response = try client.get("/\(number)")
            #expect(response.status == 200)
            #expect(
                response.text.hasPrefix("GET /\(number) HTTP/1.1\r\nHost: a.test\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n")
            )
        }
        #expect(origins[0].connections == 1 && origins[0].requests == 20)
        // The last connection is put back just after its response is sent.
        #expect(try proxy.eventually { $0.listeners[0].servers[0].idleConnections == 1 })
        let status = try proxy.listener()
        #expect(status.accepted == 1 && status.requests == 20 && status.connections == 1)
        #expect(status.servers[0].requests == 20 && status.servers[0].connections == 0)
    }

    @Test
    func `Pipelined requests are answered in their order`() throws {
        let (proxy, _, endpoint) = try start(2)
        defer { _ = proxy }
        let client = try TestClient(endpoint)
        let body = "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        try client.send((0..<40).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" + body }.joined())
        for number in 0..<40 {
            #expect(try client.response().text.hasPrefix("GET /\(number) "))
            #expect(try client.response().text.hasSuffix("\r\n\r\nabc"))
        }
    }

    @Test
    func `A request that comes byte by byte is the same request`() throws {
        let (proxy, _, endpoint) = try start()
        defer { _ = proxy }
        let client = try TestClient(endpoint)
        let text = "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n5;e\r\nhello\r\n0\r\n\r\n"
        for byte in text.utf8 { try client.send([byte]) }
        #expect(try client.response().text.hasSuffix("hello"))
        #expect(try client.get("/next").text.hasPrefix("GET /next "))
    }

    @Test
    func `Bodies of every framing arrive whole`() throws {
        let (proxy, origins, endpoint) = try start()
        defer { _ = proxy }
        let client = try TestClient(endpoint)
        for size in [0, 1, 65_535, 65_536, 200_000, 3_000_000] {
            #expect(try client.get("/big?\(size)").body == Origin.pattern(size), "length \(size)")
            #expect(try client.get("/chunked?\(size)").body == Origin.pattern(size), "chunked \(size)")
        }
        #expect(origins[0].connections == 1)
        #expect(try TestClient(endpoint).get("/until-close?100000").body == Origin.pattern(100_000))
    }

    @Test(arguments: [1, 20_000, 2_000_000])
    func `Uploads of every framing arrive whole`(size: Int) throws {
        let (proxy, _, endpoint) = try start()
        defer { _ = proxy }
        let client = try TestClient(endpoint)
        let body = Origin.pattern(size)
        try client.send("POST /u HTTP/1.1\r\nHost: a\r\nContent-Length: \(size)\r\n\r\n")
        try client.send(body)
        #expect(Array(try client.response().body.suffix(size)) == body)
        try client.send("PUT /u HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        try client.send(Origin.chunked(body))
        #expect(Array(try client.response().body.suffix(size)) == body)
        #expect(try client.get("/after").status == 200)
    }

    @Test
    func `Responses without a body end with their head`() throws {
        let (proxy, _, endpoint) = try start()
        defer { _ = proxy }
        let client = try TestClient(endpoint)
        try client.send("HEAD /head HTTP/1.1\r\nHost: a\r\n\r\n")
        let head = try client.response(toHead: true)
        #expect(head.status == 200 && head["content-length"] == "12345")
        #expect(try client.get("/204").status == 204)
        let unchanged = try client.get("/304")
        #expect(unchanged.status == 304 && unchanged["etag"] == "x")
        #expect(try client.get("/after").text.hasPrefix("GET /after "))
    }

    @Test
    func `Expect is passed on, and so are interim responses`() throws {
        let (proxy, _, endpoint) = try start()
        defer { _ = proxy }
        let client = try TestClient(endpoint)
        try client.send("GET /continue HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n")
        #expect(try client.response().status == 100)
        #expect(try client.response()["link"] == "x")
        #expect(try client.response().text.contains("Expect: 100-continue"))
        let old = try TestClient(endpoint)
        try old.send("GET /continue HTTP/1.0\r\n\r\n")
        #expect(try old.response().status == 200)
    }

    @Test
    func `Close and keep-alive of HTTP 1_0 are honoured`() throws {
        let (proxy, _, endpoint) = try start()
        defer { _ = proxy }
        let closing = try TestClient(endpoint)
        let answer = try closing.get("/x", "Connection: close\r\n")
        #expect(answer["connection"] == "close" && closing.isClosed())
        let old = try TestClient(endpoint)
        for _ in 0..<2 {
            try old.send("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(try old.response()["connection"] == "keep-alive")
        }
        try old.send("GET /x HTTP/1.0\r\n\r\n")
        #expect(try old.response()["connection"] == "close")
        #expect(old.isClosed())
    }

    @Test
    func `A response before the request's end closes the connection and is not lost`() throws {
        let (proxy, _, endpoint) = try start()
        defer { _ = proxy }
        let client = try TestClient(endpoint)
        try client.send("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n")
        try? client.send([UInt8](repeating: 1, count: 1_000_000))
        let response = try client.response()
        #expect(response.status == 413 && response.text == "large" && response["connection"] == "close")
    }

    @Test
    func `Bytes after a response reach nobody, and their connection is not used again`() throws {
        let (proxy, origins, endpoint) = try start()
        defer { _ = proxy }
        let client = try TestClient(endpoint)
        #expect(try client.get("/smuggle").text == "ok")
        #expect(try client.get("/next").text.hasPrefix("GET /next "))
        #expect(origins[0].connections == 2)
    }

    @Test
    func `A client that reads slowly gets everything`() throws {
        let (proxy, _, endpoint) = try start()
        defer { _ = proxy }
        let client = try TestClient(endpoint)
        try client.send("GET /big?30000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        // Somebody else is served while the first one's response waits.
        #expect(try TestClient(endpoint).get("/x").status == 200)
        #expect(try client.response().body == Origin.pattern(30_000_000))
    }
}
