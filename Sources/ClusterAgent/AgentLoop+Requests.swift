import AdminAPI
import ClusterModel
import ClusterSetup
import Consensus
import LinuxIO
import Logging
import NodeCore

extension AgentLoop {
    /// Answers an operator of this node, now or when the leader has.
    func answer(_ request: AdminRequest, uid: UInt32, reply: @escaping @Sendable (AdminResponse) -> Void) {
        switch request {
        case .quorumStatus: reply(.quorum(statusBuilder().quorum()))
        case .timing: reply(.timing(StatusBuilder(core: core, now: Clock.monotonic()).timing()))
        case .keyStatus: reply(.keys(keyView()))
        case .linkStatus: reply(.links(linkViews()))
        case .loadBalancerStatus(let listener, let everyNode):
            everyNode ? askEveryProxy(listener, uid: uid, reply) : reply(loadBalancerStatus(listener))
        case .exchanges(let listener, let last): exchanges(listener, last: last, reply)
        case .token(let node): reply(token(for: node))
        case .stop(everyNode: true): stopEveryNode(uid: uid, reply)
        case .stop(everyNode: false):
            reply(.done(version: core.state.version, notes: []))
            beginLeaving()
        case .status:
            let own = counters.view(of: core.state.configuration.node(core.id)?.name ?? "", now: Clock.monotonic())
            let links = linkViews()
            let notices = notices + arbiterWarnings
            take(request, uid: uid) { reply(Self.adding(own, links, notices, to: $0)) }
        case .stopNode(let node): stop(node, uid: uid, reply)
        case .unblock(let dead): reply(unblock(dead))
        case .configuration, .failoverCheck, .edit, .move, .cleanup, .fence, .confirmOff, .stopAll, .rotateKey,
            .retireKey:
            take(request, uid: uid, reply)
        }
    }

    /// What only this node knows, beside what the leader answered.
    private static func adding(
        _ agent: AgentView,
        _ links: [LinkView],
        _ notices: [String],
        to response: AdminResponse
    ) -> AdminResponse {
        guard case .status(var view) = response else { return response }
        view.agent = agent
        view.links = links
        // Whoever leads may not have seen what this node was alarmed by.
        view.warnings += notices.filter { !view.warnings.contains($0) }
        // A node that is gone altogether is told elsewhere.
        let online = Set(view.nodes.filter { $0.state == .online }.map(\.name))
        view.warnings += links.filter { $0.state != .up && online.contains($0.node) }
            .map { "link \($0.link) from \(agent.node) to \($0.node) (\($0.remote)) is \($0.state.rawValue)" }
        return .status(view)
    }

    /// What the leader answers best, and any node as well as it can without one; nil for what is no question.
    func answerQuestion(_ request: AdminRequest) -> AdminResponse? {
        switch request {
        case .status: .status(status())
        case .configuration: .configuration(core.state.configuration, version: core.state.version)
        case .failoverCheck(let node): failoverCheck(node)
        default: nil
        }
    }

    func take(_ request: AdminRequest, uid: UInt32, _ reply: @escaping @Sendable (AdminResponse) -> Void) {
        guard let id = try? SystemRandom.random128() else {
            reply(.failed(AdminFailure(.failed, "the kernel gives no random numbers")))
            return
        }
        take(request, id: id, uid: uid, origin: .here(reply))
    }

    private func take(_ request: AdminRequest, id: Random128, uid: UInt32, origin: RequestDesk.Origin) {
        var actions: [RequestDesk.Action] = []
        let now = Clock.monotonic()
        desk.take(request, id: id, uid: uid, origin: origin, core: core, now: now, into: &actions)
        carryOut(actions)
    }

    /// A request that another node sent on.
    func handleForwarded(_ request: AdminRequest, id: Random128, uid: UInt32, from peer: NodeID) {
        switch request {
        // Taken any number of times: only an answer ends the asking, and it may get lost.
        case .stop:
            let taken = AdminResponse.done(version: core.state.version, notes: [])
            links.send(.answer(id, taken), to: peer, now: Clock.monotonic())
            if !isLeaving { beginLeaving() }
        case .loadBalancerStatus(let listener, _):
            links.send(.answer(id, loadBalancerStatus(listener)), to: peer, now: Clock.monotonic())
        case .status, .configuration, .failoverCheck, .edit, .move, .cleanup, .fence, .confirmOff, .stopAll,
            .rotateKey, .retireKey:
            take(request, id: id, uid: uid, origin: .peer(peer))
        case .quorumStatus, .timing, .linkStatus, .keyStatus, .exchanges, .token, .stopNode, .unblock: break
        }
    }

    /// Lets waiting requests go on.
    func advanceDesk() {
        guard !desk.pending.isEmpty else { return }
        var actions: [RequestDesk.Action] = []
        desk.advance(core: core, now: Clock.monotonic(), into: &actions)
        carryOut(actions)
    }

    private func statusBuilder() -> StatusBuilder {
        var builder = StatusBuilder(core: core, now: Clock.monotonic())
        builder.arbiterWatch = arbiterWatch
        return builder
    }

    private func status() -> StatusView {
        var builder = statusBuilder()
        builder.wallClock = Clock.wallMilliseconds()
        builder.listeners = proxy.listenerViews(core.state.configuration)
        builder.ownWarnings = notices + operations.warnings + guarding.warnings + proxy.warnings + stallWarnings
        builder.ownWarnings += arbiterWarnings
        builder.foreignLevels = links.foreignLevels
        if let trouble = diskHealth.trouble {
            builder.ownWarnings.append("\(builder.name(of: core.id)) takes no part: \(trouble)")
        }
        return builder.status(digest: core.consensus.configurationDigest)
    }

    func loadBalancerStatus(_ name: String?) -> AdminResponse {
        let configuration = core.state.configuration
        if let name, configuration.listener(named: name) == nil {
            return .failed(noListener(name))
        }
        let views = proxy.listenerViews(configuration).filter { name == nil || $0.name == name }
        let own = configuration.node(core.id)?.name ?? ""
        let view = LoadBalancerView(node: own, proxyRuns: proxy.isRunning, listeners: views)
        return .loadBalancer(LoadBalancerReport(nodes: [view]))
    }

    /// Everything that an operator can do about a lost quorum; what speaks against it is told before anything is done.
    private func unblock(_ names: [NodeName]) -> AdminResponse {
        var dead: [Voter] = []
        for name in names {
            guard let node = core.state.configuration.node(named: name), node.id != core.id else {
                return .failed(noOtherNode(name))
            }
            dead.append(Voter(node: node.id, incarnation: core.newestIncarnation(of: node.id)))
        }
        if core.isBeingRemoved() {
            let text = "this node is being taken out of the cluster: its newest configuration does not name it"
            return .failed(AdminFailure(.refused, text, remedy: "use haven quorum unblock on another node"))
        }
        if let objection = core.consensus.objectionToActingAlone(confirmed: NodeSet(dead.map(\.node))) {
            return .failed(refusal(objection))
        }
        guard let number = try? SystemRandom.random128() else {
            return .failed(AdminFailure(.failed, "the kernel gives no random numbers"))
        }
        log.warning("an operator says that \(names.joined(separator: ", ")) is dead: this node goes on alone")
        feed(.actAlone(dead, branchID: number.low))
        return .done(version: core.state.version, notes: ["this node goes on; the others join it when they are heard"])
    }

    private func refusal(_ objection: ActingAloneObjection) -> AdminFailure {
        switch objection {
        case .quorate: AdminFailure(.refused, "there is a quorum; nothing is blocked")
        case .meeting:
            AdminFailure(.refused, "a node with another history is heard; one of the two gives way by itself")
        case .unfit: AdminFailure(.refused, "this node has no log to go on with; do it on one that has")
        case .alone:
            AdminFailure(
                .refused,
                "this node is the only voter and needs nobody; it leads in a moment",
                remedy: "see haven quorum status"
            )
        case .unconfirmed(let node):
            AdminFailure(
                .refused,
                "\(name(of: node)) votes and is silent",
                remedy: "if it is off and stays so, name it too: haven quorum unblock … \(name(of: node)) --yes"
            )
        case .heard(let node): AdminFailure(.refused, "\(name(of: node)) is heard, so it is not dead")
        case .knowsMore(let node):
            AdminFailure(.refused, "\(name(of: node)) has more of the log", remedy: "run this command there")
        }
    }

    /// What is said of a name that no listener has.
    func noListener(_ name: String) -> AdminFailure {
        let names = core.state.configuration.listeners.map(\.name).joined(separator: ", ")
        return AdminFailure(.refused, "there is no listener \"\(name)\"; listeners: \(names)")
    }

    /// What is said of a name that is this node's own, or nobody's.
    func noOtherNode(_ name: NodeName) -> AdminFailure {
        let names = core.state.configuration.nodes.map(\.name).joined(separator: ", ")
        return AdminFailure(.refused, "\"\(name)\" is no other node of this cluster; nodes: \(names)")
    }

    private func token(for name: NodeName) -> AdminResponse {
        guard let node = core.state.configuration.node(named: name), node.id != core.id else {
            return .failed(noOtherNode(name))
        }
        // Whoever joins with the token takes the running node's place, which would have to end.
        if case .alive? = core.consensus.peer(node.id)?.state {
            let remedy = "to give its place to a machine, stop it first: haven cluster stop on \(name)"
            return .failed(AdminFailure(.refused, "\(name) runs and is a member", remedy: remedy))
        }
        do throws(SetupError) {
            let known = [
                core.state.incarnations[node.id], core.state.departures[node.id],
                core.state.fences[node.id]?.incarnation, core.consensus.peer(node.id)?.incarnation,
                core.consensus.deathFacts.newest(of: node.id),
            ]
            let former = known.compactMap(\.self).max()
            return .token(
                try joins.issue(
                    forNewcomer: node.id,
                    former: former,
                    members: core.state.configuration.nodes,
                    now: Clock.monotonic()
                )
            )
        } catch { return .failed(AdminFailure(.failed, error.description)) }
    }

    private func failoverCheck(_ node: NodeName?) -> AdminResponse {
        FailoverCheck(core: core, now: Clock.monotonic()).answer(node)
    }
}
