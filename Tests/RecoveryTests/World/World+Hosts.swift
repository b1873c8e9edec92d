import ClusterModel
import Placement
import Recovery

extension World {
    /// Starts a host's agent, after powering the host on if it was off.
    func boot(_ node: NodeID) {
        guard let host = hosts[node], host.executor == nil else { return }
        host.isPowered = true
        host.incarnation += 1
        host.session = Random128(high: UInt64(node.rawValue), low: host.incarnation)
        host.executor = NodeExecutor(node: node, incarnation: host.incarnation, session: host.session)
        host.operations = [:]
        host.heard = [:]
        note("node \(node.rawValue)", "starts incarnation \(host.incarnation)")
        tell(node, .configuration(state.configuration, version: state.version))
        heartbeat(node, host.incarnation)
    }

    /// Cuts the power: everything on the host is gone at once.
    func powerOff(_ node: NodeID) {
        guard let host = hosts[node] else { return }
        note("node \(node.rawValue)", "loses power")
        for leader in leaders(on: node) { leader.deposedUntil = now }
        host.isPowered = false
        host.stalled = nil
        host.executor = nil
        host.leaseUntil = nil
        host.active = []
        host.operations = [:]
    }

    /// Kills the agent; what it ran goes on until the guard ends it with the lease.
    func killAgent(_ node: NodeID) {
        guard let host = hosts[node], host.executor != nil else { return }
        note("node \(node.rawValue)", "its agent dies")
        for leader in leaders(on: node) { leader.deposedUntil = now }
        host.stalled = nil
        host.executor = nil
        host.operations = [:]
        let incarnation = host.incarnation
        queue.add(at: max(now, host.leaseUntil ?? now)) { world in
            guard host.incarnation == incarnation, host.executor == nil else { return }
            host.active = []
            host.leaseUntil = nil
        }
    }

    /// Stops an agent from running for a while (SIGSTOP).
    ///
    /// The guard takes what needs only a lease away when the lease ends; what requires fencing stays.
    func stall(_ node: NodeID, for milliseconds: Int64) {
        guard let host = hosts[node], host.executor != nil, host.stalled == nil else { return }
        note("node \(node.rawValue)", "stalls for \(milliseconds)")
        host.stalled = []
        let incarnation = host.incarnation
        queue.add(at: max(now, host.leaseUntil ?? now)) { world in
            guard host.incarnation == incarnation, host.stalled != nil else { return }
            let graph = ColocationGraph(world.state.configuration)
            let fences = world.state.configuration.properties.stonithEnabled
            for resource in host.active where !fences || graph.effectiveRequirement(of: resource) != .fencing {
                host.active.remove(resource)
            }
        }
        after(milliseconds) { world in
            guard host.incarnation == incarnation, let missed = host.stalled else { return }
            host.stalled = nil
            world.note("node \(node.rawValue)", "goes on")
            for event in missed { event(world) }
        }
    }

    /// Ten times a second: heartbeats to all; leaders among them answer with a lease.
    private func heartbeat(_ node: NodeID, _ incarnation: Incarnation) {
        guard let host = hosts[node], host.executor != nil, host.incarnation == incarnation else { return }
        if host.stalled != nil {
            host.stalled?.append { $0.heartbeat(node, incarnation) }
            return
        }
        let sentAt = now
        let heard = Host.Heard(
            at: now,
            incarnation: incarnation,
            session: host.session,
            holdsLease: host.leaseUntil.map { now < $0 } ?? false
        )
        for other in nodes {
            carry(from: node, to: other) { $0.takeHeartbeat(at: other, from: node, heard, sentAt: sentAt) }
        }
        after(100) { $0.heartbeat(node, incarnation) }
    }

    private func takeHeartbeat(at node: NodeID, from other: NodeID, _ heard: Host.Heard, sentAt: Instant) {
        guard let host = hosts[node], host.executor != nil, host.stalled == nil else { return }
        // Datagrams of an earlier session are refused.
        if let known = host.heard[other], known.incarnation > heard.incarnation { return }
        var heard = heard
        heard.at = now
        host.heard[other] = heard
        for leader in leaders(on: node) {
            if leader.deposedUntil == nil {
                leader.lost.remove(other)
                let liveness = NodeLiveness.alive(
                    incarnation: heard.incarnation,
                    session: heard.session,
                    holdsLease: heard.holdsLease
                )
                leader.core.tell(.node(other, liveness), self)
                arm(leader)
            }
            guard !leader.denied.contains(other) else { continue }
            let remainder = leader.deposedUntil.map { min($0 - now, .milliseconds(Self.lease)) }
            let until = sentAt + (remainder ?? .milliseconds(Self.lease))
            let term = leader.term
            let session = heard.session
            carry(from: node, to: other) { $0.takeLease(other, session, until: until, term: term) }
        }
    }

    private func takeLease(_ node: NodeID, _ session: SessionID, until: Instant, term: Term) {
        // A node that knows a newer leader takes nothing from an older one.
        guard let host = hosts[node], host.session == session, host.executor != nil, term >= host.leaseTerm else {
            return
        }
        guard host.stalled == nil else { return }
        host.leaseTerm = term
        guard until > max(now, host.leaseUntil ?? now) else { return }
        host.leaseUntil = until
        tell(node, .lease(until: until, term: term))
    }

    /// Gives a host's executor an input and carries out what it wants.
    func tell(_ node: NodeID, _ input: ExecutorInput) {
        guard let host = hosts[node], host.executor != nil else { return }
        if host.stalled != nil {
            host.stalled?.append { $0.tell(node, input) }
            return
        }
        var effects: [ExecutorEffect] = []
        host.executor?.receive(input, now: now, into: &effects)
        for effect in effects { carryOut(effect, on: host) }
        guard let deadline = host.executor?.nextDeadline,
            host.tickAt.map({ deadline < $0 || $0 <= now }) ?? true
        else { return }
        host.tickAt = deadline
        let incarnation = host.incarnation
        queue.add(at: max(deadline, now)) { world in
            guard host.tickAt == deadline, host.incarnation == incarnation else { return }
            host.tickAt = nil
            world.tell(node, .tick)
        }
    }

    private func carryOut(_ effect: ExecutorEffect, on host: Host) {
        let node = host.id
        switch effect {
        case .dropAllVirtualIPs:
            note("node \(node.rawValue)", "drops all addresses")
            for resource in host.active where isAddress(resource) { host.active.remove(resource) }
        case .run(let operation): begin(operation, on: host)
        case .cancel(let id):
            guard let operation = host.operations.removeValue(forKey: id) else { return }
            let incarnation = host.incarnation
            after(2) { world in
                guard host.incarnation == incarnation else { return }
                world.tell(node, .operationEnded(operation.resource.name, operation: id, .cancelled))
            }
        case .report(let report):
            guard let leader, leader.deposedUntil == nil else { return }
            carry(from: node, to: leader.host) { world in
                guard world.leader === leader, world.current === leader else { return }
                leader.core.tell(.report(report), world)
                world.arm(leader)
            }
        }
    }

    func isAddress(_ resource: ResourceName) -> Bool {
        guard let resource = state.configuration.resource(named: resource) else { return false }
        if case .virtualIP = resource.kind { return true }
        return false
    }
}
