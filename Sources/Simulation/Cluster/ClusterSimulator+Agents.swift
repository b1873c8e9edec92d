import ClusterModel
import Consensus
import NodeCore
import Recovery

/// Agents: their cores, timers, disks and messages.
extension ClusterSimulator {
    mutating func start(_ index: Int) {
        guard hosts[index].isPowered, hosts[index].core == nil else { return }
        hosts[index].disk.incarnation += 1
        let disk = hosts[index].disk
        if let damage = disk.durable.violation() {
            observer.fail("the disk of \(hosts[index].id) is damaged: \(damage)")
            return
        }
        let local = hosts[index].clock.local(now)
        guard
            var core = NodeCore(
                id: hosts[index].id,
                incarnation: disk.incarnation,
                session: SimulatedHost.session(hosts[index].id, disk.incarnation),
                initial: options.configuration,
                durable: disk.durable,
                codec: table.codec,
                seed: random.next(),
                now: local
            )
        else {
            observer.fail("\(hosts[index].id) cannot read its snapshot")
            return
        }
        core.faults = options.faults
        core.consensus.faults = options.machines.faults
        core.consensus.bounds.retainedEntries = options.machines.retainedEntries
        core.consensus.bounds.snapshotChunkBytes = options.machines.snapshotChunkBytes
        var effects: [NodeEffect] = []
        core.start(now: local, wallClock: wallClock, into: &effects)
        guardProcesses(index)
        hosts[index].core = core
        hosts[index].knownBefore = nil
        hosts[index].sessions = [:]
        hosts[index].operations = [:]
        hosts[index].pause = nil
        hosts[index].wakeAt = nil
        hosts[index].diskBusyUntil = now
        hosts[index].applied = core.appliedIndex
        observer.started(hosts[index].id, core)
        note(index, "starts as incarnation \(disk.incarnation)")
        carryOut(effects, index)
        armWake(index)
    }

    /// The wall clock of every machine, in milliseconds.
    var wallClock: Int64 { 1_700_000_000_000 + now / 1_000_000 }

    mutating func wake(_ index: Int) {
        guard hosts[index].wakeAt == now else { return }
        hosts[index].wakeAt = nil
        guard hosts[index].pause == nil, let deadline = hosts[index].core?.nextDeadline else { return }
        if deadline <= hosts[index].clock.local(now) { feed(index, .tick) } else { armWake(index) }
    }

    mutating func written(_ index: Int, _ incarnation: Incarnation) {
        guard hosts[index].core?.incarnation == incarnation else { return }
        if let pause = hosts[index].pause {
            queue.insert(.written(index, incarnation), at: pause.until)
            return
        }
        let before = hosts[index].disk.durable
        guard let receipt = hosts[index].disk.writeNext() else { return }
        observer.log.wroteVote(hosts[index].id, before: before, after: hosts[index].disk.durable)
        feed(index, .persisted(receipt))
    }

    mutating func resume(_ index: Int, _ incarnation: Incarnation) {
        guard let pause = hosts[index].pause, hosts[index].core?.incarnation == incarnation else { return }
        guardProcesses(index)
        hosts[index].pause = nil
        let clock = hosts[index].clock
        note(index, "runs again after \((now - pause.since) / 1_000_000) ms")
        if options.machines.reportsStalls { feed(index, .stalled(clock.local(now) - clock.local(pause.since))) }
        // What waited stands behind this event at the same time, the wake-up behind it.
        armWake(index)
    }

    /// Gives an input to a node's core and carries out what it decides.
    mutating func feed(_ index: Int, _ input: NodeInput) {
        var effects: [NodeEffect] = []
        let local = hosts[index].clock.local(now)
        let wall = wallClock
        hosts[index].knownBefore = hosts[index].core?.state.configuration
        guard hosts[index].core?.receive(input, now: local, wallClock: wall, into: &effects) != nil else { return }
        observer.applied(on: index, &hosts, table)
        carryOut(effects, index)
        armWake(index)
    }

    private mutating func carryOut(_ effects: [NodeEffect], _ index: Int) {
        for effect in effects {
            switch effect {
            case .send(let message, let peer): send(index, message, to: peer)
            case .persist(let batch): write(index, batch)
            case .lease(let end):
                if options.machines.isVerbose { note(index, end == nil ? "has no lease" : "has a lease") }
                hosts[index].leaseWord = end
                observer.needsActivityCheck = true
            case .dropAllVirtualIPs: dropAddresses(index)
            case .run(let operation): begin(operation, index)
            case .cancel(let operation): cancel(operation, index)
            case .fence(let node, let incarnation, _): fence(index, node, incarnation)
            // A simulated controller has the order already: the worst case.
            case .withdrawFence: break
            case .checkFenceDevices(let number, _):
                let failure = fails(options.failedFencesPerMille) ? "a controller does not answer" : nil
                let input = NodeInput.fenceDevicesChecked(number: number, failure: failure)
                let delay = Int64.random(in: options.fenceDelay, using: &random) / 4
                queue.insert(.tell(index, hosts[index].disk.incarnation, input), at: now + delay)
            case .fenceForQuorum(let node, let incarnation, _):
                observer.fencesForQuorum(node, incarnation, by: hosts[index])
                powerOffByController(index, node, incarnation)
            case .answer, .changed, .keepAnnouncing: break
            case .event(let event): observe(index, event)
            case .left:
                note(index, "has left")
                observer.left(hosts[index])
                endAgent(index)
                return
            case .beginAnew, .rejoin: observer.fail("\(hosts[index].id) parts with its history unasked")
            case .mustStop(let reason): observer.fail("\(hosts[index].id): \(reason)")
            }
        }
    }

    private mutating func observe(_ index: Int, _ event: NodeEvent) {
        if case .elected = event, let core = hosts[index].core?.consensus {
            observer.log.becameLeader(hosts[index].id, core: core)
        }
        let leads = hosts[index].core?.isLeading == true
        if let text = ClusterText.describe(event, leads: leads) { note(index, text) }
    }

    mutating func armWake(_ index: Int) {
        guard hosts[index].pause == nil, let deadline = hosts[index].core?.nextDeadline else { return }
        let time = max(now, hosts[index].clock.trueTime(of: deadline))
        if let wakeAt = hosts[index].wakeAt, wakeAt <= time, wakeAt >= now { return }
        hosts[index].wakeAt = time
        queue.insert(.wake(index), at: time)
    }

    private mutating func write(_ index: Int, _ batch: PersistBatch) {
        hosts[index].disk.enqueue(batch)
        var delay = Int64.random(in: options.machines.diskDelay, using: &random)
        if hosts[index].isDiskSlow { delay *= 40 }
        hosts[index].diskBusyUntil = max(now, hosts[index].diskBusyUntil) + delay
        queue.insert(.written(index, hosts[index].disk.incarnation), at: hosts[index].diskBusyUntil)
    }

    private mutating func send(_ index: Int, _ message: PeerMessage, to: NodeID) {
        guard let target = self.index(of: to), let session = hosts[target].core?.incarnation else { return }
        let from = hosts[index].id
        if options.machines.isVerbose { note(index, "> n\(to.rawValue) \(ClusterText.describe(message))") }
        for delay in network.delays(from: from, to: to, random: &random) {
            let event = Happening.message(
                to: target,
                session: session,
                from: from,
                fromSession: hosts[index].disk.incarnation,
                message
            )
            queue.insert(event, at: now + delay)
        }
    }
}
