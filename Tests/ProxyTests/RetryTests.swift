import Balancing
import CLinux
import ClusterModel
import LinuxIO
import ProxyControl
import Testing

/// `retry-on`, on real connections: after what a request is sent again, and when it is not.
@Suite
struct RetryTests {
    private struct Setup {
        let proxy: TestProxy
        let origins: [Origin]
        let endpoint: Endpoint

        init(_ change: (inout Listener) -> Void) throws {
            origins = [try Origin("s1"), try Origin("s2")]
            endpoint = try TestNet.freeEndpoint()
            proxy = try TestProxy(threads: 1)
            proxy.origins = origins
            let listener = Listener.test(endpoint, origins) {
                $0.timeouts.server = 150
                change(&$0)
            }
            try proxy.apply([PlannedListener(listener)])
        }

        func ask(_ method: String, _ order: String, body: Int = 0) throws -> TestResponse {
            let client = try TestClient(endpoint)
            let head = "\(method) /x HTTP/1.1\r\nHost: a\r\nX-At: \(order)\r\nContent-Length: \(body)\r\n\r\n"
            try client.send(Array(head.utf8) + Origin.pattern(body))
            return try client.response(toHead: method == "HEAD")
        }
    }

    @Test(arguments: [
        ("drop", RetryWord.emptyResponse, 502), ("garbage", .junkResponse, 502), ("hang", .responseTimeout, 504),
        ("503", .status503, 503), ("500", .status500, 500), ("425", .status425, 425), ("404", .status404, 404),
    ])
    func `A request is sent again after what is named, and after nothing else`(
        what: String,
        word: RetryWord,
        status: Int
    ) throws {
        let retrying = try Setup { $0.retryOn = [word] }
        #expect(try retrying.ask("GET", "s1 \(what)")["x-server"] == "s2")
        let listener = try retrying.proxy.listener()
        #expect(listener.picks == ["balance": 1, "redispatch": 1] && listener.answers.isEmpty)
        let exchange = try #require(try retrying.proxy.exchanges(1).first)
        #expect(exchange.retries == 1 && exchange.isRedispatched && exchange.server == "s2" && exchange.status == 200)
        let other = RetryWord.allCases.filter { $0 != word && $0 != .connectionFailure }
        for words in [nil, other] {
            let telling = try Setup { $0.retryOn = words }
            #expect(try telling.ask("GET", "s1 \(what)").status == status, "\(word)")
            #expect(telling.origins[1].requests == 0)
        }
    }

    @Test
    func `A method that may do twice what it does is sent again only where that is wanted`() throws {
        let careful = try Setup { $0.retryOn = [.status503, .emptyResponse] }
        #expect(try careful.ask("POST", "s1 503", body: 10).status == 503)
        #expect(try careful.ask("PATCH", "s2 drop", body: 10).status == 502)
        #expect(careful.origins.map(\.requests) == [1, 1])
        #expect(try careful.ask("PUT", "s1 503", body: 10)["x-server"] == "s2")
        let asked = try Setup { $0.retryOn = [.status503, .nonIdempotent] }
        let response = try asked.ask("POST", "s1 503", body: 1000)
        #expect(response["x-server"] == "s2" && response.body.suffix(1000) == Origin.pattern(1000)[...])
    }

    @Test
    func `A request whose body is not all held is never sent again`() throws {
        let setup = try Setup { $0.retryOn = RetryWord.allCases }
        #expect(try setup.ask("PUT", "s1 503", body: 200_000).status == 503)
        #expect(setup.origins[1].requests == 0)
    }

    @Test
    func `When all retries are used up, the client gets the last answer`() throws {
        let setup = try Setup {
            $0.retryOn = [.status503]
            $0.retries = 3
        }
        let client = try TestClient(setup.endpoint)
        let response = try client.get("/x", "X-At: s1 503\r\nX-At: s2 503\r\n")
        #expect(response.status == 503 && response["x-server"] != nil && response["x-haven-reason"] == nil)
        #expect(setup.origins.reduce(0) { $0 + $1.requests } == 4)
        #expect(try client.get("/y").status == 200)
    }

    @Test
    func `A cookie's server is asked again until the last retry`() throws {
        let setup = try Setup {
            $0.cookie = CookiePersistence(name: "SRV")
            $0.retryOn = [.status503]
            $0.retries = 2
        }
        let moved = try TestClient(setup.endpoint).get("/x", "Cookie: SRV=s1\r\nX-At: s1 503\r\n")
        #expect(moved["x-server"] == "s2" && moved["set-cookie"] == "SRV=s2; path=/")
        #expect(setup.origins.map(\.requests) == [2, 1])
        let exchange = try #require(try setup.proxy.exchanges(1).first)
        #expect(exchange.clientCookie == .down && exchange.serverCookie == .inserted && exchange.retries == 2)
    }

    @Test
    func `Without conn-failure a refused connection is told at once`() throws {
        let setup = try Setup { $0.retryOn = [.status503] }
        setup.origins[0].stop()
        #expect(try setup.ask("GET", "s2 200")["x-haven-reason"] == "connect-failed")
        #expect(try setup.proxy.listener().servers[0].connectFailures == 1)
    }
}

/// `http-reuse`: which open connections requests are sent on.
@Suite
struct ReuseTests {
    private let origin: Origin
    private let proxy: TestProxy
    private let endpoint: Endpoint

    init() throws {
        origin = try Origin("s1")
        endpoint = try TestNet.freeEndpoint()
        proxy = try TestProxy(threads: 1)
        proxy.origins = [origin]
    }

    /// How many connections the server has got after each of the requests of these clients, who stay connected.
    private func connections(_ mode: ReuseMode?, _ clients: [Int]) throws -> [Int] {
        try proxy.apply([PlannedListener(.test(endpoint, [origin]) { $0.reuse = mode })])
        var open: [Int: TestClient] = [:]
        var counts: [Int] = []
        for number in clients {
            let client = try open[number] ?? TestClient(endpoint)
            open[number] = client
            #expect(try client.get("/x").status == 200)
            counts.append(origin.connections)
        }
        return counts
    }

    @Test
    func `By default and with always every open connection is used`() throws {
        #expect(try connections(nil, [1, 2, 1, 3]) == [1, 1, 1, 1])
        #expect(try connections(.always, [1, 2]) == [1, 1])
    }

    @Test
    func `With safe a client's first request gets a new connection`() throws {
        #expect(try connections(.safe, [1, 2, 1, 2, 3]) == [1, 2, 2, 2, 3])
    }

    @Test
    func `With aggressive a client's first request takes one that has served several`() throws {
        #expect(try connections(.aggressive, [1, 2, 2, 3]) == [1, 2, 2, 2])
    }

    @Test
    func `With never each client has a connection of its own, which ends with it`() throws {
        #expect(try connections(.never, [1, 2, 1, 2, 1]) == [1, 2, 2, 2, 2])
        #expect(try proxy.eventually { $0.listeners[0].servers[0].idleConnections == 0 && $0.connections == 0 })
        #expect(try proxy.listener().servers[0].connections == 0)
    }

    @Test
    func `The mode may change between two requests of a client`() throws {
        let client = try { () throws -> TestClient in
            _ = try connections(.never, [1])
            return try TestClient(endpoint)
        }()
        for mode in [ReuseMode.never, .always, .never, .never, .always, .safe, .never, .always] {
            try proxy.apply([PlannedListener(.test(endpoint, [origin]) { $0.reuse = mode })])
            for _ in 0..<2 { #expect(try client.get("/x").status == 200) }
        }
        // What was its own alone and what anybody may have are both accounted for.
        #expect(try proxy.eventually { $0.listeners[0].servers[0].connections == 0 })
        #expect(try proxy.listener().servers[0].idleConnections <= origin.connections)
    }

    @Test
    func `With never a server may close its connection between two requests`() throws {
        try proxy.apply([PlannedListener(.test(endpoint, [origin]) { $0.reuse = .never })])
        let client = try TestClient(endpoint)
        for _ in 0..<3 {
            #expect(try client.get("/x").status == 200)
            origin.closeConnections()
            try client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
            #expect(try client.response().status == 200)
        }
        #expect(origin.connections >= 4)
    }
}
