import Balancing
import CLinux
import ClusterModel
import LinuxIO
import ProxyControl
import Synchronization
import Testing

/// Plans, health, leases and what the cluster knows, while connections live.
@Suite
struct ChangeTests {
    @Test
    func `Nothing is dropped while everything changes`() throws {
        let origins = try ["s1", "s2", "s3"].map { try Origin($0) }
        let endpoint = try TestNet.freeEndpoint()
        let spare = try TestNet.freeEndpoint()
        let proxy = try TestProxy()
        proxy.origins = origins
        try proxy.apply([PlannedListener(.test(endpoint, origins))])
        let load = Load()
        let threads = (0..<3).map { _ in TestThread { load.run(endpoint) } }
        for round in 0..<40 {
            let chosen = round % 4 == 3 ? Array(origins[1...]) : origins
            var listener = Listener.test(endpoint, chosen) {
                // One server serves always.
                if chosen.count == 3 {
                    $0.servers[0].weight = round % 5
                    $0.servers[1].state = round % 3 == 0 ? .maint : round % 3 == 1 ? .drain : .ready
                }
                if round % 2 == 0 { $0.cookie = CookiePersistence(name: "C\(round)") }
            }
            if round % 7 == 0 { listener.binds.append(spare) }
            try proxy.apply([PlannedListener(listener)])
        }
        #expect(try proxy.eventually { _ in load.successes > 100 || !load.failures.isEmpty })
        load.stop()
        for thread in threads { thread.join() }
        #expect(load.failures.isEmpty, "\(load.failures)")
        #expect(try proxy.status().generation == 41)
    }

    @Test
    func `A removed listener ends, a new one starts, others go on`() throws {
        let origin = try Origin("s1")
        let (one, two) = (try TestNet.freeEndpoint(), try TestNet.freeEndpoint())
        let proxy = try TestProxy()
        proxy.origins = [origin]
        let first = PlannedListener(.test(one, [origin]))
        let second = PlannedListener(.test(two, [origin]) { $0.name = "other" })
        try proxy.apply([first])
        let kept = try TestClient(one)
        #expect(try kept.get("/").status == 200)
        try proxy.apply([first, second])
        let moving = try TestClient(two)
        #expect(try moving.get("/").status == 200)
        try proxy.apply([first])
        #expect(moving.isClosed())
        #expect(throws: TestClient.Failure.self) { try TestClient(two) }
        #expect(try kept.get("/").status == 200)
        #expect(try proxy.listener().requests == 2)
    }

    @Test
    func `Checks decide who serves, and survive a change`() throws {
        let origins = try ["s1", "s2"].map { try Origin($0) }
        let endpoint = try TestNet.freeEndpoint()
        let proxy = try TestProxy()
        proxy.origins = origins
        func plan(_ weight: Int) -> PlannedListener {
            PlannedListener(
                .test(endpoint, origins) {
                    $0.httpCheck = HTTPCheck(
                        method: "GET",
                        uri: "/health",
                        host: "h",
                        expectStatus: [StatusRange(200, 200)]
                    )
                    for index in $0.servers.indices {
                        $0.servers[index].check = ServerCheck()
                        $0.servers[index].check?.inter = 20
                        $0.servers[index].weight = weight
                    }
                }
            )
        }
        try proxy.apply([plan(1)])
        #expect(try proxy.eventually { $0.listeners[0].servers[1].lastCheck?.result == .passed })
        origins[0].setHealthy(false)
        #expect(try proxy.eventually { $0.listeners[0].servers[0].status == .down })
        let report = try #require(try proxy.listener().servers[0].lastCheck)
        #expect(report.result == .wrongStatus && report.httpStatus == 500)
        try proxy.apply([plan(2)])
        #expect(try proxy.listener().servers[0].status == .down)
        for _ in 0..<4 { #expect(try TestClient(endpoint).get("/")["x-server"] == "s2") }
        origins[0].setHealthy(true)
        #expect(try proxy.eventually { $0.listeners[0].servers[0].status == .up })
        origins[1].stop()
        #expect(try proxy.eventually { $0.listeners[0].servers[1].lastCheck?.result == .refused })
        #expect(try proxy.eventually { $0.listeners[0].servers[1].status == .down })
    }

    @Test
    func `A server on a lost node is left at once, and its requests go elsewhere`() throws {
        let origins = try ["s1", "s2"].map { try Origin($0) }
        let endpoint = try TestNet.freeEndpoint()
        let proxy = try TestProxy(threads: 1)
        proxy.origins = origins
        var planned = PlannedListener(.test(endpoint, origins) { $0.cookie = CookiePersistence(name: "SRV") })
        try proxy.apply([planned])
        let hanging = try TestClient(endpoint)
        try hanging.send("GET /hang HTTP/1.1\r\nHost: a\r\nCookie: SRV=s1\r\n\r\n")
        let posting = try TestClient(endpoint)
        try posting.send("POST /hang HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nCookie: SRV=s1\r\n\r\n")
        #expect(try proxy.eventually { $0.listeners[0].servers[0].requests == 2 })
        planned.nodes = ["s1": .lost]
        try proxy.apply([planned])
        // What may be sent twice is with the other server now; what may not has failed.
        #expect(try posting.response().status == 502)
        #expect(try proxy.eventually { $0.listeners[0].servers[1].requests == 1 })
        let moved = try TestClient(endpoint).get("/x", "Cookie: SRV=s1\r\n")
        #expect(moved["x-server"] == "s2" && moved["set-cookie"] == "SRV=s2; path=/")
        let listener = try proxy.listener()
        #expect(listener.servers[0].status == .down && listener.servers[0].node == .lost)
        #expect(listener.servers[0].idleConnections == 0)
    }

    @Test
    func `Standby drains, and availability brings back`() throws {
        let origins = try ["s1", "s2"].map { try Origin($0) }
        let endpoint = try TestNet.freeEndpoint()
        let proxy = try TestProxy(threads: 1)
        proxy.origins = origins
        var planned = PlannedListener(.test(endpoint, origins), nodes: ["s1": .standby])
        try proxy.apply([planned])
        for _ in 0..<3 { #expect(try TestClient(endpoint).get("/")["x-server"] == "s2") }
        #expect(try proxy.listener().servers[0].status == .drain)
        planned.nodes = [:]
        try proxy.apply([planned])
        let both = try Set((0..<2).map { _ in try TestClient(endpoint).get("/")["x-server"] })
        #expect(both == ["s1", "s2"])
    }

    @Test
    func `Without its lease a node is silent on virtual addresses, and only there`() throws {
        let origin = try Origin("s1")
        let (own, virtual) = (try TestNet.freeEndpoint(), try TestNet.freeEndpoint())
        let proxy = try TestProxy(withLease: true)
        proxy.origins = [origin]
        let listener = Listener.test(own, [origin]) { $0.binds.append(virtual) }
        try proxy.apply([PlannedListener(listener, virtualBinds: [virtual])])
        let kept = try TestClient(own)
        let cut = try TestClient(virtual)
        let idle = try TestClient(virtual)
        #expect(try kept.get("/").status == 200)
        #expect(try cut.get("/").status == 200)
        proxy.lease?.end = nil
        #expect(cut.isClosed() && idle.isClosed())
        #expect(try kept.get("/").status == 200)
        // The kernel completes handshakes by itself; no byte is answered.
        let late = try? TestClient(virtual)
        #expect(late?.isClosed() ?? true)
        #expect(try !proxy.status().holdsLease)
        proxy.lease?.end = Clock.monotonic() + .seconds(3600)
        #expect(try proxy.status().holdsLease)
        #expect(try TestClient(virtual).get("/").status == 200)
        proxy.lease?.end = Clock.monotonic() + .milliseconds(50)
        // The reset may come before the client has looked at its connection.
        let ending = try? TestClient(virtual)
        #expect(ending?.isClosed() ?? true)
    }
}

/// Clients that ask all the time, each on connections that it keeps for a while.
final class Load: Sendable {
    private let stopped = Atomic<Bool>(false)
    private let counts = Mutex<(successes: Int, failures: [String])>((0, []))

    var successes: Int { counts.withLock { $0.successes } }
    var failures: [String] { counts.withLock { $0.failures } }

    func stop() { stopped.store(true, ordering: .relaxed) }

    func run(_ endpoint: Endpoint) {
        while !stopped.load(ordering: .relaxed) {
            do {
                let client = try TestClient(endpoint)
                for size in [0, 10, 70_000] {
                    let response = try client.get("/big?\(size)")
                    let isRight = response.status == 200 && response.body == Origin.pattern(size)
                    counts.withLock {
                        if isRight { $0.successes += 1 } else { $0.failures.append("status \(response.status)") }
                    }
                }
            } catch {
                counts.withLock { $0.failures.append("\(error)") }
            }
        }
    }
}
