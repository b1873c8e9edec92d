import ClusterModel
import ProxyControl
import Testing

/// `cookie SRV insert indirect nocache` on real connections.
@Suite
struct PersistenceTests {
    private struct Setup {
        let proxy: TestProxy
        let origins: [Origin]
        let endpoint: Endpoint

        init(_ change: (inout Listener) -> Void = { _ in }) throws {
            origins = [try Origin("A"), try Origin("B")]
            endpoint = try TestNet.freeEndpoint()
            proxy = try TestProxy(threads: 1)
            proxy.origins = origins
            try apply(change)
        }

        func apply(_ change: (inout Listener) -> Void) throws {
            try proxy.apply([
                PlannedListener(
                    .test(endpoint, origins) {
                        $0.cookie = CookiePersistence(name: "SRV")
                        change(&$0)
                    }
                )
            ])
        }

        func get(_ cookie: String?) throws -> TestResponse {
            try TestClient(endpoint).get("/x", cookie.map { "Cookie: \($0)\r\n" } ?? "")
        }
    }

    @Test
    func `A new client gets a cookie and comes back to its server`() throws {
        let setup = try Setup()
        let first = try setup.get(nil)
        let server = try #require(first["x-server"])
        #expect(first["set-cookie"] == "SRV=\(server); path=/")
        for _ in 0..<3 {
            let again = try setup.get("SRV=\(server)")
            #expect(again["x-server"] == server && again["set-cookie"] == nil)
            #expect(!again.text.contains("Cookie"))
        }
        #expect(try setup.proxy.listener().picks == ["noCookie": 1, "cookie": 3])
    }

    @Test(arguments: ["SRV=Z", "SRV="])
    func `A cookie that names nobody is replaced`(cookie: String) throws {
        let setup = try Setup()
        let response = try setup.get(cookie)
        #expect(response["set-cookie"] == "SRV=\(response["x-server"] ?? "?"); path=/")
        #expect(try setup.proxy.listener().picks == ["unknownCookie": 1])
    }

    @Test
    func `Other cookies stay, the first of ours counts`() throws {
        let setup = try Setup()
        let mixed = try setup.get("x=1; SRV=B; y=2")
        #expect(mixed["x-server"] == "B" && mixed.text.contains("Cookie: x=1; y=2\r\n"))
        let double = try setup.get("SRV=A; SRV=B")
        #expect(double["x-server"] == "A" && !double.text.contains("Cookie"))
    }

    @Test
    func `The application's own cookie of that name is taken out`() throws {
        let setup = try Setup()
        let response = try TestClient(setup.endpoint).get("/cookie", "Cookie: SRV=A\r\n")
        #expect(response.fields.filter { $0.0 == "set-cookie" }.map(\.1) == ["O=1"])
    }

    @Test(arguments: [ServerAdminState.drain, .ready])
    func `A server in drain or without weight keeps its clients and gets no new ones`(state: ServerAdminState) throws {
        let setup = try Setup()
        try setup.apply {
            $0.servers[0].state = state
            if state == .ready { $0.servers[0].weight = 0 }
        }
        let kept = try setup.get("SRV=A")
        #expect(kept["x-server"] == "A" && kept["set-cookie"] == nil)
        for _ in 0..<4 { #expect(try setup.get(nil)["x-server"] == "B") }
        try setup.apply { for index in 0..<2 { $0.servers[index].state = .drain } }
        #expect(try setup.get("SRV=A")["x-server"] == "A")
        #expect(try setup.get(nil)["x-haven-reason"] == "no-server")
    }

    @Test
    func `Clients of a server in maintenance move, with a new cookie`() throws {
        let setup = try Setup()
        try setup.apply { $0.servers[0].state = .maint }
        let moved = try setup.get("SRV=A")
        #expect(moved["x-server"] == "B" && moved["set-cookie"] == "SRV=B; path=/")
        #expect(try setup.proxy.listener().picks == ["cookieServerDown": 1])
        try setup.apply { for index in 0..<2 { $0.servers[index].state = .maint } }
        #expect(try setup.get("SRV=A").status == 503)
    }

    @Test
    func `A server that refuses is tried again, then its client moves at the last retry`() throws {
        let setup = try Setup {
            $0.retries = 2
            $0.timeouts.connect = 50
        }
        setup.origins[0].stop()
        let moved = try setup.get("SRV=A")
        #expect(moved["x-server"] == "B" && moved["set-cookie"] == "SRV=B; path=/")
        let listener = try setup.proxy.listener()
        #expect(listener.picks == ["cookie": 1, "redispatch": 1])
        #expect(listener.servers[0].connectFailures == 2)
    }

    @Test
    func `A server without a cookie ends the binding`() throws {
        let setup = try Setup { for index in 0..<2 { $0.servers[index].cookie = nil } }
        #expect(try setup.get("SRV=A")["set-cookie"] == "SRV=; Expires=Thu, 01-Jan-1970 00:00:01 GMT; path=/")
    }

    @Test
    func `Weights are kept`() throws {
        let setup = try Setup { $0.servers[0].weight = 3 }
        var picked: [String: Int] = [:]
        for _ in 0..<16 { picked[try setup.get(nil)["x-server"] ?? "?", default: 0] += 1 }
        #expect(picked == ["A": 12, "B": 4])
    }
}
