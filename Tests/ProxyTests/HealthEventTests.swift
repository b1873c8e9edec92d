import Balancing
import CLinux
import ClusterModel
import LinuxIO
import ProxyControl
import Synchronization
import Testing

/// What follows when servers go down and come back, by whatever tells it.
@Suite
struct HealthEventTests {
    /// A server that is checked so rarely that only its first check counts.
    private static func checkedOnce(_ server: inout Server) {
        server.check = ServerCheck()
        server.check?.inter = 3_600_000
    }

    // MARK: Agents

    @Test
    func `What an agent says counts until it says something else`() throws {
        let origins = try ["s1", "s2"].map { try Origin($0) }
        let endpoint = try TestNet.freeEndpoint()
        let agent = try ScriptedServer { $0.send("50%\n") }
        let proxy = try TestProxy(threads: 1)
        proxy.origins = origins
        let plan = PlannedListener(
            .test(endpoint, origins) {
                $0.cookie = CookiePersistence(name: "SRV")
                $0.servers[0].weight = 10
                $0.servers[0].agent = AgentCheck(port: agent.endpoint.port, inter: 20)
            }
        )
        try proxy.apply([plan])
        func server() throws -> ServerReport { try proxy.listener().servers[0] }
        #expect(try proxy.eventually { $0.listeners[0].servers[0].agentText == "50%" })
        #expect(try server().memory?.agent.weightPercent == 50)
        agent.say { $0.send("drain#going home\n") }
        #expect(try proxy.eventually { $0.listeners[0].servers[0].status == .drain })
        #expect(try TestClient(endpoint).get("/")["x-server"] == "s2")
        #expect(try TestClient(endpoint).get("/", "Cookie: SRV=s1\r\n")["x-server"] == "s1")
        agent.say { $0.send("ready down\n") }
        #expect(try proxy.eventually { $0.listeners[0].servers[0].status == .down })
        #expect(try TestClient(endpoint).get("/", "Cookie: SRV=s1\r\n")["x-server"] == "s2")
        agent.say { $0.send("maint\n") }
        #expect(try proxy.eventually { $0.listeners[0].servers[0].status == .maint })
        // Neither a word that it does not know nor its absence changes anything.
        agent.say { $0.send("what\n") }
        let asked = agent.connections
        #expect(try proxy.eventually { _ in agent.connections > asked + 2 })
        #expect(try server().status == .maint)
        agent.say { $0.send("ready up 100%\n") }
        #expect(try proxy.eventually { $0.listeners[0].servers[0].status == .up })
        agent.stop()
        #expect(try server().status == .up)
    }

    // MARK: Observation

    private func observed(
        _ reaction: Observation.Reaction?,
        _ layer: Observation.Layer,
        limit: Int
    ) throws -> (TestProxy, Endpoint, Origin) {
        let origin = try Origin("s1")
        let endpoint = try TestNet.freeEndpoint()
        let proxy = try TestProxy(threads: 2)
        proxy.origins = [origin]
        let plan = PlannedListener(
            .test(endpoint, [origin]) {
                Self.checkedOnce(&$0.servers[0])
                $0.retries = 0
                $0.servers[0].observe = Observation(layer)
                $0.servers[0].observe?.onError = reaction
                $0.servers[0].observe?.errorLimit = limit
            }
        )
        try proxy.apply([plan])
        #expect(try proxy.eventually { $0.listeners[0].servers[0].lastCheck?.result == .connected })
        return (proxy, endpoint, origin)
    }

    @Test
    func `Broken answers in a row mark a server down, and good ones in between do not`() throws {
        let (proxy, endpoint, _) = try observed(.markDown, .layer7, limit: 4)
        for _ in 0..<3 {
            for _ in 0..<3 { #expect(try TestClient(endpoint).get("/garbage").status == 502) }
            #expect(try TestClient(endpoint).get("/").status == 200)
        }
        #expect(try proxy.listener().servers[0].status == .up)
        for path in ["/drop", "/garbage", "/drop", "/garbage"] {
            #expect(try TestClient(endpoint).get(path).status == 502)
        }
        #expect(try proxy.eventually { $0.listeners[0].servers[0].status == .down })
        #expect(try proxy.listener().servers[0].lastCheck?.result == .observed)
        #expect(try TestClient(endpoint).get("/").status == 503)
    }

    @Test(arguments: ["/garbage", "/drop", "/hang", "/refused"])
    func `Whatever goes wrong with a server counts at layer 7`(path: String) throws {
        let origin = try Origin("s1")
        let endpoint = try TestNet.freeEndpoint()
        let proxy = try TestProxy(threads: 2)
        proxy.origins = [origin]
        let plan = PlannedListener(
            .test(endpoint, [origin]) {
                Self.checkedOnce(&$0.servers[0])
                $0.retries = 0
                $0.timeouts.server = 100
                $0.servers[0].observe = Observation(.layer7)
                $0.servers[0].observe?.onError = .markDown
                $0.servers[0].observe?.errorLimit = 2
            }
        )
        try proxy.apply([plan])
        #expect(try proxy.eventually { $0.listeners[0].servers[0].lastCheck?.result == .connected })
        if path == "/refused" { origin.stop() }
        for _ in 0..<2 {
            let status = path == "/refused" ? 503 : path == "/hang" ? 504 : 502
            #expect(try TestClient(endpoint).get(path).status == status)
        }
        #expect(try proxy.eventually { $0.listeners[0].servers[0].status == .down })
        #expect(try proxy.listener().servers[0].lastCheck?.info == "2 errors in a row")
    }

    @Test
    func `A success right after the last error that is too many does not undo it`() throws {
        for _ in 0..<5 {
            let (proxy, endpoint, _) = try observed(.markDown, .layer7, limit: 1)
            let (bad, good) = (try TestClient(endpoint), try TestClient(endpoint))
            try bad.send("GET /garbage HTTP/1.1\r\nHost: a\r\n\r\n")
            try good.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try bad.response().status == 502)
            #expect([200, 502, 503].contains(try good.response().status))
            #expect(try proxy.eventually { $0.listeners[0].servers[0].status == .down })
        }
    }

    @Test
    func `A status of 500 is an error, one that is the client's fault is none`() throws {
        let origin = try ScriptedServer { peer in
            let request = String(decoding: peer.hear(), as: UTF8.self)
            let status = request.split(separator: " ").dropFirst().first.map { $0.dropFirst() } ?? ""
            peer.send("HTTP/1.1 \(status) X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        let endpoint = try TestNet.freeEndpoint()
        let proxy = try TestProxy(threads: 1)
        var listener = Listener(name: "web", binds: [endpoint], mode: .http)
        var server = Server(name: "s1", endpoint: origin.endpoint)
        Self.checkedOnce(&server)
        server.observe = Observation(.layer7)
        server.observe?.errorLimit = 2
        server.observe?.onError = .markDown
        listener.servers = [server]
        try proxy.apply([PlannedListener(listener)])
        #expect(try proxy.eventually { $0.listeners[0].servers[0].lastCheck != nil })
        for status in [404, 501, 505, 500, 200, 503, 404] {
            #expect(try TestClient(endpoint).get("/\(status)").status == status)
        }
        #expect(try proxy.listener().servers[0].status == .up)
        for status in [500, 503] { #expect(try TestClient(endpoint).get("/\(status)").status == status) }
        #expect(try proxy.eventually { $0.listeners[0].servers[0].status == .down })
    }

    @Test
    func `Connections that fail count at layer 4, and three failed checks take it down`() throws {
        let (proxy, endpoint, origin) = try observed(nil, .layer4, limit: 2)
        origin.stop()
        for _ in 0..<2 { #expect(try TestClient(endpoint).get("/").status == 503) }
        #expect(try proxy.eventually { $0.listeners[0].servers[0].lastCheck?.result == .observed })
        #expect(try proxy.listener().servers[0].status == .up)
        // Errors that come while the last ones are being dealt with count as one reaction.
        var more = 0
        while more < 100, try proxy.listener().servers[0].status == .up {
            #expect(try TestClient(endpoint).get("/").status == 503)
            more += 1
        }
        #expect((4..<100).contains(more))
    }

    @Test
    func `With fastinter errors only bring the next check forward`() throws {
        let origin = try Origin("s1")
        let endpoint = try TestNet.freeEndpoint()
        let proxy = try TestProxy(threads: 1)
        proxy.origins = [origin]
        let plan = PlannedListener(
            .test(endpoint, [origin]) {
                Self.checkedOnce(&$0.servers[0])
                $0.retries = 0
                $0.servers[0].check?.fastInter = 10
                $0.servers[0].check?.rise = 1
                $0.servers[0].check?.fall = 1
                $0.servers[0].observe = Observation(.layer4)
                $0.servers[0].observe?.onError = .fastinter
                $0.servers[0].observe?.errorLimit = 1
            }
        )
        try proxy.apply([plan])
        #expect(try proxy.eventually { $0.listeners[0].servers[0].lastCheck?.result == .connected })
        origin.stop()
        #expect(try TestClient(endpoint).get("/").status == 503)
        #expect(try proxy.eventually { $0.listeners[0].servers[0].status == .down })
        #expect(try proxy.listener().servers[0].lastCheck?.result == .refused)
    }

    // MARK: Sessions

    /// A TCP listener with a main server that has an agent, and a backup.
    private func pair(
        _ proxy: TestProxy,
        agent: ScriptedServer,
        _ change: (inout Listener) -> Void
    ) throws -> (endpoint: Endpoint, plan: PlannedListener) {
        let endpoint = try TestNet.freeEndpoint()
        proxy.origins = try ["s1", "s2"].map { try Origin($0) }
        let plan = PlannedListener(
            .test(endpoint, proxy.origins, mode: .tcp) {
                for index in $0.servers.indices { $0.servers[index].cookie = nil }
                $0.servers[0].agent = AgentCheck(port: agent.endpoint.port, inter: 20)
                $0.servers[1].isBackup = true
                change(&$0)
            }
        )
        try proxy.apply([plan])
        return (endpoint, plan)
    }

    @Test(arguments: [true, false])
    func `Sessions end with their server only where that is wanted`(ends: Bool) throws {
        let agent = try ScriptedServer { $0.send("up\n") }
        let proxy = try TestProxy(threads: 2)
        let (endpoint, _) = try pair(proxy, agent: agent) {
            if ends { $0.servers[0].onMarkedDown = .shutdownSessions }
        }
        let kept = try TestClient(endpoint)
        #expect(try kept.get("/")["x-server"] == "s1")
        agent.say { $0.send("down\n") }
        #expect(try proxy.eventually { $0.listeners[0].servers[0].status == .down })
        #expect(try TestClient(endpoint).get("/")["x-server"] == "s2")
        if ends {
            #expect(kept.isClosed())
            #expect(try proxy.eventually { $0.listeners[0].servers[0].connections == 0 })
        } else {
            #expect(try kept.get("/")["x-server"] == "s1")
        }
    }

    @Test
    func `Maintenance ends sessions as well, and a request that may be sent twice goes on elsewhere`() throws {
        let origins = try ["s1", "s2"].map { try Origin($0) }
        let endpoint = try TestNet.freeEndpoint()
        let proxy = try TestProxy(threads: 1)
        proxy.origins = origins
        func plan(_ state: ServerAdminState) -> PlannedListener {
            PlannedListener(
                .test(endpoint, origins) {
                    $0.cookie = CookiePersistence(name: "SRV")
                    $0.servers[0].onMarkedDown = .shutdownSessions
                    $0.servers[0].state = state
                }
            )
        }
        try proxy.apply([plan(.ready)])
        let hanging = try TestClient(endpoint)
        try hanging.send("GET /hang HTTP/1.1\r\nHost: a\r\nCookie: SRV=s1\r\n\r\n")
        let posting = try TestClient(endpoint)
        try posting.send("POST /hang HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nCookie: SRV=s1\r\n\r\n")
        #expect(try proxy.eventually { $0.listeners[0].servers[0].requests == 2 })
        try proxy.apply([plan(.maint)])
        #expect(try posting.response().status == 502)
        #expect(try proxy.eventually { $0.listeners[0].servers[1].requests == 1 })
    }

    @Test(arguments: [true, false])
    func `Sessions on a backup end when its server is back only where that is wanted`(ends: Bool) throws {
        let agent = try ScriptedServer { $0.send("down\n") }
        let proxy = try TestProxy(threads: 2)
        let (endpoint, plan) = try pair(proxy, agent: agent) {
            if ends { $0.servers[0].onMarkedUp = .shutdownBackupSessions }
        }
        #expect(try proxy.eventually { $0.listeners[0].servers[0].status == .down })
        let kept = try TestClient(endpoint)
        #expect(try kept.get("/")["x-server"] == "s2")
        agent.say { $0.send("up\n") }
        #expect(try proxy.eventually { $0.listeners[0].servers[0].status == .up })
        if ends {
            #expect(kept.isClosed())
        } else {
            #expect(try kept.get("/")["x-server"] == "s2")
        }
        // It ends those that were there, and not the ones that come later.
        agent.say { $0.send("down\n") }
        #expect(try proxy.eventually { $0.listeners[0].servers[0].status == .down })
        let later = try TestClient(endpoint)
        #expect(try later.get("/")["x-server"] == "s2")
        try proxy.apply([plan])
        #expect(try later.get("/")["x-server"] == "s2")
    }

    // MARK: Tracking

    @Test
    func `A server follows the one that it tracks, into maintenance, too`() throws {
        let origins = try ["s1", "s2"].map { try Origin($0) }
        let (one, two) = (try TestNet.freeEndpoint(), try TestNet.freeEndpoint())
        let proxy = try TestProxy(threads: 1)
        proxy.origins = origins
        func plans(_ state: ServerAdminState = .ready) -> [PlannedListener] {
            let tracking = Listener.test(one, origins) {
                for index in 0...1 {
                    $0.servers[index].track = TrackedServer(listener: "checked", server: origins[index].name)
                }
            }
            let checked = Listener.test(two, origins) {
                $0.name = "checked"
                $0.httpCheck = HTTPCheck(method: "GET", uri: "/health", host: "h")
                for index in $0.servers.indices {
                    $0.servers[index].check = ServerCheck()
                    $0.servers[index].check?.inter = 20
                }
                $0.servers[1].state = state
            }
            return [PlannedListener(tracking), PlannedListener(checked)]
        }
        try proxy.apply(plans())
        #expect(try proxy.eventually { $0.listeners[1].servers.allSatisfy { $0.lastCheck?.result == .passed } })
        origins[0].setHealthy(false)
        #expect(try proxy.eventually { $0.listeners[0].servers[0].status == .down })
        for _ in 0..<3 { #expect(try TestClient(one).get("/")["x-server"] == "s2") }
        origins[0].setHealthy(true)
        #expect(try proxy.eventually { $0.listeners[0].servers[0].status == .up })
        try proxy.apply(plans(.maint))
        #expect(try proxy.listener().servers[1].status == .maint)
        try proxy.apply(plans(.drain))
        #expect(try proxy.listener().servers[1].status == .drain)
        try proxy.apply(plans())
        #expect(try proxy.listener().servers[1].status == .up)
    }

    // MARK: Memory

    @Test
    func `A new process knows what the old one knew, of servers that are still the same`() throws {
        let dead = try ["s1", "s2"].map { try Origin($0) }
        let alive = try Origin("s3")
        for origin in dead { origin.stop() }
        let endpoint = try TestNet.freeEndpoint()
        func plan(_ proxy: TestProxy) -> ProxyPlan {
            proxy.plan([
                PlannedListener(
                    .test(endpoint, dead + [alive]) {
                        for index in $0.servers.indices { Self.checkedOnce(&$0.servers[index]) }
                    }
                )
            ])
        }
        var memories: [String: [String: HealthMemory]] = [:]
        do {
            let first = try TestProxy(threads: 1)
            _ = try first.client.apply(plan(first), deadline: TestProxy.soon)
            #expect(
                try first.eventually { status in
                    status.listeners[0].servers.map(\.status) == [.down, .down, .up]
                        && status.listeners[0].servers[2].lastCheck != nil
                }
            )
            memories = try first.status().memories
        }
        #expect(memories["web"]?.count == 3)
        // Another address is another server, of which nothing is known.
        memories["web"]?["s2"]?.endpoint = endpoint
        let second = try TestProxy(threads: 1)
        var remembering = plan(second).remembering(memories)
        // No check tells it anything before the test is over.
        for index in remembering.listeners[0].listener.servers.indices {
            remembering.listeners[0].listener.servers[index].check?.port = alive.endpoint.port
        }
        remembering.listeners[0].listener.servers[1].check = nil
        _ = try second.client.apply(remembering, deadline: TestProxy.soon)
        let servers = try second.listener().servers
        #expect(servers[0].status == .down && servers[0].since == memories["web"]?["s1"]?.since)
        #expect(servers[1].status == .up && servers[2].status == .up)
        #expect(servers[1].memory == nil)
        // One pass of two that it needs does not bring it back.
        #expect(try second.eventually { $0.listeners[0].servers[0].lastCheck?.result == .connected })
        #expect(try second.listener().servers[0].status == .down)
    }
}
