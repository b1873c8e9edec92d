import Balancing
import CLinux
import ClusterModel
import LinuxIO
import ProxyControl
import Testing

/// What the proxy tells about its latest exchanges.
@Suite
struct ExchangeTests {
    private struct Setup {
        let proxy: TestProxy
        let origins: [Origin]
        let web: Endpoint
        let raw: Endpoint

        init(threads: Int = 1) throws {
            origins = [try Origin("s1"), try Origin("s2")]
            web = try TestNet.freeEndpoint()
            raw = try TestNet.freeEndpoint()
            proxy = try TestProxy(threads: threads)
            proxy.origins = origins
            try apply()
        }

        func apply(_ change: (inout Listener) -> Void = { _ in }) throws {
            let http = Listener.test(web, origins) {
                $0.cookie = CookiePersistence(name: "SRV")
                $0.timeouts.server = 200
                change(&$0)
            }
            try proxy.apply([PlannedListener(http), PlannedListener(.test(raw, origins, mode: .tcp))])
        }

        func reasons(_ listener: String) throws -> ListenerReasons {
            let report = try proxy.client.exchanges(
                ExchangeQuery(listener: listener, last: 1),
                deadline: TestProxy.soon
            )
            return try #require(report.listeners.first)
        }
    }

    @Test
    func `Each exchange is told with its server, its reason, its cookies and its times`() throws {
        let setup = try Setup()
        let client = try TestClient(setup.web)
        let first = try client.get("/1")
        let server = try #require(first["x-server"])
        _ = try client.get("/2", "Cookie: SRV=\(server)\r\n")
        _ = try client.get("/3", "Cookie: SRV=nobody\r\n")
        _ = try client.get("/hang", "Cookie: SRV=\(server)\r\n")
        let told = try setup.proxy.exchanges(4)
        #expect(told.map(\.pick) == [.noCookie, .cookie, .unknownCookie, .cookie])
        #expect(told.map { "\($0.clientCookie.letter)\($0.serverCookie.letter)" } == ["NI", "VN", "II", "VN"])
        #expect(told.map(\.status) == [200, 200, 200, 504])
        #expect(told.map(\.answer) == [nil, nil, nil, .serverTimeout])
        #expect(told.allSatisfy { $0.listener == "web" && $0.client.hasPrefix("127.0.0.1:") && !$0.isCut })
        #expect(told[1].server == server && told[3].server == server)
        #expect(Set(told.map(\.client)).count == 1)
        let slow = told[3]
        #expect(slow.total >= 150 && slow.answered == nil && (slow.connected ?? -1) >= 0)
        #expect(told[0].answered ?? -1 >= told[0].connected ?? 0 && told[0].total >= told[0].answered ?? 0)
        let reasons = try setup.reasons("web")
        #expect(reasons.clientCookies == ["N": 1, "V": 2, "I": 1] && reasons.serverCookies == ["I": 2, "N": 2])
        let own = try #require(reasons.servers.first { $0.name == server })
        #expect(own.picks["cookie"] == 2 && own.picks["noCookie"] == 1)
    }

    @Test
    func `What was no request, and what ended early, is told too`() throws {
        let setup = try Setup()
        let garbage = try TestClient(setup.web)
        try garbage.send("nonsense\r\n\r\n")
        _ = try garbage.response()
        let refused = try #require(try setup.proxy.exchanges(1).last)
        #expect(refused.answer == .badRequest && refused.status == 400 && refused.pick == nil && refused.server == nil)
        var leaving: TestClient? = try TestClient(setup.web)
        try leaving?.send("GET /hang HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try setup.proxy.eventually { $0.listeners[0].servers.contains { $0.requests == 1 } })
        leaving = nil
        let left = try #require(try setup.proxy.exchanges(2).last)
        #expect(left.pick == .noCookie && left.answered == nil)
        #expect(left.isCut != (left.answer == .serverTimeout))
    }

    @Test
    func `A connection in TCP mode is one exchange`() throws {
        let setup = try Setup()
        var client: TestClient? = try TestClient(setup.raw)
        #expect(try client?.get("/x").status == 200)
        client = nil
        let told = try #require(try setup.proxy.exchanges(1, of: "raw").first)
        #expect(told.listener == "raw" && told.pick == .balance && told.status == 0 && told.server != nil)
        #expect(told.clientCookie == .absent && told.serverCookie == .absent)
    }

    @Test
    func `A connection that found no server in TCP mode is told with the reason`() throws {
        let setup = try Setup()
        for origin in setup.origins { origin.stop() }
        // The reset may come before the connection was even looked at.
        let client = try? TestClient(setup.raw)
        #expect(client?.isClosed() ?? true)
        let told = try #require(try setup.proxy.exchanges(1, of: "raw").first)
        #expect(told.answer == .connectFailed && !told.isCut && told.retries == 3 && told.connected == nil)
    }

    @Test
    func `Exchanges of servers and listeners that are gone are nobody else's`() throws {
        let setup = try Setup()
        let own = try TestClient(setup.web).get("/x")["x-server"]
        _ = try setup.proxy.exchanges(1)
        try setup.apply { listener in listener.servers.removeAll { $0.name == own } }
        let told = try #require(try setup.proxy.exchanges(1).first)
        #expect(told.listener == "web" && told.server == nil && told.pick == .noCookie)
        try setup.proxy.apply([])
        let later = try #require(try setup.proxy.exchanges(1).first)
        #expect(later.listener == nil && later.status == 200)
        let query = ExchangeQuery(listener: "web", last: 9)
        #expect(try setup.proxy.client.exchanges(query, deadline: TestProxy.soon).exchanges.isEmpty)
    }

    @Test
    func `Only the newest are kept, and reading them disturbs nobody`() throws {
        let setup = try Setup(threads: 2)
        let failures = FailureList()
        let asking = TestThread { [web = setup.web] in
            do {
                let client = try TestClient(web)
                for _ in 0..<3000 {
                    let response = try client.get("/x", "Cookie: SRV=s1\r\n")
                    if response["x-server"] != "s1" { failures.add("\(response.status)") }
                }
            } catch { failures.add("\(error)") }
        }
        var seen = 0
        while seen < 1000 {
            let query = ExchangeQuery(listener: nil, last: 5000)
            let told = try setup.proxy.client.exchanges(query, deadline: TestProxy.soon).exchanges
            seen = told.count
            let isWhole = told.allSatisfy {
                $0.server == "s1" && $0.pick == .cookie && $0.status == 200 && $0.client.hasPrefix("127.0.0.1:")
            }
            #expect(isWhole)
            #expect(zip(told, told.dropFirst()).allSatisfy { $0.ago >= $1.ago })
            guard isWhole, failures.all.isEmpty else { break }
            _ = haven_poll_one(-1, 0, 2)
        }
        asking.join()
        #expect(seen == PlanLimits.exchanges)
        #expect(failures.all.isEmpty, "\(failures.all.prefix(3))")
    }
}
