import Balancing
import ClusterModel
import LinuxIO
import ProxyControl
import Testing

/// Checks of servers whose connections are encrypted.
@Suite
struct CheckTLSTests {
    private let authority: TestAuthority

    init() throws { authority = try TestAuthority() }

    /// A proxy with an encrypting listener of that name, and one in front of it that checks it.
    private func start(
        _ origin: Origin,
        name: String,
        _ change: (inout Listener) -> Void = { _ in }
    ) throws -> TestProxy {
        let (front, behind) = (try TestNet.freeEndpoint(), try TestNet.freeEndpoint())
        let proxy = try TestProxy(threads: 1)
        proxy.origins = [origin]
        var back = PlannedListener(.test(behind, [origin]) { $0.name = "back" })
        back.listener.tls = ListenerTLS(certificates: ["/back.pem"])
        back.tls = PlannedTLS(certificates: [try authority.certificate("back.test")])
        var listener = Listener.test(front, [])
        var server = Server(name: "back", endpoint: behind)
        server.tls = ServerTLS()
        server.tls?.serverName = name
        server.check = ServerCheck()
        server.check?.inter = 50
        listener.servers = [server]
        change(&listener)
        var planned = PlannedListener(listener)
        planned.serverTLS = ["back": PlannedServerTLS(authority: try authority.own)]
        try proxy.apply([planned, back])
        return proxy
    }

    @Test
    func `A server that proves who it is passes, one with another name does not`() throws {
        let origin = try Origin("s1")
        let good = try start(origin, name: "back.test")
        #expect(try good.eventually { $0.listeners[0].servers[0].lastCheck?.result == .secured })
        #expect(try good.listener().servers[0].status == .up)
        let bad = try start(origin, name: "other.test")
        #expect(try bad.eventually { $0.listeners[0].servers[0].lastCheck?.result == .handshakeFailed })
        #expect(try bad.listener().servers[0].status == .down)
    }

    @Test
    func `Requests and answers of checks pass encrypted, larger ones than a record, too`() throws {
        let origin = try Origin("s1")
        let proxy = try start(origin, name: "back.test") {
            $0.httpCheck = HTTPCheck(method: "GET", uri: "/health", host: "h")
            $0.httpCheck?.expect = [HTTPExpectation(.status([StatusRange(200, 200)]))]
        }
        #expect(try proxy.eventually { $0.listeners[0].servers[0].lastCheck?.result == .passed })
        origin.setHealthy(false)
        #expect(try proxy.eventually { $0.listeners[0].servers[0].lastCheck?.httpStatus == 500 })
        let body = try start(origin, name: "back.test") {
            $0.httpCheck = HTTPCheck(method: "GET", uri: "/big?15000", host: "h")
            $0.httpCheck?.expect = [HTTPExpectation(.pattern("^[^x]"))]
        }
        #expect(try body.eventually { $0.listeners[0].servers[0].lastCheck?.result == .passed })
    }

    @Test
    func `A server that says nothing to a handshake is out of time`() throws {
        let silent = try ScriptedServer { _ = $0.hearAll() }
        let proxy = try start(try Origin("s1"), name: "back.test") {
            $0.servers[0].endpoint = silent.endpoint
            $0.timeouts.check = 100
        }
        #expect(try proxy.eventually { $0.listeners[0].servers[0].lastCheck?.result == .handshakeTimeout })
    }
}
