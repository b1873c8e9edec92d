import ClusterModel
import Consensus
import NodeCore
import Recovery

/// Agents: their cores, timers and messages.
extension ClusterSimulator {
    mutating func start(_ index: Int) {
        let host = hosts[index]
        guard host.isPowered, host.isMember, host.agent == nil, !host.isTooOld else { return }
        host.disk.incarnation += 1
        host.isRepeated = host.disk.incarnation <= host.newestStart
        host.newestStart = max(host.newestStart, host.disk.incarnation)
        let disk = host.disk
        if let damage = disk.durable.violation() {
            observer.fail("the disk of \(host.id) is damaged: \(damage)")
            return
        }
        observer.starts(host, table)
        let local = host.clock.local(now)
        guard
            var core = NodeCore(
                id: host.id,
                incarnation: disk.incarnation,
                session: SimulatedHost.session(host.id, disk.incarnation),
                initial: options.configuration,
                contacts: contacts(of: host),
                durable: disk.durable,
                codec: table.codec,
                level: host.level,
                initialLevel: options.clusterLevel,
                seed: random.next(),
                now: local
            )
        else {
            observer.fail("\(host.id) cannot read its snapshot")
            return
        }
        core.faults = options.faults
        core.consensus.faults = options.machines.faults
        core.consensus.bounds.retainedEntries = options.machines.retainedEntries
        core.consensus.bounds.snapshotChunkBytes = options.machines.snapshotChunkBytes
        core.consensus.bounds.logEntries = options.machines.logEntries
        var effects: [NodeEffect] = []
        core.start(now: local, wallClock: wallClock(index), into: &effects)
        guardProcesses(index)
        host.known = core.state.configuration
        host.knownVersion = core.state.version
        host.keepsContacts = false
        host.operations = [:]
        host.pause = nil
        host.isLeaving = false
        host.isToldToGoOn = false
        host.wakeAt = nil
        host.diskBusyUntil = now
        host.knowsDiskFull = false
        host.applied = core.appliedIndex
        observer.started(host, core)
        host.agent = .init(core, nodes: hosts.count)
        note(index, "starts as incarnation \(disk.incarnation)")
        carryOut(effects, index)
        armWake(index)
        if hasArbiter { queue.insert(.asksArbiter(index, disk.incarnation), at: now) }
        guard options.checksDevices, host.agent != nil else { return }
        feed(index, .fenceable(Set(hosts.map(\.id))))
    }

    /// Everybody who may be part of the cluster by what a machine knows, as an agent finds it at its start.
    private func contacts(of host: SimulatedHost) -> [NodeID] {
        let later = host.disk.durable.log.compactMap(table.codec.configuration).flatMap(\.nodes).map(\.id)
        return Set(host.contacts).union(later).sorted()
    }

    /// A machine's wall clock, in milliseconds.
    func wallClock(_ index: Int) -> Int64 { 1_700_000_000_000 + now / 1_000_000 + hosts[index].wallClockError }

    mutating func wake(_ index: Int) {
        let host = hosts[index]
        guard host.wakeAt == now else { return }
        host.wakeAt = nil
        guard host.pause == nil, let deadline = host.agent?.core.nextDeadline else { return }
        host.wakesAtOnce = host.wokenAt == now ? host.wakesAtOnce + 1 : 0
        host.wokenAt = now
        guard host.wakesAtOnce < Self.mostWakesAtOnce else {
            return observer.fail("S10: \(host.id) wakes again and again for what is due: \(deadline)")
        }
        if deadline <= host.clock.local(now) { feed(index, .tick) } else { armWake(index) }
    }

    /// How often an agent may have something to do at one moment: one that never ends would take a whole processor.
    private static let mostWakesAtOnce = 1000

    mutating func resume(_ index: Int, _ incarnation: Incarnation) {
        let host = hosts[index]
        guard let pause = host.pause, pause.until == now, host.agent?.core.incarnation == incarnation else { return }
        guardProcesses(index)
        host.pause = nil
        note(index, "runs again after \((now - pause.since) / 1_000_000) ms")
        if options.machines.reportsStalls {
            feed(index, .stalled(host.clock.local(now) - host.clock.local(pause.since)))
        }
        // What waited stands behind this event at the same time, the wake-up behind it.
        armWake(index)
    }

    /// Gives an input to a node's core and carries out what it decides.
    mutating func feed(_ index: Int, _ input: NodeInput) {
        let host = hosts[index]
        guard let agent = host.agent else { return }
        // A lease may also end by itself: that of an agent that was killed, while the next one looks around.
        guardProcesses(index)
        var effects: [NodeEffect] = []
        swap(&effects, &self.effects)
        agent.core.receive(input, now: host.clock.local(now), wallClock: wallClock(index), into: &effects)
        if agent.core.appliedIndex > host.applied {
            observer.applied(on: index, hosts, table, unwritten: effects)
        }
        carryOut(effects, index)
        if agent.core.state.version != host.knownVersion {
            host.known = agent.core.state.configuration
            host.knownVersion = agent.core.state.version
            host.keepsContacts = false
        }
        if !host.keepsContacts, agent.core.knowsItsPeers {
            host.contacts = agent.core.state.configuration.nodes.map(\.id)
            host.keepsContacts = true
        }
        effects.removeAll(keepingCapacity: true)
        swap(&effects, &self.effects)
        armWake(index)
    }

    private mutating func carryOut(_ effects: [NodeEffect], _ index: Int) {
        for effect in effects {
            // A write may have been the end of it.
            guard let agent = hosts[index].agent else { return }
            switch effect {
            case .send(let message, let peer): send(index, message, to: peer)
            case .persist(let batch): write(index, batch)
            case .lease(let end):
                if options.machines.isVerbose { note(index, end == nil ? "has no lease" : "has a lease") }
                hosts[index].leaseWord = end
                observer.needsActivityCheck = true
                // The guard waits for nobody, least of all for a stop that hangs.
                if end == nil { guardProcesses(index) }
            case .contacts(let nodes):
                note(index, "hears of \(nodes.map(\.name).joined(separator: " "))")
                let host = hosts[index]
                host.contacts = Set((host.contacts.isEmpty ? voters : host.contacts) + nodes.map(\.id)).sorted()
            case .dropAllVirtualIPs: dropAddresses(index)
            case .run(let operation): begin(operation, index)
            case .cancel(let operation): cancel(operation, index)
            case .fence(let node, let incarnation, _): fence(index, node, incarnation)
            // A simulated controller has the order already: the worst case.
            case .withdrawFence: break
            case .checkFenceDevices(let number, let checks): checkControllers(index, number, checks)
            case .fenceForQuorum(let node, let incarnation, _):
                observer.fencesForQuorum(node, incarnation, by: hosts[index])
                powerOffByController(index, node, incarnation)
            case .answer, .changed, .keepAnnouncing: break
            case .event(let event): observe(agent, index, event)
            case .left:
                note(index, "has left")
                observer.left(hosts[index])
                endAgent(index)
                return
            case .beginAnew:
                beginAnew(index)
                return
            case .rejoin(let mark):
                rejoin(index, mark)
                return
            case .mustStop(let reason):
                mustStop(index, reason)
                return
            }
        }
    }

    /// An agent that was told to be dead by a controller's lie, or has the number of one that is dead, and nobody else, may
    /// find that something is wrong.
    private mutating func mustStop(_ index: Int, _ reason: String) {
        if hosts[index].agent?.core.isTooOld == true { return endTooOld(index, reason) }
        guard hosts[index].disk.incarnation <= hosts[index].falselyDead || hosts[index].isRepeated else {
            return observer.fail("\(hosts[index].id): \(reason)")
        }
        note(index, "stops everything: \(reason)")
        hosts[index].active = [:]
        endAgent(index)
        queue.insert(.start(index), at: now + 5_000_000_000)
    }

    private mutating func observe(_ agent: SimulatedHost.Agent, _ index: Int, _ event: NodeEvent) {
        switch event {
        case .elected: observer.elected(hosts[index], index)
        case .deposed: observer.deposed(hosts[index], index)
        case .stopsWithAll, .branchLost: hosts[index].isLeaving = true
        default: break
        }
        coverage.see(&agent.core, holdsLease: hosts[index].holdsLease(at: now))
        guard story.isWanted, let text = ClusterText.describe(event, leads: agent.core.isLeading) else { return }
        note(index, text)
    }

    mutating func armWake(_ index: Int) {
        let host = hosts[index]
        guard host.pause == nil, let deadline = host.agent?.core.nextDeadline else { return }
        let time = max(now, host.clock.trueTime(of: deadline))
        if let wakeAt = host.wakeAt, wakeAt <= time, wakeAt >= now { return }
        host.wakeAt = time
        queue.insert(.wake(index), at: time)
    }

    private mutating func send(_ index: Int, _ message: PeerMessage, to: NodeID) {
        guard let target = self.index(of: to), let session = hosts[target].agent?.core.incarnation else { return }
        let from = hosts[index].id
        if options.machines.isVerbose { note(index, "> n\(to.rawValue) \(ClusterText.describe(message))") }
        let copies = network.copies(from: from, to: to, random: &random)
        guard let first = copies.first, let message = carried(message, from: index, to: target) else { return }
        let event = Happening.message(
            to: target,
            session: session,
            from: from,
            fromSession: hosts[index].disk.incarnation,
            message
        )
        if let second = copies.second {
            queue.insert(event, at: now + first)
            queue.insert(event, at: now + second)
        } else {
            queue.insert(event, at: now + first)
        }
    }
}
