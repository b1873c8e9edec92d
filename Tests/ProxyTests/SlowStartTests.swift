import Balancing
import ClusterModel
import LinuxIO
import ProxyControl
import Testing

/// `slowstart`: how a server's share grows after it came up again.
@Suite
struct SlowStartTests {
    private let origins: [Origin]
    private let proxy: TestProxy
    private let endpoint: Endpoint

    init() throws {
        origins = [try Origin("s1"), try Origin("s2")]
        endpoint = try TestNet.freeEndpoint()
        proxy = try TestProxy(threads: 1)
        proxy.origins = origins
    }

    private func planned(_ time: Milliseconds, _ balance: BalanceAlgorithm = .roundRobin) -> PlannedListener {
        PlannedListener(
            .test(endpoint, origins) {
                $0.balance = balance
                $0.httpCheck = HTTPCheck(method: "GET", uri: "/health", expectStatus: [StatusRange(200, 200)])
                for index in 0..<2 {
                    $0.servers[index].check = ServerCheck()
                    $0.servers[index].check?.inter = 10
                    $0.servers[index].check?.rise = 1
                    $0.servers[index].slowStart = time
                }
            }
        )
    }

    /// How many of so many new clients the first server gets.
    private func share(_ clients: Int) throws -> Int {
        var count = 0
        for _ in 0..<clients {
            if try TestClient(endpoint).get("/x")["x-server"] == "s1" { count += 1 }
        }
        return count
    }

    private func failAndRecover() throws {
        origins[0].setHealthy(false)
        #expect(try proxy.eventually { $0.listeners[0].servers[0].status == .down })
        #expect(try share(4) == 0)
        origins[0].setHealthy(true)
        #expect(try proxy.eventually { $0.listeners[0].servers[0].status == .up })
    }

    @Test
    func `A server that comes up again starts with a sixteenth, and nobody does at the start`() throws {
        // Long enough to stay at the first step however slow the machine is.
        try proxy.apply([planned(3_600_000)])
        #expect(try share(8) == 4)
        try failAndRecover()
        #expect(try share(34) == 2)
        try proxy.apply([planned(3_600_000)])
        #expect(try share(34) == 2)
    }

    @Test
    func `The share grows to the whole weight`() throws {
        try proxy.apply([planned(400)])
        try failAndRecover()
        let end = TestProxy.soon
        while try share(16) != 8 { try #require(Clock.monotonic() < end) }
    }

    @Test
    func `A server that comes out of maintenance starts slowly too, out of a drain it does not`() throws {
        try proxy.apply([planned(3_600_000)])
        for (state, expected) in [(ServerAdminState.drain, 17), (.maint, 2)] {
            var changed = planned(3_600_000)
            changed.listener.servers[0].state = state
            try proxy.apply([changed])
            #expect(try share(4) == 0)
            try proxy.apply([planned(3_600_000)])
            #expect(try share(34) == expected, "\(state)")
        }
    }

    @Test
    func `A client's hash does not move it away from other servers meanwhile`() throws {
        var listener = planned(3_600_000, .uri)
        listener.listener.hashType = .consistent
        try proxy.apply([listener])
        var before: [Int: String] = [:]
        for number in 0..<40 { before[number] = try TestClient(endpoint).get("/\(number)")["x-server"] }
        try failAndRecover()
        for number in 0..<40 where before[number] == "s2" {
            #expect(try TestClient(endpoint).get("/\(number)")["x-server"] == "s2")
        }
    }
}
