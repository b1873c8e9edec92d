import Balancing
import CLinux
import ClusterModel
import LinuxIO
import ProxyControl
import Synchronization
import Testing

/// Clients and servers that do the wrong thing at random, while plans change: nobody else suffers, nothing leaks.
@Suite
struct ChaosTests {
    @Test
    func `Whatever both sides do, good requests succeed and everything is given back`() throws {
        let origins = try ["s1", "s2", "s3"].map { try Origin($0) }
        let (web, raw, good) = (try TestNet.freeEndpoint(), try TestNet.freeEndpoint(), try TestNet.freeEndpoint())
        let proxy = try TestProxy()
        proxy.origins = origins
        var plan = [
            PlannedListener(
                .test(web, origins) {
                    $0.cookie = CookiePersistence(name: "SRV")
                    $0.timeouts.server = 300
                    $0.timeouts.client = 300
                    $0.timeouts.httpRequest = 300
                }
            ),
            PlannedListener(.test(raw, origins, mode: .tcp) { $0.timeouts.client = 300 }),
            PlannedListener(.test(good, origins) { $0.name = "good" }),
        ]
        try proxy.apply(plan)
        let threads = (0..<4).map { seed in
            TestThread { Vandal(seed: UInt64(seed) + 1).run(web: web, raw: raw, rounds: 60) }
        }
        for round in 0..<30 {
            plan[0].nodes = round % 3 == 1 ? ["s1": .lost] : [:]
            plan[0].listener.servers[1].state = round % 4 == 2 ? .maint : .ready
            plan[2].nodes = plan[0].nodes
            try proxy.apply(plan)
            if round % 5 == 4 { origins[round % 3].closeConnections() }
            // A client that behaves is served whatever goes on; only its server may be cut off under it.
            let status = try TestClient(good).get("/x").status
            #expect([200, 502].contains(status))
        }
        for thread in threads { thread.join() }
        #expect(try TestClient(good).get("/last").status == 200)
        let isIdle = try proxy.eventually { status in
            status.connections == 0 && status.listeners.allSatisfy { $0.servers.allSatisfy { $0.connections == 0 } }
        }
        let left = try proxy.status()
        #expect(isIdle, "\(left)")
        try proxy.apply([])
        #expect(try proxy.eventually { $0.listeners.isEmpty })
    }
}

/// A client that breaks every rule that it can, reproducibly.
private struct Vandal {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

    private mutating func random(_ limit: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(limit))
    }

    private static let paths = [
        "/x", "/big?300000", "/chunked?200000", "/until-close?90000", "/drop", "/cut", "/garbage", "/smuggle", "/early",
        "/continue", "/204", "/hang",
    ]

    func run(web: Endpoint, raw: Endpoint, rounds: Int) {
        var vandal = self
        for _ in 0..<rounds { vandal.round(vandal.random(4) == 0 ? raw : web) }
    }

    private mutating func round(_ endpoint: Endpoint) {
        guard let client = try? TestClient(endpoint) else { return }
        let path = Self.paths[random(Self.paths.count)]
        let size = random(100_000)
        let requests = [
            "GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: \(size)\r\n\r\n",
            "PUT \(path) HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nCookie: SRV=s1\r\n\r\n5\r\nhello\r\n",
            "GET \(path) HTTP/1.0\r\n\r\n", "GARBAGE\r\n\r\n",
        ]
        for _ in 0...random(3) {
            var bytes = Array(requests[random(requests.count)].utf8)
            if random(2) == 0 { bytes += [UInt8](repeating: 0x30, count: random(size + 1)) }
            if random(4) == 0 { bytes.removeLast(random(bytes.count)) }
            try? client.send(bytes)
        }
        switch random(4) {
        case 0: break
        case 1: client.finish()
        case 2: haven_reset_on_close(client.number)
        default: _ = try? client.read(1 + random(50_000))
        }
        if random(3) == 0 {
            client.finish()
            _ = try? client.readAll()
        }
    }
}
