import Balancing
import CLinux
import ClusterModel
import LinuxIO
import Proxy
import ProxyControl
import Synchronization
import Testing

/// A whole proxy on a thread of this process, driven through its control socket as the agent does it.
final class TestProxy {
    let controlPath: String
    let leasePath: String?
    let lease: LeaseWord?
    private let stopper: ProxyStopper
    private let thread: TestThread
    private(set) var client: ProxyClient
    /// Servers behind it; they live as long as the proxy.
    var origins: [Origin] = []
    private var generation: UInt64 = 0
    private static let serial = Atomic<Int>(0)

    init(threads: Int = 2, withLease: Bool = false) throws {
        let id = "\(getpid())-\(Self.serial.add(1, ordering: .relaxed).newValue)"
        controlPath = "/tmp/haven-proxy-test-\(id).sock"
        leasePath = withLease ? "/tmp/haven-proxy-test-\(id).lease" : nil
        lease = try leasePath.map { try LeaseWord.create(path: $0) }
        lease?.end = Clock.monotonic() + .seconds(3600)
        var options = ProxyOptions()
        options.controlPath = controlPath
        options.leasePath = leasePath
        options.threads = threads
        let started = Mutex<Bool?>(nil)
        let stopper = try ProxyStopper()
        self.stopper = stopper
        let shared = SharedFlag(started)
        thread = TestThread { [options] in
            do {
                let process = try ProxyProcess(options, stopper: stopper)
                shared.set(true)
                try process.run()
            } catch {
                shared.set(false)
                Issue.record("proxy: \(error)")
            }
        }
        while shared.value == nil { _ = sched_yield() }
        client = try ProxyClient(path: controlPath, deadline: Self.soon)
    }

    deinit {
        stopper.stop()
        thread.join()
        unlink(controlPath)
        if let leasePath { unlink(leasePath) }
    }

    static var soon: Instant { Clock.monotonic() + .seconds(8) }

    /// Connects as a restarted agent does.
    func reconnect() throws { client = try ProxyClient(path: controlPath, deadline: Self.soon) }

    /// Applies listeners; fails the test if something of it is refused.
    func apply(_ listeners: [PlannedListener]) throws {
        let result = try client.apply(plan(listeners), deadline: Self.soon)
        #expect(result.refusal == nil && result.failedBinds.isEmpty, "\(result)")
        #expect(result.generation == generation)
    }

    func plan(_ listeners: [PlannedListener]) -> ProxyPlan {
        generation += 1
        return ProxyPlan(generation: generation, listeners: listeners)
    }

    func status() throws -> ProxyStatus { try client.status(deadline: Self.soon) }

    func listener(_ name: String = "web") throws -> ListenerStatus {
        try #require(try status().listeners.first { $0.name == name })
    }

    /// The exchanges so far, once there are so many: a client may have its answer before its end is noted.
    func exchanges(_ count: Int, of listener: String? = nil) throws -> [Exchange] {
        let end = Self.soon
        let query = ExchangeQuery(listener: listener, last: max(1, count))
        while true {
            let report = try client.exchanges(query, deadline: Self.soon)
            if report.exchanges.count >= count || Clock.monotonic() >= end { return report.exchanges }
            _ = haven_poll_one(-1, 0, 2)
        }
    }

    /// Asks for the status until it is as wanted, for a limited time.
    func eventually(_ condition: (ProxyStatus) -> Bool) throws -> Bool {
        let end = Self.soon
        while Clock.monotonic() < end {
            if condition(try status()) { return true }
            // Nobody tells us of a change; let others run.
            _ = haven_poll_one(-1, 0, 2)
        }
        return false
    }
}

/// Keeps proxies running until a test ends, whether it looks at them or not.
final class ProxyKeeper {
    private var proxies: [TestProxy] = []
    func keep(_ proxy: TestProxy) { proxies.append(proxy) }
}

private final class SharedFlag: Sendable {
    private let state: Mutex<Bool?>
    init(_ state: consuming Mutex<Bool?>) { self.state = state }
    var value: Bool? { state.withLock { $0 } }
    func set(_ value: Bool) { state.withLock { $0 = value } }
}

extension Listener {
    /// A listener on a free port with one server per origin, named and with cookies as the origins.
    static func test(
        _ endpoint: Endpoint,
        _ origins: [Origin],
        mode: ListenerMode = .http,
        _ change: (inout Listener) -> Void = { _ in }
    ) -> Listener {
        var listener = Listener(name: mode == .http ? "web" : "raw", binds: [endpoint], mode: mode)
        listener.servers = origins.map { origin in
            var server = Server(name: origin.name, endpoint: origin.endpoint)
            server.cookie = origin.name
            return server
        }
        listener.timeouts.connect = 300
        change(&listener)
        return listener
    }
}
