import ClusterModel
import Consensus
import NodeCore
import Recovery

/// Sees all machines at once, and in true time, and knows what must hold.
struct ClusterObserver: Sendable {
    /// The rules of the log and of leases.
    var log: Invariants
    /// What was ever committed, applied.
    private(set) var state: ClusterState
    /// A digest of `state` after each entry.
    private var digests: [Int]
    /// Whether something that makes a resource active has happened since the last look.
    var needsActivityCheck = false
    /// When each node's fence was known to the newest leader: from then on it grants nothing.
    private var deniedSince: [NodeID: (at: TrueTime, incarnation: Incarnation, leader: NodeID)] = [:]

    init(_ configuration: ClusterConfiguration) {
        log = Invariants(voters: configuration.nodes.map(\.id))
        state = ClusterState(configuration: configuration)
        digests = [state.hashValue]
    }

    var violation: String? { log.violation }

    mutating func fail(_ reason: String) { log.fail(reason) }

    func isAddress(_ resource: ResourceName) -> Bool {
        if case .virtualIP = state.configuration.resource(named: resource)?.kind { return true }
        return false
    }

    mutating func started(_ node: NodeID, _ core: NodeCore) {
        log.started(node, snapshotIndex: core.appliedIndex)
        needsActivityCheck = true
    }

    /// S4: every node applies the same log and comes to the same state.
    mutating func applied(on index: Int, _ hosts: inout [SimulatedHost], _ table: ValueTable) {
        guard let core = hosts[index].core, core.appliedIndex > hosts[index].applied else { return }
        let node = hosts[index].id
        var next = hosts[index].applied + 1
        while next <= core.appliedIndex {
            if let entry = core.consensus.entryInLog(at: next), log.isNext(next, on: node) {
                let before = log.decidedIndex
                let list = hosts
                log.committed(
                    entry,
                    on: node,
                    holders: { entry in
                        NodeSet(list.filter { $0.disk.holds(index: entry.index, term: entry.term) }.map(\.id))
                    },
                    hasEnded: { voter in
                        list.contains {
                            $0.id == voter.node
                                && Invariants.endedIncarnation($0.disk, of: $0.id, runs: $0.core != nil)
                                    >= voter.incarnation
                        }
                    }
                )
                if log.decidedIndex > before { decide(entry, table) }
            } else if next > log.decidedIndex {
                fail("S4: \(node) applies entry \(next), which was never committed")
            } else {
                log.skipped(to: next, on: node)
            }
            next += 1
        }
        hosts[index].applied = core.appliedIndex
        if Int(core.appliedIndex) < digests.count, core.state.hashValue != digests[Int(core.appliedIndex)] {
            fail("S4: \(node) has another state after entry \(core.appliedIndex) than was decided")
        }
    }

    private mutating func decide(_ entry: LogEntry, _ table: ValueTable) {
        if case .command(let bytes) = entry.payload, let command = table.command(bytes) { _ = state.apply(command) }
        digests.append(state.hashValue)
    }

    /// S2 and S3 at the moment of a start.
    mutating func starts(_ resource: ResourceName, on host: SimulatedHost, at time: TrueTime) {
        needsActivityCheck = true
        let assignment = state.assignments[resource]
        if assignment?.node != host.id || assignment?.incarnation != host.disk.incarnation {
            let text = assignment.map { "n\($0.node.rawValue) incarnation \($0.incarnation)" } ?? "nobody"
            fail("S2: \(resource) starts on \(host.id), but is given to \(text)")
        }
        if !host.holdsLease(at: time) { fail("S3: \(host.id) starts \(resource) without a lease") }
    }

    /// S7: what the node knows to be left to the operator is neither started nor monitored; stops have reasons that
    /// maintenance does not lift.
    mutating func begins(_ operation: Operation, on host: SimulatedHost) {
        guard operation.kind == .start || operation.kind == .monitor, let known = host.core?.state.configuration,
            // What it decided in the same moment as it learned of the maintenance came before that.
            let before = host.knownBefore,
            [known, before].allSatisfy({ !$0.isManaged(operation.resource.name, on: host.id) })
        else { return }
        fail(
            "S7: \(operation.kind.rawValue) of \(operation.resource.name) on \(host.id), which is left to the operator"
        )
    }

    /// S5: nothing is powered off before that is committed.
    mutating func fences(_ target: NodeID, _ incarnation: Incarnation, by node: NodeID) {
        guard let record = state.fences[target], record.incarnation >= incarnation else {
            return fail("S5: \(node) powers \(target) off without a committed order")
        }
        if record.outcome == .verified {
            fail("S5: \(node) powers incarnation \(incarnation) of \(target) off a second time")
        }
    }

    /// S5: half of the voters may power the other half off without a committed order, if it has nobody else to ask.
    mutating func fencesForQuorum(_ target: NodeID, _ incarnation: Incarnation, by host: SimulatedHost) {
        guard let core = host.core?.consensus else { return }
        if core.isQuorate && core.role == .leader {
            fail("S5: \(host.id) powers \(target) off for a quorum that it has")
        }
        if core.activeVoterSets.contains(where: { $0.incarnation(of: host.id) != core.incarnation }) {
            fail("S5: \(host.id) powers \(target) off, and its own start is not listed")
        }
        if state.fences[target].map({ $0.outcome == .verified && $0.incarnation >= incarnation }) == true {
            fail("S5: \(host.id) powers incarnation \(incarnation) of \(target) off a second time")
        }
    }

    /// Who leaves runs nothing; but what an earlier agent left may be unknown to one that leaves before it has learned of
    /// it from anybody, and then its departure is not on record and proves nothing.
    mutating func left(_ host: SimulatedHost) {
        let isRecorded = (state.departures[host.id] ?? 0) >= host.disk.incarnation
        let rest = host.active.filter { isRecorded || $0.value.incarnation == host.disk.incarnation }.keys.sorted()
        if !rest.isEmpty { fail("S2: \(host.id) leaves while \(rest.joined(separator: ", ")) may run there") }
    }

    mutating func check(_ hosts: [SimulatedHost], at time: TrueTime) {
        checkLeases(hosts, at: time)
        guard needsActivityCheck else { return }
        needsActivityCheck = false
        var holders: [ResourceName: NodeID] = [:]
        for host in hosts {
            for (name, activity) in host.active where isActive(name, activity, on: host, at: time) {
                if let other = holders.updateValue(host.id, forKey: name) {
                    fail("S1: \(name) may be active on \(other) and on \(host.id)")
                }
            }
        }
    }

    /// Whether a resource disturbs another copy of it now.
    ///
    /// An address that no running agent answers for is held by the lease that its machine was given: beyond it packets
    /// do not pass. The same guard kills processes where nothing is ever fenced.
    private func isActive(
        _ name: ResourceName,
        _ activity: SimulatedHost.Activity,
        on host: SimulatedHost,
        at time: TrueTime
    ) -> Bool {
        let isGuarded = isAddress(name) || !state.configuration.properties.stonithEnabled
        guard isGuarded else { return true }
        if host.isRunning, host.disk.incarnation == activity.incarnation {
            // Without fences a process has as long as its stop takes, which is not promised to be short.
            return isAddress(name) || host.holdsLease(at: time)
        }
        return host.holdsLease(at: time)
    }

    /// Leases end before the newest leader takes them for ended, and a node with a fence under way gets none.
    private mutating func checkLeases(_ hosts: [SimulatedHost], at time: TrueTime) {
        guard
            let leader = hosts.first(where: {
                $0.core?.consensus.role == .leader && $0.core?.consensus.term == log.newestTerm
            }), let core = leader.core, core.consensus.decides(at: leader.clock.local(time))
        else { return }
        let now = leader.clock.local(time)
        for host in hosts where host.id != leader.id && host.holdsLease(at: time) {
            if now >= core.consensus.leaseOver(of: host.id) {
                fail("S2: \(leader.id) takes the lease of \(host.id) for ended, which it still holds")
            }
            checkDenial(of: host, by: leader, core, at: time)
        }
    }

    private mutating func checkDenial(
        of host: SimulatedHost,
        by leader: SimulatedHost,
        _ core: NodeCore,
        at time: TrueTime
    ) {
        guard core.isLeading, let record = core.state.fences[host.id], record.outcome == .ordered,
            record.incarnation == host.disk.incarnation, host.core != nil
        else {
            deniedSince[host.id] = nil
            return
        }
        guard let since = deniedSince[host.id], since.incarnation == record.incarnation, since.leader == leader.id
        else {
            deniedSince[host.id] = (time, record.incarnation, leader.id)
            return
        }
        // What was granted before is over after the longest lease that a slow clock makes of it.
        if time - since.at > Self.longestGrant(core.consensus) {
            fail("S5: \(host.id) is to be fenced and still gets leases from \(leader.id)")
        }
    }

    /// Changes of the profile included.
    private static func longestGrant(_ core: ConsensusCore) -> TrueTime {
        core.isTimingSettled ? core.timing.leaseCeiling.nanoseconds * 6 / 5 : 4_000_000_000
    }
}
