import Balancing
import ClusterModel
import LinuxIO
import ProxyControl

/// A server of the current plan with its number, health and last check.
struct LiveServer {
    let id: Int32
    var configuration: Server
    var node: NodeCondition
    var health: HealthMachine
    /// Whether its checks want no new clients for it.
    var isStopping = false
    /// What its agent has said.
    var agent = AgentOpinion()
    /// The last line of its agent.
    var agentText: String?
    /// The state of the server that it tracks.
    var tracked: ServerStatus?
    var lastCheck: CheckReport?
    /// Whether a check or its agent has said something, to this process or to an earlier one.
    var isKnown = false
    /// When its status last changed, in milliseconds since 1970.
    var since: Int64
    /// The status that was told last.
    var shown = ServerStatus.up
    /// Raised whenever all its connections shall end.
    var sessions: UInt32 = 0
    /// Since when the number is its own.
    var created: Instant
    /// When it came up again, while its share still grows; nil for one that has its whole share.
    var risen: Instant?
    /// How much of its weight it has.
    var sixteenths = SlowStart.whole
    /// How connections to it are encrypted; nil where they are not, or while its files cannot be used.
    var tls: TLSContext?
    /// What is wrong with its files.
    var tlsFault: String?

    var condition: ServerCondition {
        var admin = agent.admin(with: configuration.state)
        var isHealthy = agent.isUp && (configuration.check == nil || health.isUp)
        switch tracked {
        case .maint: admin = .maint
        case .drain: admin = admin == .maint ? .maint : .drain
        case .down: isHealthy = false
        case .up, .stopping, nil: break
        }
        return ServerCondition(
            admin: admin,
            isHealthy: isHealthy,
            isStopping: isStopping || tracked == .stopping,
            node: node,
            weight: agent.weight(of: configuration.weight)
        )
    }

    /// How its checks are encrypted: as clients' connections, unless they go to another place, as in HAProxy.
    var checkEncryption: CheckEncryption? {
        guard let settings = configuration.tls, configuration.check?.port == nil, configuration.check?.address == nil
        else { return nil }
        return CheckEncryption(context: tls, serverName: settings.serverName)
    }

    /// What the next process should know.
    var memory: HealthMemory? {
        guard isKnown else { return nil }
        return HealthMemory(
            endpoint: configuration.endpoint,
            isUp: health.isUp,
            isStopping: isStopping,
            agent: agent,
            since: since
        )
    }

    /// A server of a new plan, with the health that it has already; another address makes it another server.
    ///
    /// - Parameters:
    ///   - known: The server of the plan before.
    ///   - server: Its configuration.
    ///   - node: What the cluster says of its node.
    ///   - id: Its number.
    ///   - memory: What an earlier process knew.
    init(_ known: LiveServer?, _ server: Server, _ node: NodeCondition, id: Int32, memory: HealthMemory?) {
        let check = server.check ?? ServerCheck()
        let fresh = HealthMachine(rise: check.rise, fall: check.fall)
        guard let known, known.configuration.endpoint == server.endpoint else {
            let created = known?.created ?? Clock.monotonic()
            self.init(id: id, configuration: server, node: node, health: fresh, created: created)
            if let memory, memory.endpoint == server.endpoint { recall(memory) }
            forgetWhatNobodySays(fresh)
            shown = condition.status
            return
        }
        self = known
        // A node that was lost comes back as a machine that has just booted.
        if known.node == .lost, node != .lost { health.distrust() }
        configuration = server
        self.node = node
        health.configure(rise: check.rise, fall: check.fall)
        forgetWhatNobodySays(fresh)
        if server.slowStart == nil { growAtOnce() }
    }

    private init(
        id: Int32,
        configuration: Server,
        node: NodeCondition,
        health: HealthMachine,
        created: Instant
    ) {
        self.id = id
        self.created = created
        self.configuration = configuration
        self.node = node
        self.health = health
        since = Clock.wallMilliseconds()
    }

    private mutating func recall(_ memory: HealthMemory) {
        health.restore(isUp: memory.isUp)
        isStopping = memory.isStopping
        agent = memory.agent
        since = memory.since
        isKnown = true
    }

    /// While nothing checks it, nothing is known about it.
    private mutating func forgetWhatNobodySays(_ fresh: HealthMachine) {
        let isIdle = configuration.state == .maint
        if configuration.check == nil || isIdle {
            health = fresh
            isStopping = false
        }
        if configuration.agent == nil || isIdle {
            agent = AgentOpinion()
            agentText = nil
        }
        if configuration.track == nil { tracked = nil }
        if (configuration.check == nil && configuration.agent == nil) || isIdle { isKnown = false }
    }

    /// Takes in the result of a check.
    mutating func receive(_ report: CheckReport) {
        var report = report
        // A 404 of a server that is down is no sign of life.
        if report.result == .conditionallyPassed, !health.isUp { report.result = .wrongStatus }
        lastCheck = report
        isKnown = true
        _ = health.receive(passed: report.result.isPass)
        if report.result.isPass || !health.isUp { isStopping = report.result == .conditionallyPassed }
    }

    /// Takes in what its agent says.
    mutating func receive(_ reply: AgentReply) {
        agent.take(reply)
        agentText = reply.text
        isKnown = true
    }

    /// Takes in that clients' traffic had too many errors.
    mutating func receiveErrors() {
        guard health.isUp, let observe = configuration.observe else { return }
        let reaction = observe.onError ?? .failCheck
        if reaction != .fastinter {
            let limit = observe.errorLimit ?? Observation.usualErrorLimit
            lastCheck = CheckReport(result: .observed, milliseconds: 0, info: "\(limit) errors in a row")
        }
        _ = health.receive(reaction)
        if !health.isUp { isStopping = false }
    }

    /// Why it is what it is, for the log.
    var reason: String {
        if let track = configuration.track { return "tracks \(track.listener)/\(track.server)" }
        if !agent.isUp || agent.admin != .ready { return "agent: \(agentText ?? "")" }
        guard let lastCheck else { return "not checked" }
        let status = lastCheck.httpStatus.map { ", status \($0)" } ?? ""
        let info = lastCheck.info.map { ", \($0)" } ?? ""
        return lastCheck.result.rawValue + status + info
    }
}
