import Balancing
import CLinux
import ClusterModel
import LinuxIO
import ProxyControl
import Synchronization
import Testing

/// Checks of all kinds over real sockets.
@Suite
struct CheckTests {
    /// A TCP listener whose one server is checked every 20 ms.
    private func planned(
        _ bind: Endpoint,
        _ server: Endpoint,
        _ change: (inout Listener) -> Void = { _ in }
    ) -> PlannedListener {
        var listener = Listener(name: "raw", binds: [bind], mode: .tcp)
        var entry = Server(name: "s1", endpoint: server)
        entry.check = ServerCheck()
        entry.check?.inter = 20
        entry.check?.fall = 2
        listener.timeouts.connect = 300
        listener.timeouts.check = 300
        listener.servers = [entry]
        change(&listener)
        return PlannedListener(listener)
    }

    private func check(
        _ check: ServiceCheck,
        _ good: @escaping @Sendable (ScriptedPeer) -> Void,
        _ bad: @escaping @Sendable (ScriptedPeer) -> Void
    ) throws -> CheckReport {
        let server = try ScriptedServer(good)
        let proxy = try TestProxy(threads: 1)
        try proxy.apply([planned(try TestNet.freeEndpoint(), server.endpoint) { $0.serviceCheck = check }])
        #expect(try proxy.eventually { $0.listeners[0].servers[0].lastCheck?.result == .passed })
        server.say(bad)
        #expect(try proxy.eventually { $0.listeners[0].servers[0].status == .down })
        let report = try #require(try proxy.listener("raw").servers[0].lastCheck)
        server.say(good)
        #expect(try proxy.eventually { $0.listeners[0].servers[0].status == .up })
        return report
    }

    @Test
    func `A script talks with the server, and a wrong word takes it down`() throws {
        let rules: [TCPCheckRule] = [
            .expect(TCPExpectation(.pattern("^220 "))), .send("PING\r\n"),
            .expect(TCPExpectation(.string("PONG"))),
        ]
        let report = try check(.script(rules)) { peer in
            peer.send("22")
            peer.send("0 hello\r\n")
            if peer.hear() == Array("PING\r\n".utf8) { peer.send("+PONG\r\n") }
        } _: { peer in
            peer.send("220 hello\r\n")
            _ = peer.hear()
            peer.send("-LOADING\r\n")
        }
        #expect(report.result == .invalidResponse)
        #expect(report.info == "expected answer missing at rule 3 of tcp-check")
    }

    @Test
    func `A server that says nothing is out of time, and the rule is named`() throws {
        let rules: [TCPCheckRule] = [.expect(TCPExpectation(.string("hello")))]
        let report = try check(.script(rules)) {
            $0.send("hello")
        } _: {
            _ = $0.hearAll()
        }
        #expect(report.result == .responseTimeout && report.info == "at rule 1 of tcp-check")
    }

    @Test
    func `A script may look at several ports`() throws {
        let (one, two) = (try ScriptedServer { $0.send("one") }, try ScriptedServer { $0.send("two") })
        let proxy = try TestProxy(threads: 1)
        let rules: [TCPCheckRule] = [
            .connect(port: one.endpoint.port), .expect(TCPExpectation(.string("one"))),
            .connect(port: two.endpoint.port), .expect(TCPExpectation(.string("two"))),
        ]
        // Nothing listens at the server's own port.
        let own = try TestNet.freeEndpoint()
        let server = Endpoint(address: one.endpoint.address, port: own.port)
        try proxy.apply([planned(own, server) { $0.serviceCheck = .script(rules) }])
        #expect(try proxy.eventually { $0.listeners[0].servers[0].lastCheck?.result == .passed })
        #expect(one.connections > 0 && two.connections > 0)
        two.stop()
        #expect(try proxy.eventually { $0.listeners[0].servers[0].status == .down })
        #expect(try proxy.listener("raw").servers[0].lastCheck?.result == .refused)
    }

    @Test
    func `A replica of Redis is no master`() throws {
        let report = try check(.redis(isMaster: true)) { peer in
            _ = peer.hear()
            peer.send("+PONG\r\n")
            _ = peer.hear()
            peer.send("$13\r\nrole:master\r\n\r\n")
            _ = peer.hearAll()
        } _: { peer in
            _ = peer.hear()
            peer.send("+PONG\r\n")
            _ = peer.hear()
            peer.send("$12\r\nrole:slave\r\n\r\n")
            _ = peer.hearAll()
        }
        #expect(report.result == .wrongStatus && report.info == "role:slave")
    }

    @Test
    func `A login at MySQL ends as a whole session`() throws {
        let endings = Mutex<[[UInt8]]>([])
        let greeting: [UInt8] =
            [0x0A] + Array("8.0.36\0".utf8) + [1, 0, 0, 0] + Array("12345678".utf8)
            + [0, 0xFF, 0xF7, 0x21, 2, 0, 0xFF, 0x81, 21] + [UInt8](repeating: 0, count: 10)
            + Array("123456789012\0".utf8)
        let packet = [UInt8(greeting.count), 0, 0, 0] + greeting
        let server = try ScriptedServer { peer in
            peer.send(packet)
            guard !peer.hear().isEmpty else { return }
            peer.send([7, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0])
            let rest = peer.hearAll()
            endings.withLock { $0.append(rest) }
        }
        let proxy = try TestProxy(threads: 1)
        let plan = planned(try TestNet.freeEndpoint(), server.endpoint) { $0.serviceCheck = .mysql(user: "haven") }
        try proxy.apply([plan])
        #expect(try proxy.eventually { _ in endings.withLock { $0.count > 2 } })
        #expect(endings.withLock { $0 }.allSatisfy { $0 == [1, 0, 0, 0, 1] })
        #expect(try proxy.listener("raw").servers[0].lastCheck?.result == .passed)
    }

    @Test
    func `Checks go to their own address and port`() throws {
        let server = try ScriptedServer { _ = $0.hearAll() }
        let proxy = try TestProxy(threads: 1)
        // Nobody is at the server's own address.
        let dead = try #require(Endpoint("127.0.0.99:9"))
        let plan = planned(try TestNet.freeEndpoint(), dead) {
            $0.servers[0].check?.address = server.endpoint.address
            $0.servers[0].check?.port = server.endpoint.port
        }
        try proxy.apply([plan])
        #expect(try proxy.eventually { $0.listeners[0].servers[0].lastCheck?.result == .connected })
        #expect(try proxy.listener("raw").servers[0].status == .up)
    }

    @Test
    func `Bodies and patterns decide, and a 404 sends new clients away`() throws {
        let origins = try ["s1", "s2"].map { try Origin($0) }
        let endpoint = try TestNet.freeEndpoint()
        let server = try ScriptedServer { peer in
            _ = peer.hear()
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nall is well\n")
        }
        let proxy = try TestProxy(threads: 1)
        proxy.origins = origins
        let plan = PlannedListener(
            .test(endpoint, origins) {
                $0.cookie = CookiePersistence(name: "SRV")
                $0.httpCheck = HTTPCheck(method: "GET", uri: "/up", host: "h")
                $0.httpCheck?.expect = [
                    HTTPExpectation(.string("well")), HTTPExpectation(.pattern("(?i)error"), isNegated: true),
                ]
                $0.httpCheck?.disableOn404 = true
                $0.servers[0].check = ServerCheck()
                $0.servers[0].check?.inter = 20
                $0.servers[0].check?.port = server.endpoint.port
            }
        )
        try proxy.apply([plan])
        #expect(try proxy.eventually { $0.listeners[0].servers[0].lastCheck?.result == .passed })
        server.say { peer in
            _ = peer.hear()
            peer.send("HTTP/1.1 404 Not Found\r\n\r\n")
        }
        #expect(try proxy.eventually { $0.listeners[0].servers[0].status == .stopping })
        #expect(try TestClient(endpoint).get("/")["x-server"] == "s2")
        #expect(try TestClient(endpoint).get("/", "Cookie: SRV=s1\r\n")["x-server"] == "s1")
        server.say { peer in
            _ = peer.hear()
            peer.send("HTTP/1.1 200 OK\r\n\r\nall is well, but for an Error")
        }
        #expect(try proxy.eventually { $0.listeners[0].servers[0].status == .down })
        #expect(try proxy.listener().servers[0].lastCheck?.info == "matches \"(?i)error\"")
        // Of a server that is down a 404 is a failure.
        server.say { peer in
            _ = peer.hear()
            peer.send("HTTP/1.1 404 Not Found\r\n\r\n")
        }
        #expect(try proxy.eventually { $0.listeners[0].servers[0].lastCheck?.httpStatus == 404 })
        let report = try proxy.listener().servers[0]
        #expect(report.status == .down && report.lastCheck?.result == .wrongStatus)
    }

    @Test
    func `A server in doubt is checked at fastinter, one that is down at downinter`() throws {
        let server = try ScriptedServer { _ = $0.hearAll() }
        let proxy = try TestProxy(threads: 1)
        let plan = planned(try TestNet.freeEndpoint(), server.endpoint) {
            // With inter alone the three checks that decide would take two hours.
            $0.servers[0].check?.inter = 3_600_000
            $0.servers[0].check?.fastInter = 20
            $0.servers[0].check?.downInter = 30
            $0.servers[0].check?.rise = 3
        }
        server.stop()
        try proxy.apply([plan])
        #expect(try proxy.eventually { $0.listeners[0].servers[0].status == .down })
        let back = try StreamSocket.listen(on: server.endpoint, StreamSocket.ListenOptions())
        #expect(try proxy.eventually { $0.listeners[0].servers[0].status == .up })
        #expect(back.number >= 0)
    }

    @Test
    func `On a passive node checks are rarer, and come at once when it is passive no more`() throws {
        let server = try ScriptedServer { _ = $0.hearAll() }
        let proxy = try TestProxy(threads: 1)
        var plan = planned(try TestNet.freeEndpoint(), server.endpoint) {
            $0.servers[0].check?.inter = 1_000_000
            $0.servers[0].check?.fastInter = 10
            $0.servers[0].check?.rise = 1
            $0.servers[0].check?.fall = 1
            $0.passiveCheckFactor = 100
        }
        plan.isPassive = true
        try proxy.apply([plan])
        #expect(try proxy.eventually { $0.listeners[0].servers[0].lastCheck != nil })
        #expect(server.connections == 1)
        plan.isPassive = false
        try proxy.apply([plan])
        #expect(try proxy.eventually { _ in server.connections == 2 })
    }
}
