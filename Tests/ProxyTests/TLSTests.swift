import CLinux
import CTLS
import ClusterModel
import LinuxIO
import ProxyControl
import Testing

/// Listeners that encrypt, seen by curl, by openssl, and by clients that hold their connections.
@Suite
struct TLSTests {
    private let authority: TestAuthority
    private let proxies = ProxyKeeper()

    init() throws { authority = try TestAuthority() }

    private func start(
        _ certificates: [PlannedFile],
        mode: ListenerMode = .http,
        ticketKeys: [Secret] = [],
        threads: Int = 1,
        _ change: (inout Listener) -> Void = { _ in }
    ) throws -> (proxy: TestProxy, endpoint: Endpoint, planned: PlannedListener) {
        let origin = try Origin("s1")
        let endpoint = try TestNet.freeEndpoint()
        let proxy = try TestProxy(threads: threads)
        proxy.origins = [origin]
        proxies.keep(proxy)
        var listener = Listener.test(endpoint, [origin], mode: mode)
        listener.tls = ListenerTLS(certificates: certificates.map(\.path))
        change(&listener)
        var planned = PlannedListener(listener)
        let verifies = listener.tls?.verify ?? .none != .none
        planned.tls = PlannedTLS(
            certificates: certificates,
            authority: verifies ? try authority.own : nil,
            ticketKeys: ticketKeys
        )
        try proxy.apply([planned])
        return (proxy, endpoint, planned)
    }

    private func curl(
        _ endpoint: Endpoint,
        _ path: String,
        name: String = "a.test",
        _ words: [String] = [],
        expectSuccess: Bool = true
    ) throws -> String {
        try TestAuthority.run(
            "/usr/bin/curl",
            ["--silent", "--show-error", "--max-time", "10", "--cacert", authority.path("ca.pem")]
                + ["--resolve", "\(name):\(endpoint.port):\(endpoint.address)"] + words
                + ["https://\(name):\(endpoint.port)\(path)"],
            expectSuccess: expectSuccess
        )
    }

    private func client(_ endpoint: Endpoint, name: String = "a.test") throws -> TestClient {
        let client = try TestClient(endpoint)
        try client.encrypt(authority.clientContext(), name: name)
        return client
    }

    // MARK: Requests

    @Test
    func `Requests of all sizes pass, and the server is told that they came encrypted`() throws {
        let (proxy, endpoint, _) = try start([authority.certificate("a.test")])
        let text = try curl(
            endpoint,
            "/",
            ["-H", "X-Forwarded-Proto: http", "-H", "X_Forwarded_Proto: http", "-H", "X-Forwarded-Port: 1"]
        )
        #expect(text.contains("X-Forwarded-Proto: https\r\n") && text.contains("X-Forwarded-Port: 1\r\n"))
        #expect(text.lowercased().ranges(of: "forwarded-proto").count == 1 && !text.contains("X_Forwarded_Proto"))
        let client = try client(endpoint)
        for size in [0, 1, 127, 16_383, 16_384, 16_385, 65_536, 3_000_000] {
            for path in ["/big?\(size)", "/chunked?\(size)"] {
                let response = try client.get(path)
                #expect(response.status == 200 && response.body == Origin.pattern(size), "\(path)")
            }
            let body = Origin.pattern(size)
            try client.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: \(size)\r\n\r\n")
            try client.send(body)
            #expect(try client.response().body.suffix(size) == body[...])
        }
        let listener = try proxy.listener()
        #expect(listener.accepted == 2 && listener.requests == 25 && listener.answers.isEmpty)
    }

    @Test
    func `Requests behind each other, and heads in pieces, are answered in turn`() throws {
        let (_, endpoint, _) = try start([authority.certificate("a.test")])
        let client = try client(endpoint)
        try client.send(String(repeating: "GET /big?20000 HTTP/1.1\r\nHost: a.test\r\n\r\n", count: 20))
        for _ in 0..<20 { #expect(try client.response().body == Origin.pattern(20_000)) }
        for byte in "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n".utf8 { try client.send([byte]) }
        #expect(try client.response().status == 200)
        #expect(try client.get("/until-close?70000").body == Origin.pattern(70_000))
        #expect(client.isClosed())
    }

    @Test
    func `A tunnel after a change of protocol, and one in TCP mode, are encrypted too`() throws {
        let (_, web, _) = try start([authority.certificate("a.test")])
        let upgraded = try client(web)
        try upgraded.send("GET /upgrade HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
        #expect(try upgraded.response(toHead: true).status == 101)
        #expect(try upgraded.read(6) == Array("hello\n".utf8))
        let (_, raw, _) = try start([authority.certificate("a.test")], mode: .tcp)
        let stream = try client(raw)
        #expect(try stream.get("/big?500000").body == Origin.pattern(500_000))
        let bytes = Origin.pattern(300_000)
        for _ in 0..<5 {
            try upgraded.send(bytes)
            #expect(try upgraded.read(bytes.count) == bytes)
        }
    }

    // MARK: Handshakes

    @Test
    func `The name that a client asks for picks the certificate`() throws {
        let certificates = try [
            authority.certificate("a.test", "c.test"), authority.certificate("*.b.test"),
            authority.certificate("deep.x.b.test"),
        ]
        let (_, endpoint, _) = try start(certificates)
        for name in ["a.test", "A.TEST", "c.test", "x.b.test", "deep.x.b.test"] {
            #expect(try curl(endpoint, "/", name: name).contains("GET / "), "\(name)")
        }
        // One label only; and who asks for something else is shown the first one, which it refuses.
        #expect(try curl(endpoint, "/", name: "other.y.b.test", expectSuccess: false).contains("SSL"))
        let shown = try TestAuthority.run(
            "/bin/sh",
            [
                "-c",
                "openssl s_client -connect \(endpoint) -servername nobody.test </dev/null 2>&1 | openssl x509 -noout -subject",
            ]
        )
        #expect(shown.contains("a.test"))
        let (_, strict, _) = try start(certificates) { $0.tls?.isStrict = true }
        #expect(try curl(strict, "/", name: "x.b.test").contains("GET / "))
        #expect(try curl(strict, "/", name: "nobody.test", expectSuccess: false).contains("unrecognized name"))
    }

    @Test
    func `Versions and protocols are those of the configuration`() throws {
        let file = try authority.certificate("a.test")
        let (_, endpoint, _) = try start([file])
        let facts = ["--output", "/dev/null", "--write-out", "%{http_version}", "--http2"]
        // A client that would rather speak HTTP/2 is told that it is 1.1.
        #expect(try curl(endpoint, "/", facts) == "1.1")
        #expect(try curl(endpoint, "/", ["--tlsv1.3"]).contains("GET / "))
        #expect(try curl(endpoint, "/", ["--tls-max", "1.2"]).contains("GET / "))
        let old = ["--tls-max", "1.1", "--tlsv1.0", "--ciphers", "DEFAULT@SECLEVEL=0"]
        _ = try curl(endpoint, "/", old, expectSuccess: false)
        let (_, modern, _) = try start([file]) { $0.tls?.lowestVersion = .tls13 }
        #expect(try curl(modern, "/").contains("GET / "))
        _ = try curl(modern, "/", ["--tls-max", "1.2"], expectSuccess: false)
    }

    @Test
    func `Clients show certificates where they have to`() throws {
        let file = try authority.certificate("a.test")
        let own = try authority.certificate("client.test")
        let others = try TestAuthority()
        let stranger = try others.certificate("client.test")
        let (_, required, _) = try start([file]) {
            $0.tls?.verify = .required
            $0.tls?.authority = "/ca.pem"
        }
        #expect(try curl(required, "/", ["--cert", own.path]).contains("GET / "))
        _ = try curl(required, "/", expectSuccess: false)
        _ = try curl(required, "/", ["--cert", stranger.path], expectSuccess: false)
        let (_, optional, _) = try start([file]) {
            $0.tls?.verify = .optional
            $0.tls?.authority = "/ca.pem"
        }
        #expect(try curl(optional, "/", ["--cert", own.path]).contains("GET / "))
        #expect(try curl(optional, "/").contains("GET / "))
        _ = try curl(optional, "/", ["--cert", stranger.path], expectSuccess: false)
    }

    @Test
    func `What is no handshake ends, is counted, and harms nobody`() throws {
        let (proxy, endpoint, _) = try start([authority.certificate("a.test")]) { $0.timeouts.httpRequest = 200 }
        let plain = try TestClient(endpoint)
        try plain.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
        #expect(try !String(decoding: plain.readAll(), as: UTF8.self).contains("HTTP/1.1"))
        let silent = try TestClient(endpoint)
        #expect(silent.isClosed())
        var random = SeededGenerator(seed: 5)
        for _ in 0..<50 {
            let noise = try TestClient(endpoint)
            var bytes = (0..<Int.random(in: 1...400, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { bytes[0] = 22 }
            try? noise.send(bytes)
            noise.finish()
            _ = try? noise.readAll()
        }
        #expect(try proxy.eventually { $0.connections == 0 && $0.listeners[0].handshakeFailures >= 52 })
        #expect(try client(endpoint).get("/").status == 200)
    }

    @Test
    func `A session goes on at another proxy with the same keys, and at no other listener`() throws {
        let file = try authority.certificate("a.test")
        let keys = ["11", "22", "33"].map { Secret(String(repeating: $0, count: PlannedTLS.ticketKeyBytes)) }
        let (_, first, _) = try start([file], ticketKeys: keys)
        // A day later the key of today opens, and another one seals.
        let (_, second, _) = try start([file], ticketKeys: [keys[1], keys[0], keys[2]])
        let (_, foreign, _) = try start([file], ticketKeys: keys) { $0.name = "other" }
        let (_, late, _) = try start([file], ticketKeys: [keys[2]])
        for version in ["-tls1_3", "-tls1_2"] {
            let ticket = authority.path("session\(version)")
            let request = "(printf 'GET / HTTP/1.0\\r\\nHost: a.test\\r\\n\\r\\n'; sleep 0.3)"
            func connect(_ endpoint: Endpoint, _ words: String) throws -> String {
                let tool = "openssl s_client -connect \(endpoint) -servername a.test \(version) \(words) -CAfile"
                return try TestAuthority.run(
                    "/bin/sh",
                    ["-c", "\(request) | \(tool) \(authority.path("ca.pem")) 2>&1"]
                )
            }
            #expect(try connect(first, "-sess_out \(ticket)").contains("New, TLSv"))
            for endpoint in [first, second] {
                #expect(try connect(endpoint, "-sess_in \(ticket)").contains("Reused, TLSv"), "\(version)")
            }
            for endpoint in [foreign, late] {
                #expect(try connect(endpoint, "-sess_in \(ticket)").contains("New, TLSv"), "\(version)")
            }
        }
    }

    // MARK: Change

    @Test
    func `A certificate is replaced under open connections, and a spoiled one changes nothing`() throws {
        let (proxy, endpoint, planned) = try start([authority.certificate("a.test", commonName: "first")], threads: 2)
        let open = try client(endpoint)
        #expect(try open.get("/").status == 200)
        var renewed = planned
        renewed.tls?.certificates = [try authority.certificate("a.test", commonName: "second")]
        try proxy.apply([renewed])
        #expect(try open.get("/big?100000").body == Origin.pattern(100_000))
        func shown() throws -> String {
            let tool = "openssl s_client -connect \(endpoint) </dev/null 2>/dev/null | openssl x509 -noout -subject"
            return try TestAuthority.run("/bin/sh", ["-c", tool])
        }
        #expect(try shown().contains("second"))
        var spoiled = renewed
        spoiled.tls?.certificates[0].content = Secret("no certificate")
        let result = try proxy.client.apply(proxy.plan([spoiled]), deadline: TestProxy.soon)
        #expect(result.refusal == nil && result.faults.count == 1, "\(result)")
        #expect(result.faults.first?.contains("keeps its certificates: /tmp/haven-tls-") == true, "\(result.faults)")
        #expect(try shown().contains("second"))
        #expect(try open.get("/").status == 200)
        try proxy.apply([renewed])
        #expect(try shown().contains("second"))
    }

    @Test
    func `A spoiled certificate in a stricter plan keeps no laxer context in use`() throws {
        let (proxy, endpoint, planned) = try start([authority.certificate("a.test")])
        #expect(try curl(endpoint, "/").contains("X-Forwarded-Proto: https"))
        var stricter = planned
        stricter.listener.tls?.verify = .required
        stricter.listener.tls?.authority = "/ca.pem"
        stricter.tls?.authority = try authority.own
        stricter.tls?.certificates[0].content = Secret("no certificate")
        let result = try proxy.client.apply(proxy.plan([stricter]), deadline: TestProxy.soon)
        #expect(result.faults.first?.contains("serves nobody") == true, "\(result)")
        let refused = try curl(endpoint, "/", expectSuccess: false)
        #expect(!refused.contains("X-Forwarded-Proto"), "\(refused)")
        // Laxer again, it serves again.
        try proxy.apply([planned])
        #expect(try curl(endpoint, "/").contains("X-Forwarded-Proto: https"))
    }

    @Test
    func `Without certificates nobody is served, least of all in clear text`() throws {
        let file = try authority.certificate("a.test")
        let other = try authority.certificate("a.test")
        let mixed = PlannedFile(
            path: "/mixed.pem",
            content: file.content.exposed.components(before: "-----BEGIN PRIVATE KEY")
                + other.content.exposed.components(from: "-----BEGIN PRIVATE KEY")
        )
        let bad = [
            PlannedFile(path: "/gone.pem", fault: "there is no such file"),
            PlannedFile(path: "/empty.pem", content: ""),
            PlannedFile(path: "/half.pem", content: String(file.content.exposed.prefix(400))), mixed,
            PlannedFile(path: "/nokey.pem", content: file.content.exposed.components(before: "-----BEGIN PRIVATE KEY")),
        ]
        let endpoint = try TestNet.freeEndpoint()
        let origin = try Origin("s1")
        let proxy = try TestProxy(threads: 1)
        proxy.origins = [origin]
        var listener = Listener.test(endpoint, [origin])
        listener.tls = ListenerTLS(certificates: ["/x"])
        for file in bad {
            var planned = PlannedListener(listener)
            planned.tls = PlannedTLS(certificates: [file])
            let result = try proxy.client.apply(proxy.plan([planned]), deadline: TestProxy.soon)
            #expect(result.faults.first?.contains(file.path) == true, "\(result)")
            // The reset may come before the connection is looked at.
            guard let client = try? TestClient(endpoint) else { continue }
            try? client.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
            #expect(client.isClosed())
        }
        #expect(origin.requests == 0)
    }
}

extension String {
    fileprivate func components(before mark: String) -> String {
        guard let range = firstRange(of: mark) else { return self }
        return String(self[..<range.lowerBound])
    }

    fileprivate func components(from mark: String) -> String {
        guard let range = firstRange(of: mark) else { return "" }
        return String(self[range.lowerBound...])
    }
}
