import ClusterModel
import Consensus
import Recovery

extension NodeCore {
    mutating func becomeLeader(
        _ term: Term,
        recoverByLeaseAt: Instant,
        now: Instant,
        into effects: inout [NodeEffect]
    ) {
        leadership = (term, isConfirmed: false)
        deafSince = [:]
        recovery = RecoveryCore(
            term: term,
            leader: id,
            recoverByLeaseAt: recoverByLeaseAt,
            grace: consensus.timing.grace,
            denied: denied,
            now: now
        )
        recovery?.faults = faults
        heardElsewhere = NodeSet()
        isRecoveryQuorate = true
        recover(.quorate(false), now: now, into: &effects)
        isRecoveryQuorate = false
        for fact in consensus.deathFacts.list where fact.proof == .poweredOff {
            recover(.provenOff(fact.node, fact.incarnation), now: now, into: &effects)
        }
        effects.append(.event(.elected(term)))
        recover(.wallClock(wallClock), now: now, into: &effects)
        tellEverybodysLiveness(now: now, into: &effects)
        for report in reports.values.sorted(by: { $0.node < $1.node }) {
            recover(.report(report), now: now, into: &effects)
        }
    }

    mutating func stopLeading(into effects: inout [NodeEffect]) {
        // The successor carries fences on or calls them off; what was begun here must not cut the power after that.
        for (node, incarnation) in recovery?.fencing.sorted(by: { $0.key < $1.key }) ?? [] {
            withdrawFence(of: node, incarnation, into: &effects)
        }
        leadership = nil
        recovery = nil
        recoveryWants.forget()
        for request in requests.values { effects.append(.answer(request: request, .notLeader(nil))) }
        requests = [:]
        effects.append(.changed)
    }

    /// A node speaks as a new incarnation: no earlier one is left to be powered off.
    mutating func withdrawFences(of node: NodeID, before incarnation: Incarnation, into effects: inout [NodeEffect]) {
        if let target = recovery?.fencing[node], target < incarnation {
            withdrawFence(of: node, target, into: &effects)
        }
        if case .shooting(let targets) = quorumFencing.phase {
            for target in targets where target.node == node && target.incarnation < incarnation {
                effects.append(.withdrawFence(node: node, incarnation: target.incarnation))
            }
        }
    }

    /// What half of the voters needs to decide is not given up with leadership.
    private func withdrawFence(of node: NodeID, _ incarnation: Incarnation, into effects: inout [NodeEffect]) {
        if case .shooting(let targets) = quorumFencing.phase, targets.contains(where: { $0.node == node }) { return }
        effects.append(.withdrawFence(node: node, incarnation: incarnation))
    }

    /// Tells recovery how a node is heard, if this node leads.
    mutating func tellLiveness(of node: NodeID, now: Instant, into effects: inout [NodeEffect]) {
        guard recovery != nil, let liveness = liveness(of: node, now: now) else { return }
        // Before the loss itself, which would be acted on at once.
        if case .lost = liveness { tellHeardElsewhere(now: now, into: &effects) }
        recover(.node(node, liveness), now: now, into: &effects)
    }

    /// Tells recovery which lost nodes a voter with a lease hears; only heartbeats of others change that.
    mutating func tellHeardElsewhere(now: Instant, into effects: inout [NodeEffect]) {
        guard recovery != nil else { return }
        let heard = consensus.lostAndHeardByLeaseHolders
        guard heard != heardElsewhere else { return }
        heardElsewhere = heard
        recover(.heardElsewhere(Set(heard.nodes)), now: now, into: &effects)
    }

    /// Tells recovery how every node is heard, if this node leads.
    mutating func tellEverybodysLiveness(now: Instant, into effects: inout [NodeEffect]) {
        for node in state.configuration.nodes { tellLiveness(of: node.id, now: now, into: &effects) }
    }

    /// How a node is heard; nil while that is not decided.
    private func liveness(of node: NodeID, now: Instant) -> NodeLiveness? {
        if node == id {
            let holds = consensus.leaseEnd.map { $0 > now } ?? false
            return .alive(incarnation: incarnation, session: session, holdsLease: holds)
        }
        switch consensus.state(of: node) {
        case .alive(let holdsLease):
            guard let peer = sessions[node] else { return nil }
            if !holdsLease, countsAsLost(node, now: now) { return .lost(leaseOverAt: consensus.leaseOver(of: node)) }
            return .alive(incarnation: peer.incarnation, session: peer.session, holdsLease: holdsLease)
        case .lost, .left: return .lost(leaseOverAt: consensus.leaseOver(of: node))
        case .suspect, nil: return nil
        }
    }

    /// A node that is heard, holds no lease and does not hear this leader can be told nothing and tells nothing: what
    /// it was given counts as if the node were lost (reference on leases, F5 (i)).
    ///
    /// One that has nothing is left alone, so that a machine that boots behind such a link is not powered off
    /// again and again.
    private func countsAsLost(_ node: NodeID, now: Instant) -> Bool {
        guard let since = deafSince[node], now >= since + RecoveryLimits.leasePatience, !faults.trustHeardNodes else {
            return false
        }
        let hasRest = reports[node]?.resources.contains { $0.state != .stopped && $0.state != .failed } ?? false
        return hasRest || state.assignments.values.contains { $0.node == node }
    }

    /// A heartbeat says whom its sender hears.
    mutating func noticeDeafness(of peer: NodeID, now: Instant, into effects: inout [NodeEffect]) {
        guard consensus.isDeaf(peer) else {
            if !deafSince.isEmpty, deafSince.removeValue(forKey: peer) != nil {
                tellLiveness(of: peer, now: now, into: &effects)
            }
            return
        }
        deafSince[peer] = deafSince[peer] ?? now
        tellLiveness(of: peer, now: now, into: &effects)
    }

    /// Runs recovery, if this node leads, and acts on what it wants.
    mutating func recover(_ input: RecoveryInput, now: Instant, into effects: inout [NodeEffect]) {
        guard recovery != nil else { return }
        if isRecoveryQuorate, !consensus.decides(at: now) {
            isRecoveryQuorate = false
            recover(.quorate(false), now: now, into: &effects)
        }
        recovery?.receive(input, now: now, into: &recoveryWants.effects)
        guard recoveryWants.begin() else { return }
        while let effect = recoveryWants.next() { carryOut(effect, now: now, into: &effects) }
    }

    private mutating func carryOut(_ effect: RecoveryEffect, now: Instant, into effects: inout [NodeEffect]) {
        switch effect {
        case .propose(let change): proposeOwn(change, now: now, into: &effects)
        case .send(let sheet, let node):
            if node == id {
                execute(.sheet(sheet, from: id), now: now, into: &effects)
            } else {
                effects.append(.send(.sheet(sheet), to: node))
            }
        case .fence(let node, let incarnation, let devices):
            effects.append(.fence(node: node, incarnation: incarnation, devices: devices))
        case .denyLease(let nodes): deny(nodes, now: now, into: &effects)
        case .stepDown: step(.transferLeadership(to: nil), now: now, into: &effects)
        case .notice(let notice):
            effects.append(.event(.notice(notice)))
            effects.append(.changed)
        }
    }

    /// Proposes a decision of the leader's own.
    mutating func proposeOwn(_ change: Change, now: Instant, into effects: inout [NodeEffect]) {
        guard mayPropose(change) else { return }
        let command = Command(change: change, proposedAt: wallClock)
        step(.propose(codec.encodeCommand(command), token: takeToken()), now: now, into: &effects)
    }

    /// Tells consensus who gets no lease.
    mutating func deny(_ nodes: Set<NodeID>, now: Instant, into effects: inout [NodeEffect]) {
        guard nodes != denied, !faults.forgetDeniedLease else { return }
        denied = nodes
        step(.denyLease(NodeSet(nodes)), now: now, into: &effects)
    }

    /// Runs the executor and acts on what it wants.
    mutating func execute(_ input: ExecutorInput, now: Instant, into effects: inout [NodeEffect]) {
        executor.receive(input, now: now, into: &executorWants.effects)
        guard executorWants.begin() else { return }
        while let effect = executorWants.next() {
            switch effect {
            case .dropAllVirtualIPs: effects.append(.dropAllVirtualIPs)
            case .run(let operation): effects.append(.run(operation))
            case .cancel(let operation): effects.append(.cancel(operation: operation))
            case .report(let report): deliver(report, now: now, into: &effects)
            }
        }
    }

    private mutating func deliver(_ report: NodeReport, now: Instant, into effects: inout [NodeEffect]) {
        let wasProbed = reports[id]?.probed ?? false
        take(report, now: now, into: &effects)
        if report.probed || faults.leaseBeforeProbe, !wasProbed { step(.leaseEligible(true), now: now, into: &effects) }
        if let leader = consensus.leader, leader != id { effects.append(.send(.report(report), to: leader)) }
    }

    mutating func propose(
        _ change: Change,
        _ origin: RequestOrigin,
        now: Instant,
        into effects: inout [NodeEffect]
    ) {
        if let known = state.answered.first(where: { $0.id == origin.id }) {
            effects.append(.answer(request: origin.id, .applied(known.answer)))
            return
        }
        // A repeated request that is still under way is answered when it is decided.
        if requests.values.contains(origin.id) { return }
        guard requests.count < Self.mostRequests else {
            effects.append(.answer(request: origin.id, .refused("too many requests are under way; try again")))
            return
        }
        if case .configure(_, let wanted) = change,
            wanted.properties.profile != state.configuration.properties.profile, !consensus.isTimingSettled
        {
            let reason = "the profile was changed a moment ago; try again in some seconds"
            effects.append(.answer(request: origin.id, .refused(reason)))
            return
        }
        guard mayPropose(change) else {
            let reason =
                "it needs level \(change.level) of the protocol, and the cluster is at level \(state.protocolLevel): "
                + "upgrade every node first"
            effects.append(.answer(request: origin.id, .refused(reason)))
            return
        }
        let token = takeToken()
        requests[token] = origin.id
        let command = Command(change: change, request: origin, proposedAt: wallClock)
        step(.propose(codec.encodeCommand(command), token: token), now: now, into: &effects)
    }

    private mutating func takeToken() -> UInt64 {
        defer { nextToken += 1 }
        return nextToken
    }
}
