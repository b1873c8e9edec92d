import ClusterModel
import Recovery

extension World {
    /// Makes a host lead.
    ///
    /// - Parameters:
    ///   - node: The host.
    ///   - afterTransfer: Whether leases of the leader before may still run.
    func elect(_ node: NodeID, afterTransfer: Bool) {
        guard let host = hosts[node], host.executor != nil else { return }
        if let old = leader {
            old.deposedUntil = min(old.deposedUntil ?? now + .milliseconds(Self.lease), now + .milliseconds(Self.lease))
            deposed.append(old)
        }
        term += 1
        let wait = (afterTransfer ? Self.lease * 11 / 9 : 0) + Self.grace
        let core = RecoveryCore(
            term: term,
            leader: node,
            recoverByLeaseAt: now + .milliseconds(wait),
            grace: .milliseconds(Self.grace),
            now: now
        )
        let new = Leader(core: core, host: node, term: term)
        leader = new
        electing = false
        note("node \(node.rawValue)", "leads in term \(term)")
        for other in nodes {
            let known = host.heard[other]
            if other == node {
                new.core.tell(.node(other, host.liveness(now: now)), self)
            } else if let known, now - known.at < .milliseconds(silence) {
                let liveness = NodeLiveness.alive(
                    incarnation: known.incarnation,
                    session: known.session,
                    holdsLease: known.holdsLease
                )
                new.core.tell(.node(other, liveness), self)
            } else {
                new.lost.insert(other)
                new.core.tell(.node(other, .lost(leaseOverAt: leaseOver(known?.at))), self)
            }
        }
        new.core.tell(.wallClock(wallClock), self)
        new.core.tell(.applied(state), self)
        arm(new)
    }

    private func leaseOver(_ heardAt: Instant?) -> Instant {
        heardAt.map { $0 + .milliseconds(Self.lease * 11 / 10) } ?? now
    }

    /// Twenty times a second: leaders that lost their majority, elections, nodes that fell silent.
    func watch() {
        if let leader, leader.deposedUntil == nil, !hasMajority(leader.host) {
            leader.deposedUntil = now + .milliseconds(Self.lease)
            note("node \(leader.host.rawValue)", "has no majority")
        }
        if leader?.deposedUntil != nil, !electing {
            electing = true
            after(Self.electionTimeout + 50) { world in
                world.electing = false
                let candidates = world.nodes.filter { world.hasMajority($0) }
                if let first = candidates.randomElement(using: &world.random) {
                    world.elect(first, afterTransfer: false)
                }
            }
        }
        guard let leader = current, leader.deposedUntil == nil, let host = hosts[leader.host] else { return }
        for node in nodes where node != leader.host && !leader.lost.contains(node) {
            let at = host.heard[node]?.at
            guard at.map({ now - $0 >= .milliseconds(silence) }) ?? true else { continue }
            leader.lost.insert(node)
            note("node \(leader.host.rawValue)", "lost node \(node.rawValue)")
            leader.core.tell(.node(node, .lost(leaseOverAt: leaseOver(at))), self)
        }
        arm(leader)
    }

    func hasMajority(_ node: NodeID) -> Bool {
        guard hosts[node]?.executor != nil else { return false }
        guard hosts[node]?.stalled == nil else { return false }
        let reached = nodes.filter { other in
            guard let host = hosts[other], host.executor != nil, host.stalled == nil else { return false }
            return areConnected(node, other)
        }
        return reached.count * 2 > hosts.count
    }

    /// The leaders that run on a host that is not stalled and believe to lead.
    func leaders(on node: NodeID) -> [Leader] {
        guard hosts[node]?.stalled == nil else { return [] }
        let all = (leader.map { [$0] } ?? []) + deposed
        return all.filter { $0.host == node && $0.deposedUntil.map { now < $0 } ?? true }
    }

    /// Carries out what a leader wants, if it can.
    func carryOut(_ effects: [RecoveryEffect], of node: NodeID, term: Term) {
        let isCurrent = leader?.term == term && leader?.deposedUntil == nil
        for effect in effects {
            if case .notice(let notice) = effect { notices.append(notice) }
            if isTracing, let text = describe(effect) { note("node \(node.rawValue)", text) }
            switch effect {
            case .propose(let change):
                guard isCurrent else { continue }
                after(3) { world in
                    guard world.leader?.term == term, world.leader?.deposedUntil == nil else { return }
                    world.commit(change)
                }
            case .send(let sheet, let target):
                carry(from: node, to: target) { $0.tell(target, .sheet(sheet, from: node)) }
                if happens(faults.cutsAtOrders) {
                    cutOff(target, for: .random(in: 500...1500, using: &random))
                    after(.random(in: 500...2500, using: &random)) { $0.tell(target, .sheet(sheet, from: node)) }
                }
            case .fence(let target, let incarnation, _):
                fence(target, incarnation, by: node, term: term)
            case .denyLease(let denied):
                (leader?.term == term ? leader : deposed.first { $0.term == term })?.denied = denied
            case .stepDown:
                after(10) { world in
                    guard world.leader?.term == term else { return }
                    let others = world.nodes.filter { $0 != node && world.hasMajority($0) }
                    if let next = others.first { world.elect(next, afterTransfer: true) }
                }
            case .notice: break
            }
        }
    }

    private func fence(_ target: NodeID, _ incarnation: Incarnation, by node: NodeID, term: Term) {
        if state.fences[target]?.incarnation == incarnation, state.fences[target]?.outcome == .verified {
            violations.append("S5 \(target) \(incarnation) fenced twice")
        }
        if state.fences[target]?.outcome != .ordered { violations.append("S5 fence of \(target) without order") }
        let fails = brokenDevices.contains(target) || happens(faults.failedFences)
        after(fenceTime) { world in
            guard world.hosts[node]?.executor != nil else { return }
            if !fails {
                world.powerOff(target)
                world.after(world.bootTime) { $0.boot(target) }
            }
            let failure = fails ? "BMC does not answer" : nil
            let result = RecoveryInput.fenceResult(node: target, incarnation: incarnation, failure: failure)
            for leader in world.leaders(on: node) where leader.term == term {
                leader.core.tell(result, world)
                world.arm(leader)
            }
        }
    }

    /// Sees to it that the core gets its tick.
    func arm(_ leader: Leader) {
        guard let deadline = leader.core.nextDeadline, leader.tickAt.map({ deadline < $0 || $0 <= now }) ?? true
        else { return }
        leader.tickAt = deadline
        queue.add(at: max(deadline, now)) { world in
            guard leader.tickAt == deadline else { return }
            leader.tickAt = nil
            if world.hosts[leader.host]?.stalled != nil {
                world.hosts[leader.host]?.stalled?.append { $0.arm(leader) }
                return
            }
            guard world.leaders(on: leader.host).contains(where: { $0 === leader }),
                world.hosts[leader.host]?.executor != nil
            else { return }
            leader.core.tell(.tick, world)
            world.arm(leader)
        }
    }
}

extension Host {
    func liveness(now: Instant) -> NodeLiveness {
        .alive(incarnation: incarnation, session: session, holdsLease: leaseUntil.map { now < $0 } ?? false)
    }
}
