import AdminAPI
import ClusterModel
import ClusterSetup
import Consensus
import LinuxIO
import Logging
import NodeCore
import Recovery

extension AgentLoop {
    /// Carries out what the core decided, in its order.
    func carryOut(_ effects: inout [NodeEffect]) {
        for effect in effects {
            switch effect {
            case .send(let message, let peer): links.send(.core(message), to: peer, now: Clock.monotonic())
            case .persist(let batch):
                diskHealth.began(batch.id, now: Clock.monotonic())
                disk.write(batch)
            case .lease(let end):
                leaseWord.end = end
                operations.renewLease(until: end)
                if end != nil { guarding.leaseBegan() }
            case .contacts(let nodes): meet(nodes)
            case .dropAllVirtualIPs: operations.dropAllVirtualIPs(of: core.state.configuration)
            case .keepAnnouncing(let keeps): operations.keepAnnouncing(keeps)
            case .run(let operation): run(operation)
            case .cancel(let operation): operations.cancel(operation)
            case .fence(let node, let incarnation, let devices): fence(node, incarnation, devices)
            case .withdrawFence(let node, let incarnation):
                log.notice("no further order goes out to power off \(name(of: node))")
                fences.withdraw(node, incarnation: incarnation)
            case .checkFenceDevices(let number, let checks): fences.check(number: number, checks)
            case .fenceForQuorum(let node, let incarnation, let devices):
                log.warning("powering off \(name(of: node)): half of the voters needs proof that it is dead")
                fence(node, incarnation, devices)
            case .answer(let request, let outcome):
                var actions: [RequestDesk.Action] = []
                desk.takeOutcome(of: request, outcome, core: core, now: Clock.monotonic(), into: &actions)
                carryOut(actions)
            case .changed: needsRefresh = true
            case .event(let event):
                counters.note(event)
                record(event)
            case .left:
                hasLeft = true
                if rounds.isEmpty { ending = .left }
            case .beginAnew: ending = .anew("this node goes on alone: its agent starts anew")
            case .rejoin(let mark): rejoin(mark)
            case .mustStop(let reason): ending = .fault(reason)
            }
        }
    }

    /// Nothing runs here any more: the next start begins in the other history.
    private func rejoin(_ mark: BranchMark) {
        hasLeft = true
        do {
            try BranchRecord(mark, former: core.incarnation).write(paths)
            ending = .anew("another history of this cluster goes on: the agent starts anew in it")
        } catch {
            ending = .fault("another history of this cluster goes on, and \(paths.rejoin) cannot be written: \(error)")
        }
    }

    private func fence(_ node: NodeID, _ incarnation: Incarnation, _ devices: [FenceDevice]) {
        let configuration = core.state.configuration
        guard let name = configuration.node(node)?.name else { return }
        fences.fence(
            node,
            named: name,
            incarnation: incarnation,
            devices: devices,
            timeout: configuration.properties.stonithTimeout.duration
        )
    }

    func carryOut(_ actions: [RequestDesk.Action]) {
        for action in actions {
            switch action {
            case .change(let change, let origin): feed(.change(change, origin))
            case .forward(let id, let request, let uid, let peer):
                links.send(.request(id, request, uid: uid), to: peer, now: Clock.monotonic())
            case .read(let request, let origin, let id):
                guard let response = answerQuestion(request) else { break }
                switch origin {
                case .here(let reply): reply(response)
                case .peer(let peer): links.send(.answer(id, response), to: peer, now: Clock.monotonic())
                }
            case .answer(let id, let response, let peer):
                links.send(.answer(id, response), to: peer, now: Clock.monotonic())
            }
        }
    }

    /// What follows from state and peers, once per pass however often they changed.
    func refreshIfNeeded() {
        guard needsRefresh else { return }
        needsRefresh = false
        followKeys()
        followNodes()
        links.learn(clusterLevel: core.state.protocolLevel)
        joins.clusterLevel = core.state.protocolLevel
        links.setSilence(core.consensus.timing.suspectAfter)
        proxy.update(ProxyView(core: core), secret: links.sealingSecret)
        operations.manage(core.state.configuration)
        followArbiters()
        if watchedVersion != core.state.version {
            watchedVersion = core.state.version
            watch(.configuration(core.state.configuration))
        }
        guarding.update(core.state, ordered: operations.ordered)
    }

    /// Nodes may have come or gone; one that is not in the applied configuration yet keeps the peers that it joined with.
    private func followNodes() {
        guard core.knowsItsPeers else { return }
        let nodes = core.state.configuration.nodes
        links.follow(nodes, in: &poller)
        record.keep(nodes)
    }

    /// Others are named who are part of the cluster by now; all that were known stay.
    private func meet(_ nodes: [Node]) {
        let all = AgentParts.merge(links.nodes, nodes)
        log.notice("the cluster has nodes now that this one does not know from its log: \(all.map(\.name))")
        links.follow(all, in: &poller)
        record.keep(all)
    }

    /// Gives the watch over fence devices one input and carries out what it decides.
    func watch(_ input: FenceWatch.Input) {
        var effects: [FenceWatch.Effect] = []
        watch.receive(input, now: Clock.monotonic(), wallClock: Clock.wallMilliseconds(), into: &effects)
        for effect in effects {
            switch effect {
            case .check(let number, let device, let timeout): fences.check(number: number, device, timeout: timeout)
            case .changed(let checks): feed(.fenceable(Set(checks.fenceable), checks: checks.checks))
            }
        }
    }

    /// Whatever may end with the lease stands in the guard's list before it is started.
    private func run(_ operation: Operation) {
        if operation.kind == .start {
            operations.note(operation)
            guarding.update(core.state, ordered: operations.ordered)
            if let objection = guarding.objection(to: operation.resource.name) {
                inbox.put(.operationEnded(operation.resource.name, operation: operation.id, .failed(objection)))
                return
            }
        }
        operations.run(operation)
    }

    /// How operators know a node.
    func name(of node: NodeID) -> NodeName { core.state.configuration.node(node)?.name ?? node.description }

    private func record(_ event: NodeEvent) {
        switch event {
        case .leader(let leader, let term):
            log.notice("\(leader.map { "following \(name(of: $0))" } ?? "no leader") in term \(term)")
        case .elected(let term): log.notice("this node leads in term \(term)")
        case .deposed(let term): log.notice("this node does not lead any more (term \(term))")
        case .peer(let peer, let state):
            noteReturn(of: peer, state)
            log.notice("\(name(of: peer)) is \(Self.describe(state))")
        case .peerRestarted(let peer, let incarnation):
            log.notice("the agent of \(name(of: peer)) was started again (incarnation \(incarnation))")
        case .notice(let notice):
            if case .blocked(let resource, let reason) = notice {
                log.notice("\(resource): \(NoticeText.describe(reason, name: name))")
            } else if let text = NoticeText.warning(notice, name: name) {
                log.warning("\(text)")
            }
        case .quorum(let holds):
            if holds { log.notice("a quorum answers") } else { log.warning("no quorum answers: nothing is started") }
        case .provenDead(let fact):
            log.notice("incarnation \(fact.incarnation) of \(name(of: fact.node)) is known dead (\(fact.proof))")
        case .voters(let voters, isCommitted: true):
            let names = voters.set.voters.map { "\(name(of: $0.node)) (incarnation \($0.incarnation))" }
            log.notice("voters: \(names.joined(separator: ", "))")
        case .voters: break
        case .quorumFencingFails(let reason): log.error("no quorum, and no proof that the others are dead: \(reason)")
        case .branchLost(let mark):
            isLeaving = true
            log.warning(
                "another history of this cluster goes on, that of \(name(of: mark.founder)): this node stops all"
            )
        case .stopsWithAll:
            isLeaving = true
            log.notice("leaving: all nodes are being stopped")
        case .stalled: break
        case .leaseLost: log.warning("the lease ended: what runs here is stopped")
        case .applied(let change): record(change)
        }
    }

    /// When a peer is back, a partition may have healed: neighbours may have heard another owner of an address.
    private func noteReturn(of peer: NodeID, _ state: PeerState) {
        switch state {
        case .lost: lostPeers.insert(peer)
        case .alive: if lostPeers.remove(peer) != nil { operations.announceAgain() }
        case .suspect, .left: break
        }
    }

    private func record(_ change: Change) {
        switch change {
        case .configure: log.info("configuration \(core.state.version)")
        case .assign(let assignments):
            for assignment in assignments { log.notice("\(assignment.resource) goes to \(name(of: assignment.node))") }
        case .release(let resource, _): log.info("\(resource) is free")
        case .fenceOrdered(let node, _, let reason): log.warning("powering off \(name(of: node)): \(reason)")
        case .fenceEnded(let node, _, nil): log.warning("\(name(of: node)) is powered off")
        case .fenceEnded(let node, _, let failure?): log.error("powering off \(name(of: node)) failed: \(failure)")
        case .failure(let resource, let node, let reason, _, _, _):
            log.warning("\(resource) failed on \(name(of: node)): \(reason)")
        case .found(let resource, let node, _, let besides):
            let place = besides.map { ", while \(name(of: $0)) had it" } ?? ""
            log.warning("\(resource) was found running on \(name(of: node)) without an order\(place)")
        case .left(let node, _): log.notice("\(name(of: node)) has left")
        case .fenceConfirmed(let node, _): log.warning("an operator says that \(name(of: node)) is off")
        case .stopAll: log.notice("an operator stops all nodes")
        case .historyGaveWay: log.notice("another history of this cluster has given way to this one for good")
        case .raiseLevel(let level): log.notice("the cluster is at level \(level) of the protocol from now on")
        case .stopAllEnded: log.notice("the cluster runs again after all nodes were stopped")
        case .announce, .cleanup, .move, .moveEnded, .installKey, .useKey, .retireKeys: break
        }
    }

    private static func describe(_ state: PeerState) -> String {
        switch state {
        case .alive(holdsLease: true): "online"
        case .alive(holdsLease: false): "heard, without a lease"
        case .suspect: "suspect"
        case .lost: "lost"
        case .left: "gone: it has left"
        }
    }
}
