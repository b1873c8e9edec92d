import CLinux
import ClusterModel
import LinuxIO
import ProxyControl
import Testing

/// Encrypted connections to servers: a listener that encrypts stands behind one that does not.
@Suite
struct ServerTLSTests {
    private let authority: TestAuthority
    private let proxies = ProxyKeeper()

    init() throws { authority = try TestAuthority() }

    private func start(
        _ settings: ServerTLS,
        _ files: PlannedServerTLS,
        mode: ListenerMode = .http,
        back change: (inout PlannedListener) -> Void = { _ in }
    ) throws -> (proxy: TestProxy, endpoint: Endpoint) {
        let origin = try Origin("s1")
        let (front, behind) = (try TestNet.freeEndpoint(), try TestNet.freeEndpoint())
        let proxy = try TestProxy(threads: 1)
        proxy.origins = [origin]
        proxies.keep(proxy)
        var back = PlannedListener(.test(behind, [origin]) { $0.name = "back" })
        back.listener.tls = ListenerTLS(certificates: ["/back.pem"])
        back.tls = PlannedTLS(certificates: [try authority.certificate("back.test", "*.wild.test")])
        change(&back)
        var listener = Listener.test(front, [], mode: mode)
        listener.retries = 1
        listener.redispatch = false
        listener.timeouts.connect = 1000
        var server = Server(name: "back", endpoint: behind)
        server.tls = settings
        listener.servers = [server]
        var planned = PlannedListener(listener)
        planned.serverTLS = ["back": files]
        try proxy.apply([planned, back])
        return (proxy, front)
    }

    private func named(_ name: String?, host: String? = nil) -> ServerTLS {
        var settings = ServerTLS()
        settings.serverName = name
        settings.verifiedHost = host
        return settings
    }

    @Test
    func `Requests of all sizes pass over connections that are kept`() throws {
        let (proxy, endpoint) = try start(named("back.test"), PlannedServerTLS(authority: authority.own))
        let client = try TestClient(endpoint)
        for size in [0, 1, 16_384, 100_000, 2_000_000] {
            for path in ["/big?\(size)", "/chunked?\(size)"] {
                let response = try client.get(path)
                #expect(response.status == 200 && response.body == Origin.pattern(size), "\(path)")
            }
            try client.send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: \(size)\r\n\r\n")
            try client.send(Origin.pattern(size))
            #expect(try client.response().body.suffix(size) == Origin.pattern(size)[...])
        }
        // All of it went over one connection.
        let status = try proxy.listener("back")
        #expect(status.accepted == 1 && status.requests == 15)
        #expect(try client.get("/until-close?70000").body == Origin.pattern(70_000))
    }

    @Test(
        arguments: [
            ("back.test", nil, true), ("x.wild.test", nil, true), ("nobody.test", "back.test", true),
            (nil, "back.test", true), ("other.test", nil, false), ("back.test", "other.test", false),
        ] as [(String?, String?, Bool)]
    )
    func `A server must bear the name that is asked for`(name: String?, host: String?, passes: Bool) throws {
        let (proxy, endpoint) = try start(named(name, host: host), PlannedServerTLS(authority: authority.own))
        let response = try TestClient(endpoint).get("/")
        #expect(response.status == (passes ? 200 : 503))
        guard !passes else { return }
        #expect(response["x-haven-reason"] == "connect-failed")
        #expect(try proxy.listener().servers[0].handshakeFailures == 2)
    }

    @Test
    func `A server that another authority has certified is believed only where nothing is verified`() throws {
        let others = try TestAuthority()
        let (_, endpoint) = try start(named("back.test"), PlannedServerTLS(authority: others.own))
        #expect(try TestClient(endpoint).get("/").status == 503)
        var careless = named("back.test")
        careless.isVerified = false
        let (_, open) = try start(careless, PlannedServerTLS())
        #expect(try TestClient(open).get("/").status == 200)
    }

    @Test
    func `A certificate is shown to a server that wants one`() throws {
        let own = try authority.certificate("proxy.test")
        let authority = try authority.own
        let wants: (inout PlannedListener) -> Void = { back in
            back.listener.tls?.verify = .required
            back.listener.tls?.authority = authority.path
            back.tls?.authority = authority
        }
        let files = PlannedServerTLS(authority: authority, certificate: own)
        let (_, endpoint) = try start(named("back.test"), files, back: wants)
        #expect(try TestClient(endpoint).get("/").status == 200)
        let (_, bare) = try start(named("back.test"), PlannedServerTLS(authority: authority), back: wants)
        #expect(try TestClient(bare).get("/").status != 200)
    }

    @Test
    func `A server that speaks in clear text, or says nothing, is none`() throws {
        let origin = try Origin("plain")
        let (silent, quiet) = try TestNet.listenAlone()
        defer { _ = haven_close(silent) }
        let endpoint = try TestNet.freeEndpoint()
        let proxy = try TestProxy(threads: 1)
        proxy.origins = [origin]
        for target in [origin.endpoint, quiet] {
            var listener = Listener.test(endpoint, [])
            listener.retries = 0
            listener.timeouts.connect = 200
            var server = Server(name: "s", endpoint: target)
            server.tls = ServerTLS()
            server.tls?.serverName = "a.test"
            listener.servers = [server]
            var planned = PlannedListener(listener)
            planned.serverTLS = ["s": PlannedServerTLS(authority: try authority.own)]
            try proxy.apply([planned])
            #expect(try TestClient(endpoint).get("/").status == 503)
        }
        #expect(origin.requests == 0)
    }

    @Test
    func `A stream to an encrypting server passes both ways, and its end too`() throws {
        let (_, endpoint) = try start(named("back.test"), PlannedServerTLS(authority: authority.own), mode: .tcp)
        let client = try TestClient(endpoint)
        #expect(try client.get("/big?500000").body == Origin.pattern(500_000))
        #expect(try client.get("/until-close?70000").body == Origin.pattern(70_000))
        #expect(client.isClosed())
    }

    @Test
    func `A response that ends with its connection is cut if the connection was`() throws {
        // The origin of the middle listener hangs up in a body of known length, so that one resets its connection.
        let (_, endpoint) = try start(named("back.test"), PlannedServerTLS(authority: authority.own))
        let client = try TestClient(endpoint)
        #expect(throws: (any Error).self) { try client.get("/cut") }
    }

    @Test
    func `What cannot be used is named, and the server not reached without it`() throws {
        var settings = named("back.test")
        settings.authority = "/gone.pem"
        let origin = try Origin("s1")
        let proxy = try TestProxy(threads: 1)
        proxy.origins = [origin]
        let endpoint = try TestNet.freeEndpoint()
        var listener = Listener.test(endpoint, [origin]) { $0.retries = 0 }
        listener.servers[0].tls = settings
        var planned = PlannedListener(listener)
        planned.serverTLS = [
            "s1": PlannedServerTLS(authority: PlannedFile(path: "/gone.pem", fault: "there is no such file"))
        ]
        let result = try proxy.client.apply(proxy.plan([planned]), deadline: TestProxy.soon)
        #expect(result.faults == ["server web/s1 is not reached: /gone.pem: there is no such file"])
        #expect(try TestClient(endpoint).get("/").status == 503)
        #expect(origin.requests == 0)
    }
}
