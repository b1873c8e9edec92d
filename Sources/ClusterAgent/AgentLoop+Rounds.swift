import AdminAPI
import ClusterModel
import ClusterSetup
import Consensus
import LinuxIO
import NodeCore

/// A round with what is done at its end.
struct OpenRound {
    var round: PeerRound
    let finish: (PeerRound) -> Void
}

extension AgentLoop {
    /// How long other nodes may take to say that they stop: many losses in a row, and a short partition.
    private static let stopPatience = Duration.seconds(5)
    /// How long other nodes may take to say what their proxies see.
    private static let viewPatience = Duration.seconds(2)

    /// When a round wants to go on.
    var roundsDeadline: Instant? { rounds.map(\.round.nextDeadline).min() }

    /// Stops all nodes, this one too; answered once each other node has taken the order.
    ///
    /// With a quorum that is written down first: then nobody is missed, and any majority can start the cluster again.
    func stopEveryNode(uid: UInt32, _ reply: @escaping @Sendable (AdminResponse) -> Void) {
        guard core.consensus.isQuorate else { return orderEveryNode(uid: uid, reply) }
        take(.stopAll, uid: uid) { [inbox] response in
            if case .failed = response { return reply(response) }
            inbox.put(.stopRecorded(uid: uid, reply: reply))
        }
    }

    /// Has another node's agent end its work.
    func stop(_ name: NodeName, uid: UInt32, _ reply: @escaping @Sendable (AdminResponse) -> Void) {
        guard let node = core.state.configuration.node(named: name), node.id != core.id else {
            return reply(.failed(noOtherNode(name)))
        }
        let version = core.state.version
        if hasEnded(node.id) { return reply(.done(version: version, notes: [])) }
        ask([node.id], .stop(everyNode: false), uid: uid, Self.stopPatience, reply) { round in
            if round.silent.isEmpty { return reply(.done(version: version, notes: [])) }
            reply(.failed(AdminFailure(.failed, "no answer from \(name)", remedy: "is its agent running?")))
        }
    }

    /// This node leaves at the same time as it asks the others, so that nothing moves to it only to be stopped again.
    func orderEveryNode(uid: UInt32, _ reply: @escaping @Sendable (AdminResponse) -> Void) {
        let others = core.state.configuration.nodes.map(\.id).filter { $0 != core.id && !hasEnded($0) }
        let version = core.state.version
        ask(others, .stop(everyNode: false), uid: uid, Self.stopPatience, reply) { [unowned self] round in
            let silent = names(of: round.silent)
            if silent.isEmpty { return reply(.done(version: version, notes: [])) }
            let failure = AdminFailure(
                .failed,
                "no answer from \(silent.joined(separator: ", ")); the other nodes stop",
                remedy: "if the agent runs there, stop it there: haven cluster stop"
            )
            reply(.failed(failure))
        }
        if !isLeaving { beginLeaving() }
    }

    /// What the proxies of all nodes see; lost nodes are not waited for.
    func askEveryProxy(_ listener: String?, uid: UInt32, _ reply: @escaping @Sendable (AdminResponse) -> Void) {
        guard case .loadBalancer(let own) = loadBalancerStatus(listener) else {
            return reply(loadBalancerStatus(listener))
        }
        let others = core.state.configuration.nodes.map(\.id).filter { $0 != core.id }
        let request = AdminRequest.loadBalancerStatus(listener: listener, everyNode: false)
        ask(others.filter(core.isHeard), request, uid: uid, Self.viewPatience, reply) { [unowned self] round in
            var report = own
            for node in others {
                if case .loadBalancer(let answer)? = round.answers[node] {
                    report.nodes += answer.nodes
                } else {
                    report.silent += names(of: [node])
                }
            }
            reply(.loadBalancer(report))
        }
    }

    /// Puts a request to several nodes; `finish` runs once all have answered or the time is over.
    private func ask(
        _ nodes: [NodeID],
        _ request: AdminRequest,
        uid: UInt32,
        _ patience: Duration,
        _ reply: (AdminResponse) -> Void,
        finish: @escaping (PeerRound) -> Void
    ) {
        guard rounds.count < Self.mostRounds, let id = try? SystemRandom.random128() else {
            return reply(.failed(AdminFailure(.refused, "too many requests are under way; try again")))
        }
        let now = Clock.monotonic()
        let round = PeerRound(id: id, request, uid: uid, to: nodes, now: now, patience)
        rounds.append(OpenRound(round: round, finish: finish))
        advanceRounds(now: now)
    }

    /// A node's answer, if it belongs to a round.
    func takeRoundAnswer(_ id: Random128, _ response: AdminResponse, from node: NodeID) {
        guard let index = rounds.firstIndex(where: { $0.round.id == id }) else { return }
        rounds[index].round.take(response, from: node)
    }

    /// Asks those that are silent again, and ends rounds that are over.
    func advanceRounds(now: Instant) {
        for index in rounds.indices {
            for node in rounds[index].round.silent where hasEnded(node) { rounds[index].round.takeEnd(of: node) }
            let (id, request, uid) = (rounds[index].round.id, rounds[index].round.request, rounds[index].round.uid)
            for node in rounds[index].round.due(now: now) {
                links.send(.request(id, request, uid: uid), to: node, now: now)
            }
        }
        let over = rounds.filter { $0.round.isOver(now: now) }
        rounds.removeAll { $0.round.isOver(now: now) }
        for open in over { open.finish(open.round) }
        if hasLeft, rounds.isEmpty, ending == nil { ending = .left }
    }

    private func names(of nodes: some Sequence<NodeID>) -> [NodeName] {
        nodes.sorted().map(name)
    }

    /// Whether a node's agent said that it ends.
    private func hasEnded(_ node: NodeID) -> Bool { core.consensus.peer(node)?.state == .left }
}
