import AdminAPI
import CLinux
import ClusterModel
import Foundation
import LinuxIO
import Logging
import Processes
import ProxyControl
import Synchronization
import Testing

@testable import ClusterAgent

enum BuiltProxy {
    /// The `haven-proxy` that was built beside these tests.
    static let program: String? = {
        let test = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        var directory = test.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        while let last = directory.last, last.hasSuffix(".xctest") || last == "Contents" { directory.removeLast() }
        let program = directory.joined(separator: "/") + "/haven-proxy"
        return access(program, X_OK) == 0 ? program : nil
    }()
}

/// The agent's watch over a real data plane.
@Suite(.serialized, .enabled(if: BuiltProxy.program != nil, "needs haven-proxy beside the tests"))
struct ProxySupervisorTests {
    /// A supervisor with a proxy under it, and one listener whose port a client can ask.
    private final class Rig {
        static let controlPath = "/tmp/haven-supervised-\(getpid()).sock"
        static let leasePath = "/tmp/haven-supervised-\(getpid()).lease"
        let supervisor: ProxySupervisor
        let endpoint: Endpoint
        private let lease: LeaseWord

        init() throws {
            lease = try LeaseWord.create(path: Self.leasePath)
            lease.end = Clock.monotonic() + .seconds(3600)
            let address = try #require(IPAddress(bytes: [127, 99, UInt8(getpid() / 250 % 250), UInt8(getpid() % 250)]))
            endpoint = Endpoint(address: address, port: 8080)
            var log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            log.logLevel = .critical
            let program = BuiltProxy.program
            supervisor = ProxySupervisor(
                program: program,
                controlPath: Self.controlPath,
                leasePath: Self.leasePath,
                log: log
            )
            let listener = Listener(name: "web", binds: [endpoint], mode: .http)
            supervisor.update(ProxyView(listeners: [PlannedListener(listener)]))
        }

        deinit {
            let peer = try? ProxyPeer(path: Self.controlPath)
            supervisor.shutDown()
            if let peer, !peer.waitForEnd(deadline: Clock.monotonic() + .seconds(8)) { peer.signal(SIGKILL) }
            unlink(Self.controlPath)
            unlink(Self.leasePath)
        }

        /// Asks until it is so, for a limited time.
        static func eventually(_ condition: () -> Bool) -> Bool {
            let end = Clock.monotonic() + .seconds(20)
            while Clock.monotonic() < end {
                if condition() { return true }
                _ = haven_poll_one(-1, 0, 10)
            }
            return false
        }

        /// Whether somebody answers on the port; nothing is there to serve, so the answer is 503.
        func answers() -> Bool {
            guard let socket = try? StreamSocket.connect(to: endpoint) else { return false }
            _ = haven_poll_one(socket.number, Int16(POLLOUT), 1000)
            let request = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
            guard haven_send(socket.number, request, request.count, 0) == request.count else { return false }
            guard haven_poll_one(socket.number, Int16(POLLIN), 1000) > 0 else { return false }
            var answer = [UInt8](repeating: 0, count: 64)
            let count = haven_recv(socket.number, &answer, answer.count, 0)
            return String(decoding: answer.prefix(max(0, count)), as: UTF8.self).hasPrefix("HTTP/1.1 503")
        }
    }

    @Test
    func `A proxy that hangs is killed and started again, and the operator is told`() throws {
        let rig = try Rig()
        #expect(Rig.eventually { rig.answers() })
        #expect(rig.supervisor.warnings.isEmpty)
        let hung = try ProxyPeer(path: Rig.controlPath)
        hung.signal(SIGSTOP)
        #expect(Rig.eventually { !ProcessActivity.isBusy(hung.process) })
        // A process that asks is busy itself.
        #expect(ProcessActivity.isBusy(getpid()))
        #expect(hung.waitForEnd(deadline: Clock.monotonic() + .seconds(20)))
        #expect(Rig.eventually { rig.answers() && rig.supervisor.isRunning })
        #expect(
            rig.supervisor.warnings
                == ["haven-proxy was started again once within 10 minutes: it gave no answer"]
        )
    }

    @Test
    func `A proxy that dies is started again at once`() throws {
        let rig = try Rig()
        #expect(Rig.eventually { rig.answers() })
        let dying = try ProxyPeer(path: Rig.controlPath)
        dying.signal(SIGKILL)
        #expect(Rig.eventually { (try? ProxyPeer(path: Rig.controlPath).process) != dying.process && rig.answers() })
        #expect(rig.supervisor.warnings.count == 1)
    }

    /// Answers that came, in their order; nil for none given.
    private final class Reports: Sendable {
        let list = Mutex<[[String]?]>([])

        var question: ExchangeQuestion {
            ExchangeQuestion(query: ExchangeQuery(listener: nil, last: 5)) { [self] report in
                list.withLock { $0.append(report?.exchanges.map { $0.answer.map { "\($0.name)" } ?? "" }) }
            }
        }
    }

    @Test
    func `What the proxy did is asked through its supervisor, and a proxy that does not run is not waited for`() throws
    {
        let rig = try Rig()
        #expect(Rig.eventually { rig.answers() })
        let reports = Reports()
        #expect(Rig.eventually { rig.supervisor.ask(reports.question) })
        #expect(Rig.eventually { reports.list.withLock { !$0.isEmpty } })
        let answers = try #require(reports.list.withLock { $0.first } ?? nil)
        #expect(!answers.isEmpty && answers.allSatisfy { $0 == "no-server" })
        var log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        log.logLevel = .critical
        let none = ProxySupervisor(program: nil, controlPath: "/x", leasePath: "/x", log: log)
        #expect(!none.ask(reports.question))
    }

    @Test
    func `A question to a proxy that hangs is answered with nothing`() throws {
        let rig = try Rig()
        #expect(Rig.eventually { rig.answers() && rig.supervisor.isRunning })
        let hung = try ProxyPeer(path: Rig.controlPath)
        hung.signal(SIGSTOP)
        let reports = Reports()
        #expect(rig.supervisor.ask(reports.question))
        #expect(Rig.eventually { reports.list.withLock { $0.contains(nil) } })
    }

    @Test
    func `A proxy that was killed is followed by one that knows which servers are down`() throws {
        let rig = try Rig()
        let place = Endpoint(address: rig.endpoint.address, port: 8081)
        var listener = Listener(name: "web", binds: [rig.endpoint], mode: .http)
        var server = Server(name: "s1", endpoint: place)
        server.check = ServerCheck()
        // Only the first check of each process counts.
        server.check?.inter = 3_600_000
        listener.servers = [server]
        var configuration = ClusterConfiguration(name: "c", nodes: [])
        configuration.listeners = [listener]
        func view() -> (health: String, reason: String) {
            let server = rig.supervisor.listenerViews(configuration)[0].servers[0]
            return (server.health.rawValue, server.reason)
        }
        rig.supervisor.update(ProxyView(listeners: [PlannedListener(listener)]))
        #expect(Rig.eventually { view() == ("down", "L4CON") })
        let back = try StreamSocket.listen(on: place, StreamSocket.ListenOptions())
        let dying = try ProxyPeer(path: Rig.controlPath)
        dying.signal(SIGKILL)
        // It passed one check of the two that it needs; a process without memory would take it for up.
        #expect(Rig.eventually { view() == ("down", "L4OK") })
        #expect(try ProxyPeer(path: Rig.controlPath).process != dying.process)
        #expect(back.number >= 0)
    }

    @Test
    func `An agent that finds a hung proxy of its predecessor replaces it`() throws {
        let program = try #require(BuiltProxy.program)
        let hung = try ChildProcess(Invocation(program, ["--control", Rig.controlPath, "--threads", "1"]))
        #expect(Rig.eventually { (try? ProxyPeer(path: Rig.controlPath)) != nil })
        hung.signalGroup(SIGSTOP)
        let rig = try Rig()
        #expect(Rig.eventually { rig.answers() })
        #expect(try hung.wait(until: Clock.monotonic() + .seconds(20)) { $0.exit != nil })
        #expect(hung.exit == .killed(signal: SIGKILL))
    }
}
