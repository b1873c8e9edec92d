import AdminAPI
import ClusterConfig
import ClusterModel
import HavenCommands

/// A cluster in memory that answers as an agent does, and a terminal that remembers.
final class CommandLineHarness {
    var configuration: ClusterConfiguration
    var version: ConfigurationVersion = 1
    /// What is answered in the place of the usual; tests of failures set it.
    var answer: ((AdminRequest) throws(AdminClientError) -> AdminResponse?)?
    var files: [String: String] = [:]
    var requests: [AdminRequest] = []
    private var output: [String] = []
    private var errors: [String] = []

    init(nodes: [String] = ["controller1", "controller2"]) {
        configuration = ClusterConfiguration(name: "openstack", nodes: [])
        for (index, name) in nodes.enumerated() {
            let address = IPAddress(bytes: [192, 168, 0, UInt8(10 + index)])
            let id = NodeID(UInt8(index + 1))
            configuration.nodes.append(Node(id: id, name: name, addresses: address.map { [$0] } ?? []))
        }
    }

    /// Runs words as a shell would pass them; the code, and what was printed.
    @discardableResult
    func run(_ line: String) -> (code: Int32, output: String, errors: String) {
        (output, errors) = ([], [])
        let words = (try? CommandWords.split(line)) ?? []
        let code = Haven.run(words, session)
        return (code, output.joined(separator: "\n"), errors.joined(separator: "\n"))
    }

    private var session: Session {
        Session(
            send: { [self] request throws(AdminClientError) in try reply(request) },
            print: { [self] in output.append($0) },
            printError: { [self] in errors.append($0) },
            readFile: { [self] path throws(CommandFailure) in
                guard let text = files[path] else { throw CommandFailure(.failed, "\(path): no such file") }
                return text
            },
            readSecret: { [self] parameter, source throws(CommandFailure) in
                guard case .file(let path) = source else { return source == .stored ? .masked : Secret("typed") }
                guard let text = files[path] else { throw CommandFailure(.failed, "\(path): no such file") }
                return Secret(text)
            }
        )
    }

    private func reply(_ request: AdminRequest) throws(AdminClientError) -> AdminResponse {
        requests.append(request)
        if let answer, let response = try answer(request) { return response }
        switch request {
        case .configuration: return .configuration(masked, version: version)
        case .status: return .status(exampleStatus())
        case .edit(let edit, let expected):
            if let expected, expected != version { return .failed(AdminFailure(.conflict, "it changed meanwhile")) }
            do throws(EditError) {
                configuration = try configuration.applying(edit)
            } catch {
                return .failed(AdminFailure(.refused, "\(error)"))
            }
            version += 1
            return .done(version: version, notes: [])
        case .token: return .token("TOKEN")
        case .keyStatus:
            var view = KeyView(current: 2, newest: 3, oldest: 1)
            view.waitsFor = ["controller2"]
            return .keys(view)
        case .rotateKey, .retireKey: return .done(version: version, notes: ["carried out"])
        case .linkStatus: return .links(exampleLinks())
        case .timing: return .timing(exampleTiming())
        case .quorumStatus: return .quorum(exampleStatus().quorum)
        case .exchanges: return .exchanges(exampleExchanges())
        case .loadBalancerStatus:
            let view = LoadBalancerView(node: "controller1", proxyRuns: true, listeners: exampleStatus().listeners)
            return .loadBalancer(LoadBalancerReport(nodes: [view]))
        case .move, .cleanup, .fence, .confirmOff, .stop, .stopNode, .stopAll, .unblock:
            return .done(version: version, notes: ["carried out"])
        case .failoverCheck: return .failover(FailoverView(node: "controller1", moves: [], objections: []))
        }
    }

    /// As secrets look on the wire.
    private var masked: ClusterConfiguration {
        var copy = configuration
        for index in copy.fenceDevices.indices {
            copy.fenceDevices[index].secrets = copy.fenceDevices[index].secrets.mapValues { _ in .masked }
        }
        return copy
    }
}

/// What a proxy did: an answer, a redispatch, and an answer of its own.
func exampleExchanges() -> ExchangesView {
    let servers = [
        ServerReasonsView(name: "controller1", picks: ["cookie": 12, "noCookie": 3], retries: 2),
        ServerReasonsView(name: "controller2", picks: [:], retries: 0),
    ]
    let listener = ListenerReasonsView(
        name: "horizon",
        clientCookies: ["V": 12, "N": 3],
        serverCookies: ["N": 12, "I": 3],
        servers: servers
    )
    var plain = ExchangeView(at: 1_795_370_645_000, client: "192.0.2.7:4711", total: 12)
    (plain.listener, plain.server, plain.pick, plain.cookie) = ("horizon", "controller1", "cookie", "VN")
    (plain.status, plain.connected, plain.answered) = (200, 0, 11)
    var moved = plain
    (moved.pick, moved.cookie, moved.retries, moved.isRedispatched) = ("redispatch", "DI", 2, true)
    moved.isCut = true
    var refused = ExchangeView(at: 1_795_370_646_000, client: "[2001:db8::7]:4711", total: 0)
    (refused.listener, refused.answer, refused.status, refused.cookie) = ("horizon", "no-server", 503, "NN")
    return ExchangesView(node: "controller1", listeners: [listener], exchanges: [plain, moved, refused])
}

/// A link in each state.
func exampleLinks() -> [LinkView] {
    guard let local = IPAddress("10.0.0.1"), let remote = IPAddress("10.0.0.2"), let second = IPAddress("10.1.0.2")
    else { return [] }
    var up = LinkView(node: "controller2", link: 0, local: local, remote: remote, state: .up)
    (up.isChosen, up.roundTripMicroseconds, up.mtu, up.lossOutPerMille) = (true, 214, 1500, 15)
    var held = LinkView(node: "controller2", link: 1, local: local, remote: second, state: .held)
    (held.heldFor, held.roundTripMicroseconds, held.mtu) = (10_000, 12_045, 9000)
    var down = LinkView(node: "controller3", link: 0, local: local, remote: remote, state: .down)
    down.lastHeard = 65_000
    return [up, held, down]
}

/// The times of `lan`, with one node elsewhere.
func exampleTiming() -> TimingView {
    TimingView(
        profile: .lan,
        heartbeatInterval: 100,
        suspectAfter: 300,
        lostAfter: 600,
        electionTimeout: 600,
        lease: 480,
        grace: 100,
        clockRateErrorPercent: 10,
        promisedFailover: 1200,
        longestFailover: 2000,
        nodesElsewhere: ["controller3"]
    )
}

/// A status with something in every part.
func exampleStatus() -> StatusView {
    let voters = [
        QuorumView.Voter(node: "controller1", incarnation: 4, isHeard: true, lastHeard: nil),
        QuorumView.Voter(node: "controller2", incarnation: 2, isHeard: true, lastHeard: 40),
        QuorumView.Voter(node: "controller3", incarnation: 7, isHeard: false, lastHeard: 65_000),
    ]
    let quorum = QuorumView(isQuorate: true, leader: "controller2", term: 5, needed: 2, voters: voters)
    var view = StatusView(
        cluster: "openstack",
        answeredBy: "controller1",
        version: 12,
        digest: "1a2b3c4d",
        quorum: quorum
    )
    view.nodes = (1...3).map { number in
        var node = NodeView(
            name: "controller\(number)",
            id: NodeID(UInt8(number)),
            addresses: [],
            state: number == 3 ? .fencing : .online,
            standby: number == 2
        )
        node.digest = number == 2 ? "ffff0000" : "1a2b3c4d"
        if number == 1 { node.leaseRemaining = 430 }
        if number == 3 { node.lastHeard = 65_000 }
        return node
    }
    view.warnings = ["stonith-enabled is false: what must not run twice waits for lost nodes"]
    var vip = ResourceView(
        name: "VirtualIP",
        agentName: "ocf::heartbeat:IPaddr2",
        enabled: true,
        state: .started,
        node: "controller1"
    )
    vip.address = IPAddress("192.168.0.30")
    var app = ResourceView(
        name: "App",
        agentName: "process",
        enabled: true,
        state: .blocked,
        reason: "waits for the fence"
    )
    app.failures = [ResourceView.Failure(node: "controller2", count: 2, reason: "exit code 1")]
    let job = ResourceView(name: "Job", agentName: "ocf::heartbeat:Dummy", enabled: false, state: .stopped)
    view.resources = [vip, app, job]
    view.fenceDevices = [
        FenceDeviceView(name: "ipmi1", agent: "fence_ipmilan", targets: ["controller1"]),
        FenceDeviceView(name: "ipmi2", agent: "fence_ipmilan", targets: ["controller2"]),
        FenceDeviceView(name: "ipmi3", agent: "fence_ipmilan", targets: ["controller3"], failure: "no answer"),
    ]
    view.fenceDevices[0].checks = [
        .init(node: "controller2", ago: 12_300), .init(node: "controller3", ago: 60_000),
    ]
    view.fenceDevices[1].checks = []
    view.fenceDevices[2].checks = [
        .init(node: "controller1", ago: 2000, failure: "no answer"), .init(node: "controller2", ago: 3000),
    ]
    var fence = FenceRecord(incarnation: 6, reason: "lost", orderedAt: 1_795_370_645_000)
    fence.outcome = .verified
    fence.endedAt = 1_795_370_649_200
    view.fences = [FenceView(node: "controller3", record: fence)]
    view.listeners = exampleListeners()
    return view
}

private func exampleListeners() -> [ListenerView] {
    guard let bind = Endpoint("192.168.0.30:80"), let first = Endpoint("192.168.0.10:80"),
        let second = Endpoint("192.168.0.11:80"), let third = Endpoint("192.168.0.12:80")
    else { return [] }
    var up = ServerView(name: "controller1", endpoint: first, health: .up, reason: "L7OK 200")
    up.since = 3_700_000
    up.connections = 1
    let drained = ServerView(name: "controller2", endpoint: second, weight: 5, state: .drain, health: .up)
    let down = ServerView(name: "controller3", endpoint: third, health: .down, reason: "node lost")
    var listener = ListenerView(name: "horizon", binds: [bind], mode: .http, servers: [up, drained, down])
    listener.connections = 12
    return [listener]
}
