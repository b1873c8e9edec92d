import CLinux
import ClusterModel
import LinuxIO
import ProxyControl
import Testing

/// The connection between agent and proxy.
@Suite
struct ControlTests {
    @Test
    func `A restarted agent finds the sockets and the plan of its predecessor`() throws {
        let origin = try Origin("s1")
        let endpoint = try TestNet.freeEndpoint()
        let proxy = try TestProxy(threads: 3)
        proxy.origins = [origin]
        #expect(proxy.client.hello.threads == 3 && proxy.client.hello.held.isEmpty)
        let planned = PlannedListener(.test(endpoint, [origin]))
        try proxy.apply([planned])
        let kept = try TestClient(endpoint)
        #expect(try kept.get("/").status == 200)
        try proxy.reconnect()
        #expect(proxy.client.hello.held == [endpoint] && proxy.client.hello.generation == 1)
        #expect(try kept.get("/").status == 200)
        try proxy.apply([planned])
        #expect(try kept.get("/").status == 200)
    }

    @Test
    func `An endpoint in use is named and the rest is served`() throws {
        let origin = try Origin("s1")
        let endpoint = try TestNet.freeEndpoint()
        let (number, taken) = try TestNet.listenAlone()
        defer { _ = haven_close(number) }
        let proxy = try TestProxy()
        proxy.origins = [origin]
        let plan = proxy.plan([PlannedListener(.test(endpoint, [origin]) { $0.binds.append(taken) })])
        let result = try proxy.client.apply(plan, deadline: TestProxy.soon)
        #expect(result.refusal == nil)
        #expect(result.failedBinds == [FailedBind(endpoint: taken, reason: "Address already in use")])
        #expect(try TestClient(endpoint).get("/").status == 200)
    }

    @Test
    func `Every plan is taken over and answered, however fast they follow each other`() throws {
        let origin = try Origin("s1")
        let endpoint = try TestNet.freeEndpoint()
        let proxy = try TestProxy()
        proxy.origins = [origin]
        let planned = PlannedListener(.test(endpoint, [origin]))
        try proxy.apply([planned])
        // Two agents at once, as for a moment after a restart: plans meet in every place on their way to the loops.
        let failures = FailureList()
        let others = (0..<2).map { number in
            TestThread { [path = proxy.controlPath] in
                do {
                    let agent = try ProxyClient(path: path, deadline: TestProxy.soon)
                    for round in 0..<1500 {
                        let plan = ProxyPlan(generation: UInt64(2 + round * 2 + number), listeners: [planned])
                        _ = try agent.apply(plan, deadline: TestProxy.soon)
                    }
                } catch { failures.add("agent \(number): \(error)") }
            }
        }
        for other in others { other.join() }
        #expect(failures.all.isEmpty, "\(failures.all)")
        #expect(try TestClient(endpoint).get("/").status == 200)
    }

    @Test
    func `A heartbeat is answered by every loop, and by plans and status in between as before`() throws {
        let proxy = try TestProxy(threads: 3)
        for _ in 0..<50 {
            try proxy.client.heartbeat(patience: .seconds(8))
            #expect(try proxy.status().threads == 3)
            try proxy.apply([])
        }
    }

    @Test
    func `The process behind the socket is what the kernel says`() throws {
        let proxy = try TestProxy(threads: 1)
        #expect(try ProxyPeer(path: proxy.controlPath).process == getpid())
        #expect(throws: ProxyControlError.self) { try ProxyPeer(path: proxy.controlPath + ".not") }
    }

    @Test
    func `Restarts are prompt once, slower each time, and forgotten in the end`() {
        var pace = RestartPace()
        var now = Instant.zero
        var pauses: [Int64] = []
        for _ in 0..<10 {
            pauses.append(pace.restart(now: now).milliseconds)
            now = now + .seconds(10)
        }
        #expect(pauses == [0, 250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
        #expect(pace.count(now: now) == 10)
        now = now + RestartPace.memory
        #expect(pace.count(now: now) == 0 && pace.restart(now: now) == .zero)
    }

    @Test
    func `A plan beyond the limits is refused whole, and the old one goes on`() throws {
        let origin = try Origin("s1")
        let endpoint = try TestNet.freeEndpoint()
        let proxy = try TestProxy()
        proxy.origins = [origin]
        try proxy.apply([PlannedListener(.test(endpoint, [origin]))])
        let bad: [(inout Listener) -> Void] = [
            { $0.servers[0].weight = 257 }, { $0.servers.append($0.servers[0]) }, { $0.retries = 101 },
            { $0.cookie = CookiePersistence(name: "a b") }, { $0.servers[0].cookie = "x;y" }, { $0.binds = [] },
            { $0.httpCheck = HTTPCheck(uri: "/x\r\nEvil: 1") }, { $0.maxConnections = 0 },
            { $0.httpCheck = HTTPCheck().with([CheckHeader("A", "b\r\nEvil: 1")], []) },
            { $0.httpCheck = HTTPCheck().with([], [HTTPExpectation(.pattern("("))]) },
            { $0.serviceCheck = .script([.expect(TCPExpectation(.pattern("a{256}")))]) },
            { $0.serviceCheck = .script(Array(repeating: .send("x"), count: 33)) },
        ]
        for change in bad {
            let plan = proxy.plan([PlannedListener(.test(endpoint, [origin], change))])
            let result = try proxy.client.apply(plan, deadline: TestProxy.soon)
            #expect(result.refusal != nil && result.generation == 1)
        }
        #expect(try TestClient(endpoint).get("/").status == 200)
    }

    @Test
    func `Garbage on the control socket ends that connection only`() throws {
        let proxy = try TestProxy()
        for bytes in [
            Array("GET / HTTP/1.1\r\n\r\n".utf8), [0x48, 0x50, 2, 200, 0, 0, 0, 0], [0x48, 0x50, 3, 0, 255, 0, 0, 0],
        ] {
            let socket = try StreamSocket.connectUnix(path: proxy.controlPath)
            #expect(try socket.write(bytes) == bytes.count)
            while try !socket.read(upTo: 4096).isEmpty {}
        }
        #expect(try proxy.status().generation == 0)
    }

    @Test
    func `A frame comes back as it was, and only when it is whole`() throws {
        let frame = try ControlFrame(.plan, ProxyPlan(generation: 7, listeners: []), descriptorCount: 2)
        let bytes = frame.encoded
        for cut in 0..<bytes.count {
            var partial = Array(bytes[..<cut])
            #expect(try ControlFrame.take(from: &partial) == nil)
        }
        var buffer = bytes + bytes
        let first = try #require(try ControlFrame.take(from: &buffer))
        #expect(first.kind == .plan && first.descriptorCount == 2 && buffer == bytes)
        #expect(try first.decode(ProxyPlan.self).generation == 7)
        #expect(throws: ProxyControlError.self) { try first.decode(ProxyHello.self) }
    }

    @Test
    func `A proxy that is not there is told at once`() throws {
        #expect(throws: ProxyControlError.self) {
            try ProxyClient(path: "/nonexistent/proxy.sock", deadline: TestProxy.soon)
        }
    }
}

extension HTTPCheck {
    fileprivate func with(_ headers: [CheckHeader], _ expect: [HTTPExpectation]) -> HTTPCheck {
        var check = self
        check.headers = headers
        check.expect = expect
        return check
    }
}
