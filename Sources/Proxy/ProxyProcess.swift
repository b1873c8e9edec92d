import CLinux
import ClusterModel
public import LinuxIO
public import ProxyControl
import Synchronization

/// How a proxy is started.
public struct ProxyOptions: Sendable {
    /// Where agents connect; nil for none.
    public var controlPath: String?
    /// The file of the node's lease; nil serves virtual IPs always.
    public var leasePath: String?
    /// The user to become after binding, if this process is root; `nobody` where it does not exist.
    public var user: String?
    /// Event-loop threads.
    public var threads = 1
    /// A plan to start with; the process binds its endpoints itself while it still may.
    public var plan: ProxyPlan?

    /// Signals that end it.
    public var endsOn: [Int32] = []

    /// No control socket, no lease, one thread.
    public init() {}
}

/// Ends a proxy from another thread.
public final class ProxyStopper: Sendable {
    private let flag = Atomic<Bool>(false)
    fileprivate let wakeUp: WakeUp

    /// One for one proxy.
    public init() throws(SystemError) { wakeUp = try WakeUp() }

    /// Makes `ProxyProcess.run` return.
    public func stop() {
        flag.store(true, ordering: .releasing)
        wakeUp.ring()
    }

    fileprivate var isStopped: Bool { flag.load(ordering: .acquiring) }
}

/// A whole proxy: its loops, its health checks and its control socket.
///
/// It belongs to the thread that runs it.
public final class ProxyProcess {
    private let supervisor: Supervisor
    private let stopper: ProxyStopper
    private let lease: LeaseWord?
    /// The listening control socket; -1 for none.
    private let control: Int32
    private let signals: SignalInput
    private let trustedUser: uid_t
    private var poller: Poller
    private var checks = CheckRunner()
    private var sessions: [UInt64: ControlSession] = [:]
    private var nextSession: UInt64 = 1
    private var waiting: [(session: UInt64, serial: UInt64, result: PlanResult)] = []
    private var pings: [(session: UInt64, beat: UInt64)] = []

    private static let wakeUpToken: UInt64 = 0
    private static let signalToken: UInt64 = 1
    private static let controlToken: UInt64 = 2 << 32
    private static let sessionBase: UInt64 = 3 << 32

    /// Binds, gives up its privileges, and starts its threads.
    public init(_ options: ProxyOptions, stopper: ProxyStopper) throws {
        haven_ignore_sigpipe()
        trustedUser = geteuid()
        self.stopper = stopper
        // Before any thread starts, so that all of them leave these signals to the control thread.
        signals = try SignalInput(options.endsOn)
        lease = try options.leasePath.map { path throws(SystemError) in try LeaseWord.open(path: path) }
        control =
            try options.controlPath.map { path throws(SystemError) in
                try StreamSocket.listenUnix(path: path, mode: 0o600).release()
            } ?? -1
        var bound: [(Endpoint, [Int32])] = []
        for endpoint in options.plan?.listeners.flatMap(\.listener.binds) ?? [] {
            var sockets = try ListeningSockets(endpoint: endpoint, count: options.threads)
            bound.append((endpoint, sockets.take()))
        }
        try Privileges.drop(to: options.user)
        supervisor = try Supervisor(threads: options.threads, lease: lease)
        poller = try Poller()
        try poller.add(stopper.wakeUp.descriptor.number, .read, token: Self.wakeUpToken)
        try poller.add(signals.descriptor.number, .read, token: Self.signalToken)
        if control >= 0 { try poller.add(control, .read, token: Self.controlToken) }
        for (endpoint, sockets) in bound { _ = supervisor.adopt(sockets, for: endpoint) }
        if let plan = options.plan, let fault = supervisor.apply(plan) { throw ProxyControlError.protocolBreach(fault) }
        checks.replace(supervisor.checkTargets, now: Clock.monotonic())
    }

    deinit {
        supervisor.stop()
        if control >= 0 { _ = haven_close(control) }
    }

    /// Serves until it is stopped.
    public func run() throws(SystemError) {
        var events: [Poller.Event] = []
        while !stopper.isStopped {
            let before = Clock.monotonic()
            try poller.wait(until: nextDeadline(before), now: before, into: &events)
            let now = Clock.monotonic()
            var results: [CheckRunner.Result] = []
            for event in events { serve(event, now: now, into: &results) }
            events.removeAll(keepingCapacity: true)
            checks.tick(now: now, poller: &poller, into: &results)
            supervisor.receive(results)
            supervisor.growShares(now: now)
            // An endpoint of the old plan is closed before its agent hears that the new one runs.
            supervisor.tidy()
            answerApplied()
            answerPings()
        }
        supervisor.stop()
    }

    private func nextDeadline(_ now: Instant) -> Instant? {
        var deadline = checks.nextDeadline
        if let growth = supervisor.nextGrowth(now: now) { deadline = min(deadline ?? growth, growth) }
        func consider(_ at: Instant) { deadline = min(deadline ?? at, at) }
        if !waiting.isEmpty || !pings.isEmpty { consider(now + .milliseconds(1)) }
        if supervisor.isUntidy { consider(now + .seconds(1)) }
        return deadline
    }

    private func serve(_ event: Poller.Event, now: Instant, into results: inout [CheckRunner.Result]) {
        switch event.token {
        case Self.wakeUpToken: stopper.wakeUp.clear()
        case Self.signalToken: if signals.next() != nil { stopper.stop() }
        case Self.controlToken: acceptSession()
        case let token where CheckRunner.owns(token: token): checks.serve(token: token, now: now, into: &results)
        default: serveSession(event)
        }
    }

    // MARK: Control

    private func acceptSession() {
        guard let accepted = try? StreamSocket.accept(from: control) else { return }
        let session = ControlSession(socket: accepted.socket)
        var (pid, uid, gid): (pid_t, uid_t, gid_t) = (0, 0, 0)
        let known = haven_peer_credentials(accepted.socket, &pid, &uid, &gid)
        // The socket's mode keeps others out already; a second look costs nothing.
        guard known >= 0, uid == 0 || uid == trustedUser, sessions.count < ProxyLimits.controlSessions else { return }
        let token = Self.sessionBase + nextSession
        nextSession += 1
        let hello = ProxyHello(
            process: getpid(),
            threads: supervisor.threads.count,
            generation: supervisor.generation,
            held: supervisor.held
        )
        do {
            try poller.add(accepted.socket, [.read, .write, .edge], token: token)
            try session.send(ControlFrame(.hello, hello))
            sessions[token] = session
        } catch { Journal.write("control connection: \(error)") }
    }

    private func serveSession(_ event: Poller.Event) {
        guard let session = sessions[event.token] else { return }
        do throws(ProxyControlError) {
            try session.flush()
            for frame in try session.receive() { try handle(frame, from: event.token, session) }
            if session.isEnded { sessions[event.token] = nil }
        } catch {
            if error != .closed { Journal.write("control connection: \(error)") }
            sessions[event.token] = nil
        }
    }

    private func handle(_ frame: ControlFrame, from token: UInt64, _ session: ControlSession) throws(ProxyControlError)
    {
        let descriptors = session.takeDescriptors(frame.descriptorCount)
        switch frame.kind {
        case .sockets:
            let endpoint = try? frame.decode(Endpoint.self)
            guard let endpoint, supervisor.adopt(descriptors, for: endpoint) else {
                for number in descriptors { _ = haven_close(number) }
                return
            }
        case .plan: try handle(plan: frame.decode(ProxyPlan.self), from: token)
        case .statusRequest:
            let holds = lease.map { ($0.end ?? .zero) > Clock.monotonic() } ?? true
            try session.send(ControlFrame(.status, supervisor.status(holdsLease: holds)))
        case .exchangesRequest:
            let query = try frame.decode(ExchangeQuery.self)
            try session.send(ControlFrame(.exchanges, supervisor.exchanges(query)))
        case .ping:
            guard pings.count < ProxyLimits.pings else { throw .tooLarge(pings.count) }
            pings.append((token, supervisor.threads.knock()))
        case .hello, .result, .status, .pong, .exchanges: throw .protocolBreach("a message for agents")
        }
    }

    private func handle(plan: ProxyPlan, from token: UInt64) throws(ProxyControlError) {
        let refusal = supervisor.apply(plan)
        let failed = supervisor.missingBinds.map { FailedBind(endpoint: $0, reason: "no sockets were handed over") }
        let result = PlanResult(
            generation: supervisor.generation,
            refusal: refusal,
            failedBinds: failed,
            faults: supervisor.encryptionFaults
        )
        checks.replace(supervisor.checkTargets, now: Clock.monotonic())
        if let refusal { Journal.write("plan \(plan.generation) refused: \(refusal)") }
        waiting.append((token, supervisor.publishedSerial, result))
    }

    /// Tells agents about plans that every loop now follows.
    private func answerApplied() {
        // One look at the loops for all: one that arrives in between would be forgotten instead of answered.
        let applied = supervisor.appliedSerial
        for entry in waiting where entry.serial <= applied {
            guard let session = sessions[entry.session] else { continue }
            do throws(ProxyControlError) {
                try session.send(ControlFrame(.result, entry.result))
            } catch { sessions[entry.session] = nil }
        }
        waiting.removeAll { $0.serial <= applied || sessions[$0.session] == nil }
    }

    /// Tells agents that all loops go round.
    private func answerPings() {
        guard !pings.isEmpty else { return }
        let beat = supervisor.threads.oldestBeat
        for ping in pings where ping.beat <= beat {
            guard let session = sessions[ping.session] else { continue }
            do throws(ProxyControlError) {
                try session.send(ControlFrame(.pong, [String: String]()))
            } catch { sessions[ping.session] = nil }
        }
        pings.removeAll { $0.beat <= beat || sessions[$0.session] == nil }
    }
}

/// Rights of this process.
enum Privileges {
    /// Becomes an ordinary user for good, if it is root; forbids to gain rights in any case.
    static func drop(to user: String?) throws(SystemError) {
        guard geteuid() == 0, let user else {
            try SystemError.check("prctl") { haven_no_new_privileges() }
            return
        }
        var (uid, gid): (uid_t, gid_t) = (0, 0)
        if haven_find_user(user, &uid, &gid) < 0 {
            try SystemError.check("getpwnam", "nobody") { haven_find_user("nobody", &uid, &gid) }
        }
        try SystemError.check("setresuid", user) { haven_drop_privileges(uid, gid) }
    }
}
