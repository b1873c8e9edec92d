import Balancing
import ClusterModel
import LinuxIO
import ProxyControl
import Testing

/// What the measured table does not say about cookies, on real connections.
@Suite
struct CookieModeTests {
    private struct Setup {
        let proxy: TestProxy
        let origins: [Origin]
        let endpoint: Endpoint

        init(
            _ cookie: (inout CookiePersistence) -> Void = { _ in },
            listener change: (inout Listener) -> Void = { _ in }
        ) throws {
            origins = [try Origin("A"), try Origin("B")]
            endpoint = try TestNet.freeEndpoint()
            proxy = try TestProxy(threads: 1)
            proxy.origins = origins
            var persistence = CookiePersistence(name: "SRV")
            cookie(&persistence)
            let listener = Listener.test(endpoint, origins) {
                $0.cookie = persistence
                change(&$0)
            }
            try proxy.apply([PlannedListener(listener)])
        }

        func get(_ cookie: String?, _ fields: String = "") throws -> TestResponse {
            try TestClient(endpoint).get("/x", (cookie.map { "Cookie: \($0)\r\n" } ?? "") + fields)
        }
    }

    @Test
    func `The first cookie that names a server which can be used counts`() throws {
        let setup = try Setup(listener: { $0.servers[0].state = .maint })
        let later = try setup.get("SRV=Z; SRV=A; SRV=B")
        #expect(later["x-server"] == "B" && later["set-cookie"] == nil && !later.text.contains("Cookie"))
        let none = try setup.get("SRV=Z; SRV=A")
        #expect(none["set-cookie"] == "SRV=B; path=/")
        #expect(try setup.proxy.listener().picks == ["cookie": 1, "cookieServerDown": 1])
    }

    @Test
    func `In mode prefix servers see the application's value, whoever the cookie names`() throws {
        let setup = try Setup {
            $0.mode = .prefix
            $0.indirect = false
            $0.noCache = false
        }
        let known = try setup.get("x=1; SRV=B~orig; y=2")
        #expect(known["x-server"] == "B" && known.text.contains("Cookie: x=1; SRV=orig; y=2\r\n"))
        #expect(try setup.get("SRV=Z~orig").text.contains("Cookie: SRV=orig\r\n"))
        let bare = try setup.get("SRV=B")
        #expect(bare["x-server"] == "B" && bare.text.contains("Cookie: SRV=B\r\n"))
        let set = "X-Set: Set-Cookie: SRV=1; Path=/\r\nX-Set: Set-Cookie: O=2\r\n"
        #expect(try setup.get("SRV=B~0", set).all("set-cookie") == ["SRV=B~1; Path=/", "O=2"])
    }

    @Test
    func `The cookie that ends a binding has the attributes that it had, and no date`() throws {
        let setup = try Setup(
            {
                $0.httpOnly = true
                $0.secure = true
                $0.maxIdle = 1_800_000
                $0.domains = [".ex.test"]
                $0.attributes = ["SameSite=Lax"]
            },
            listener: {
                for index in 0..<2 { $0.servers[index].cookie = nil }
            }
        )
        let ended =
            "SRV=; Expires=Thu, 01-Jan-1970 00:00:01 GMT; path=/; domain=.ex.test; HttpOnly; Secure; SameSite=Lax"
        #expect(try setup.get(nil)["set-cookie"] == ended)
        #expect(try setup.get("SRV=A")["set-cookie"] == ended)
    }

    @Test
    func `A listener without limits takes the dates off a cookie that has some`() throws {
        let setup = try Setup { _ in }
        let dated = try setup.get("SRV=A|awMEk|awMEk")
        #expect(dated["x-server"] == "A" && dated["set-cookie"] == "SRV=A; path=/")
        let odd = try setup.get("SRV=A|x")
        #expect(odd["x-server"] == "A" && odd["set-cookie"] == nil)
        let letters = try setup.proxy.exchanges(2).map { "\($0.clientCookie.letter)\($0.serverCookie.letter)" }
        #expect(letters == ["VU", "VN"])
    }

    @Test
    func `With maxidle alone a cookie says only when its client was seen last`() throws {
        let setup = try Setup { $0.maxIdle = 1_800_000 }
        let set = try #require(try setup.get("SRV=A")["set-cookie"])
        #expect(set.wholeMatch(of: /SRV=A\|[A-Za-z0-9+\/]{5}; path=[\/]/) != nil, "\(set)")
        let value = String(set.prefix { $0 != ";" })
        #expect(try setup.get(value)["x-server"] == "A")
        let tooOld = try setup.get("SRV=A|awMEk")
        #expect(tooOld["set-cookie"] != nil)
        #expect(try setup.proxy.exchanges(3).last?.pick == .cookieExpired)
    }

    @Test
    func `Computed cookies are the same at every node that has the key`() throws {
        let key = Secret("00112233445566778899aabbccddeeff")
        let one = try Setup(
            {
                $0.dynamic = true
                $0.dynamicKey = key
            },
            listener: {
                for index in 0..<2 { $0.servers[index].cookie = nil }
            }
        )
        let first = try one.get(nil)
        let cookie = try #require(first["set-cookie"]?.prefix { $0 != ";" })
        #expect(cookie.wholeMatch(of: /SRV=[0-9a-f]{16}/) != nil)
        // Another node: other sockets, the same servers.
        let endpoint = try TestNet.freeEndpoint()
        let other = try TestProxy(threads: 1)
        func plan(_ key: Secret) -> PlannedListener {
            PlannedListener(
                .test(endpoint, one.origins) {
                    var persistence = CookiePersistence(name: "SRV")
                    (persistence.dynamic, persistence.dynamicKey) = (true, key)
                    $0.cookie = persistence
                    $0.servers[0].cookie = nil
                    $0.servers[1].cookie = "own"
                    $0.servers.reverse()
                }
            )
        }
        try other.apply([plan(key)])
        let own = try TestClient(endpoint).get("/x", "Cookie: SRV=own\r\n")
        #expect(own["x-server"] == "B" && own["set-cookie"] == nil)
        let isFirst = first["x-server"] == "A"
        let again = try TestClient(endpoint).get("/x", "Cookie: \(cookie)\r\n")
        #expect((again["x-server"] == "A" && again["set-cookie"] == nil) == isFirst)
        try other.apply([plan(Secret("ffffffffffffffffffffffffffffffff"))])
        #expect(try TestClient(endpoint).get("/x", "Cookie: \(cookie)\r\n")["set-cookie"] != nil)
    }

    @Test
    func `A response that our values make too long is answered with 502, and the next one is served`() throws {
        let long = String(repeating: "v", count: 500)
        let setup = try Setup(
            {
                $0.mode = .prefix
                $0.indirect = false
            },
            listener: {
                for index in 0..<2 { $0.servers[index].cookie = "\(long)\(index)" }
            }
        )
        let client = try TestClient(setup.endpoint)
        let line = "X-Set: Set-Cookie: SRV=1\r\n"
        #expect(try client.get("/x", String(repeating: line, count: 90))["x-haven-reason"] == "bad-response")
        #expect(try client.get("/x", line).all("set-cookie").count == 1)
    }

    @Test
    func `With persist a client whose server is lost with its node goes elsewhere`() throws {
        let origins = [try Origin("A"), try Origin("B")]
        let endpoint = try TestNet.freeEndpoint()
        let proxy = try TestProxy(threads: 1)
        proxy.origins = origins
        let listener = Listener.test(endpoint, origins) {
            $0.cookie = CookiePersistence(name: "SRV")
            $0.persist = true
        }
        try proxy.apply([PlannedListener(listener, nodes: ["A": .lost])])
        #expect(try TestClient(endpoint).get("/x", "Cookie: SRV=A\r\n")["set-cookie"] == "SRV=B; path=/")
    }
}
