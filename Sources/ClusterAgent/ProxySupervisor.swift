import AdminAPI
import Balancing
import ClusterModel
import Consensus
import Cryptography
import Dispatch
import Foundation
import LinuxIO
import Logging
import NodeCore
import Processes
import ProxyControl
import Synchronization

/// What the data plane needs to know of the cluster.
struct ProxyView: Equatable, Sendable {
    var listeners: [PlannedListener]

    /// - Parameter listeners: All there is to know, already put together.
    init(listeners: [PlannedListener]) { self.listeners = listeners }

    /// - Parameter core: A server belongs to the node that has its name or its address; it leaves rotation with it.
    init(core: NodeCore) {
        let configuration = core.state.configuration
        let virtual = configuration.virtualAddresses
        var conditions: [NodeID: NodeCondition] = [:]
        for node in configuration.nodes { conditions[node.id] = Self.condition(of: node, core: core) }
        listeners = configuration.listeners.map { listener in
            var nodes: [String: NodeCondition] = [:]
            for server in listener.servers {
                let node = configuration.nodes.first {
                    $0.name == server.name || $0.addresses.contains(server.endpoint.address)
                }
                if let node, let condition = conditions[node.id], condition != .available {
                    nodes[server.name] = condition
                }
            }
            let binds = Set(listener.binds.filter { virtual.contains($0.address) })
            return PlannedListener(listener, virtualBinds: binds, nodes: nodes)
        }
    }

    private static func condition(of node: Node, core: NodeCore) -> NodeCondition {
        if node.id != core.id, let peer = core.consensus.peer(node.id) {
            if case .lost = peer.state { return .lost }
            if let fence = core.state.fences[node.id], fence.incarnation >= peer.incarnation { return .lost }
        }
        return node.standby ? .standby : .available
    }
}

/// Keeps the data plane running with the newest plan, on a thread of its own.
///
/// A proxy that an earlier agent started goes on and is taken over; one that crashed is started again at once.
final class ProxySupervisor: Sendable {
    private struct Shared {
        var wanted: ProxyView?
        /// What keys of session tickets come from.
        var secret: SecretBytes?
        var generation: UInt64 = 0
        var status: ProxyStatus?
        var failedBinds: [FailedBind] = []
        var refusal: String?
        /// What cannot be used of certificates and keys.
        var faults: [String] = []
        var isRunning = false
        var isClosed = false
        var restarts = RestartPace()
        /// Why it was started again the last time.
        var lastFault = ""
        var questions: [ExchangeQuestion] = []
    }

    /// How often the proxy is asked how it is.
    static let statusInterval = Duration.seconds(1)
    /// How often it is looked whether the proxy still runs.
    static let lookInterval = 0.1
    /// How often it is asked whether all its loops go round.
    static let heartbeatInterval = Duration.milliseconds(300)
    /// How long it may be silent before it counts as hung, is killed and started again.
    ///
    /// With the interval that is a second and a half at most. Time in which this process stood still does not count.
    static let hangPatience = Duration.milliseconds(1200)
    /// How long it may be silent while it runs or waits for a processor: starved, or in an endless loop.
    static let busyPatience = Duration.seconds(6)
    /// How long a proxy may take to start.
    static let startPatience = Duration.seconds(5)
    /// How long a running one may take to greet, to tell its status, or to follow a plan.
    static let patience = Duration.seconds(2)
    /// Questions of operators that wait at once.
    static let mostQuestions = 16
    /// How much more it has for a plan, per server in it.
    static let patiencePerServer = Duration.milliseconds(1)

    private let shared = Mutex(Shared())
    private let signal = DispatchSemaphore(value: 0)
    private let program: String?
    private let controlPath: String
    private let leasePath: String
    private let log: Logger

    init(program: String?, controlPath: String, leasePath: String, log: Logger) {
        self.program = program
        self.controlPath = controlPath
        self.leasePath = leasePath
        self.log = log
        let thread = Thread { [self] in run() }
        thread.name = "haven-proxyctl"
        thread.start()
    }

    /// Makes the proxy do what this view says, with keys of session tickets that come from the cluster's secret; returns at
    /// once.
    func update(_ view: ProxyView, secret: SecretBytes? = nil) {
        let changed = shared.withLock { shared in
            guard shared.wanted != view || shared.secret !== secret else { return false }
            shared.wanted = view
            shared.secret = secret
            return true
        }
        if changed { signal.signal() }
    }

    /// Ends the proxy and the thread; returns at once.
    func shutDown() {
        shared.withLock { $0.isClosed = true }
        signal.signal()
    }

    var isRunning: Bool { shared.withLock { $0.isRunning } }

    /// What an operator should know.
    var warnings: [String] {
        shared.withLock { shared in
            guard shared.wanted?.listeners.isEmpty == false else { return [] }
            var warnings: [String] = []
            if program == nil {
                warnings.append("there is no haven-proxy beside havend: listeners do not work on this node")
            }
            if program != nil, !shared.isRunning { warnings.append("haven-proxy does not run on this node") }
            if let refusal = shared.refusal { warnings.append("haven-proxy refused the listeners: \(refusal)") }
            warnings += shared.faults.map { "haven-proxy: \($0)" }
            for bind in shared.failedBinds { warnings.append("\(bind.endpoint) cannot be listened on: \(bind.reason)") }
            let restarts = shared.restarts.count(now: Clock.monotonic())
            if restarts > 0 {
                let times = restarts == 1 ? "once" : "\(restarts) times"
                warnings.append("haven-proxy was started again \(times) within 10 minutes: \(shared.lastFault)")
            }
            return warnings
        }
    }

    private func run() {
        guard let program else { return }
        var child: ChildProcess?
        while !isClosed {
            do {
                let client = try connect(program: program, child: &child)
                shared.withLock { $0.isRunning = true }
                try serve(client, child)
            } catch {
                shared.withLock { $0.isRunning = false }
                refuseQuestions()
                if !isClosed { restart(after: error, &child) }
            }
        }
        shared.withLock { $0.isRunning = false }
        refuseQuestions()
        if let child {
            _ = try? child.stop(.terminate(grace: .seconds(5)))
        } else if let adopted = try? ProxyPeer(path: controlPath) {
            adopted.signal(SIGTERM)
        }
    }

    private var isClosed: Bool { shared.withLock { $0.isClosed } }

    /// Ends what is left of a proxy that failed, and waits until it may be started again.
    private func restart(after error: any Error, _ child: inout ChildProcess?) {
        let fault: String
        switch error as? ProxyControlError {
        case .closed: fault = "it closed the control connection"
        case .timeout: fault = "it gave no answer"
        default: fault = "\(error)"
        }
        endHung(&child)
        let pause = shared.withLock { shared in
            shared.lastFault = fault
            return shared.restarts.restart(now: Clock.monotonic())
        }
        log.warning("haven-proxy: \(fault); it is started again in \(pause.milliseconds) ms")
        let end = Clock.monotonic() + pause
        while !isClosed, Clock.monotonic() < end {
            let left = Double((end - Clock.monotonic()).milliseconds + 1) / 1000
            _ = signal.wait(timeout: .now() + max(0, left))
        }
    }

    /// Kills a proxy at once, whoever started it: one that hangs would keep its listening sockets, and with them its
    /// share of the clients.
    private func endHung(_ child: inout ChildProcess?) {
        if let child { _ = try? child.stop(.kill) }
        child = nil
        guard let peer = try? ProxyPeer(path: controlPath) else { return }
        peer.signal(SIGKILL)
        if !peer.waitForEnd(deadline: Clock.monotonic() + Self.patience) {
            log.error("haven-proxy: process \(peer.process) cannot be killed")
        }
    }

    private func connect(program: String, child: inout ChildProcess?) throws -> ProxyClient {
        // Nobody there is no fault; one that is there and does not greet is.
        if (try? ProxyPeer(path: controlPath)) != nil {
            return try ProxyClient(path: controlPath, deadline: Clock.monotonic() + Self.patience)
        }
        let started = try ChildProcess(invocation(program))
        child = started
        log.notice("haven-proxy started")
        let deadline = Clock.monotonic() + Self.startPatience
        while true {
            do {
                return try ProxyClient(path: controlPath, deadline: deadline)
            } catch {
                if Clock.monotonic() >= deadline { throw error }
                // The socket is not there yet; the child's end would end the wait early.
                _ = try started.wait(until: Clock.monotonic() + .milliseconds(10)) { $0.exit != nil }
                if let exit = started.exit { throw AgentFailure("it did not start (\(exit))") }
            }
        }
    }

    private func invocation(_ program: String) -> Invocation {
        var invocation = Invocation(
            program,
            [
                "--control", controlPath, "--lease", leasePath, "--user", Self.user, "--threads", String(Self.threads),
            ]
        )
        invocation.directory = "/"
        invocation.newSession = true
        invocation.output = .descriptor(1)
        invocation.errors = .descriptor(2)
        return invocation
    }

    /// Whom the proxy becomes; where there is no such user it becomes `nobody`.
    private static let user = "haven-proxy"
    private static let threads = max(1, min(ProcessInfo.processInfo.activeProcessorCount, 4))

    private func serve(_ client: ProxyClient, _ child: ChildProcess?) throws {
        var applied: [PlannedListener]?
        var seen: ProxyView?
        var files = CertificateFiles()
        var nextLook = Clock.monotonic()
        var nextStatus = Clock.monotonic()
        var nextHeartbeat = Clock.monotonic()
        while !isClosed {
            if Clock.monotonic() >= nextHeartbeat {
                try client.heartbeat(patience: Self.hangPatience, busyPatience: Self.busyPatience)
                nextHeartbeat = Clock.monotonic() + Self.heartbeatInterval
            }
            let (view, secret) = shared.withLock { ($0.wanted, $0.secret) }
            if let view, view != seen || Clock.monotonic() >= nextLook {
                let keys = secret.map { TicketKeys.keys(from: $0, wallClock: Clock.wallMilliseconds()) } ?? []
                let listeners = files.complete(view.listeners, ticketKeys: keys)
                nextLook = Clock.monotonic() + CertificateFiles.lookInterval
                seen = view
                if listeners != applied { try apply(listeners, client) }
                applied = listeners
            }
            if Clock.monotonic() >= nextStatus {
                let status = try client.status(deadline: Clock.monotonic() + Self.patience)
                shared.withLock { $0.status = status }
                nextStatus = Clock.monotonic() + Self.statusInterval
            }
            try answerQuestions(client)
            child?.progress()
            if let exit = child?.exit { throw AgentFailure("it ended (\(exit))") }
            _ = signal.wait(timeout: .now() + Self.lookInterval)
        }
    }

    private func apply(_ listeners: [PlannedListener], _ client: ProxyClient) throws {
        let generation = shared.withLock { shared in
            shared.generation += 1
            return shared.generation
        }
        let plan = ProxyPlan(generation: generation, listeners: listeners)
        let servers = listeners.reduce(0) { $0 + $1.listener.servers.count }
        let result = try client.apply(
            plan,
            deadline: Clock.monotonic() + Self.patience + Self.patiencePerServer * servers
        )
        shared.withLock { shared in
            shared.failedBinds = result.failedBinds
            shared.refusal = result.refusal
            shared.faults = result.faults
        }
    }

    /// Has a question put to the proxy, by the thread that talks to it; false when too many wait already, or it does not
    /// run.
    func ask(_ question: ExchangeQuestion) -> Bool {
        let isTaken = shared.withLock { shared in
            guard shared.isRunning, !shared.isClosed, shared.questions.count < Self.mostQuestions else { return false }
            shared.questions.append(question)
            return true
        }
        if isTaken { signal.signal() }
        return isTaken
    }

    private func takeQuestions() -> [ExchangeQuestion] {
        shared.withLock { shared in
            defer { shared.questions = [] }
            return shared.questions
        }
    }

    private func answerQuestions(_ client: ProxyClient) throws {
        var questions = takeQuestions()[...]
        do {
            while let question = questions.first {
                let report = try client.exchanges(question.query, deadline: Clock.monotonic() + Self.patience)
                questions.removeFirst()
                question.answer(report)
            }
        } catch {
            for question in questions { question.answer(nil) }
            throw error
        }
    }

    private func refuseQuestions() {
        for question in takeQuestions() { question.answer(nil) }
    }

    /// Listeners and servers for operators: the configuration with what the proxy says of it.
    func listenerViews(_ configuration: ClusterConfiguration) -> [ListenerView] {
        let (status, failedBinds) = shared.withLock { ($0.isRunning ? $0.status : nil, $0.failedBinds) }
        let now = Clock.wallMilliseconds()
        return configuration.listeners.map { listener in
            let known = status?.listeners.first { $0.name == listener.name }
            var view = ListenerView(name: listener.name, binds: listener.binds, mode: listener.mode)
            view.connections = known?.connections ?? 0
            view.totalConnections = known?.accepted ?? 0
            view.failure = failedBinds.first { listener.binds.contains($0.endpoint) }.map {
                "\($0.endpoint): \($0.reason)"
            }
            view.servers = listener.servers.map { server in
                Self.view(of: server, known?.servers.first { $0.name == server.name }, now: now)
            }
            return view
        }
    }

    private static func view(of server: Server, _ report: ServerReport?, now: Int64) -> ServerView {
        let isUp = report?.status != .down
        var view = ServerView(
            name: server.name,
            endpoint: server.endpoint,
            weight: server.weight,
            state: server.state,
            health: server.check == nil && isUp ? .unchecked : isUp ? .up : .down
        )
        view.isBackup = server.isBackup
        guard let report else {
            view.reason = "unknown"
            return view
        }
        if report.node != .available {
            view.reason = "node \(report.node.rawValue)"
        } else if let check = report.lastCheck {
            view.reason = check.result.rawValue + (check.httpStatus.map { " \($0)" } ?? "")
        }
        view.since = Milliseconds(max(0, now - report.since))
        view.connections = report.connections
        view.totalConnections = report.requests
        return view
    }
}
