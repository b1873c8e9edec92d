import ClusterModel
import Consensus
import NodeCore
import Recovery

/// One history of a cluster, as somebody knows it who sees all machines at once and in true time, and what must hold in
/// it.
struct ObservedHistory: Sendable {
    /// Which.
    let mark: BranchMark
    /// The rules of the log and of leases.
    var log: Invariants
    /// What was ever committed, applied.
    private(set) var state: ClusterState
    /// `state` after each entry behind those that no node can apply any more.
    private var states: [ClusterState]
    private var forgotten = 0
    /// What was ever committed.
    private var entries: [LogEntry] = []
    /// The leader of the newest term, while it leads.
    private var newestLeader: Int?
    private var hasOrderedFences = false
    /// When each node's fence was known to the newest leader: from then on it grants nothing.
    private var deniedSince: [NodeID: (at: TrueTime, incarnation: Incarnation, term: Term)] = [:]

    /// The history that the cluster begins with.
    init(_ initial: ClusterState) {
        mark = .origin
        log = Invariants(voters: initial.configuration.voters.map(\.id))
        state = initial
        states = [state]
    }

    /// A history that parts from another with a node that goes on alone.
    ///
    /// - Parameters:
    ///   - branch: What the founder's disk says.
    ///   - parent: Where it parts from.
    ///   - disk: The founder's.
    ///   - table: What commands mean.
    ///   - initial: The state of the beginning.
    init(
        _ branch: DurableBranch,
        from parent: ObservedHistory,
        on disk: VirtualDisk,
        _ table: ValueTable,
        _ initial: ClusterState
    ) {
        mark = branch.mark
        // What the founder lacks was committed without it, and is not part of this history.
        var shared = min(parent.log.decidedIndex, disk.lastIndex)
        while shared > 0, !disk.holds(index: shared, term: parent.log.decidedTerm(at: shared)) { shared -= 1 }
        log = parent.log.parted(through: shared, alone: branch.voters ?? ListedVoters(index: 0, set: parent.log.voters))
        entries = Array(parent.entries.prefix(Int(shared)))
        state = initial
        states = [state]
        for entry in entries {
            if case .command(let bytes) = entry.payload, let command = table.command(bytes) { _ = state.apply(command) }
            states.append(state)
        }
    }

    var violation: String? { log.violation }

    mutating func fail(_ reason: String) { log.fail(reason) }

    mutating func started(_ node: NodeID, _ core: NodeCore) { log.started(node, snapshotIndex: core.appliedIndex) }

    /// A node leads from now on.
    mutating func elected(_ host: SimulatedHost, _ index: Int) {
        guard let core = host.agent?.core.consensus else { return }
        log.becameLeader(host.id, core: core)
        if core.term == log.newestTerm { newestLeader = index }
    }

    mutating func deposed(_ index: Int) {
        if newestLeader == index { newestLeader = nil }
    }

    /// S4: every node applies the same log and comes to the same state.
    ///
    /// - Parameters:
    ///   - index: Where.
    ///   - hosts: All machines.
    ///   - members: Those of them that are in this history.
    ///   - table: What commands and states mean.
    ///   - unwritten: What the same input is about to write: entries that it also compacts away are found there.
    mutating func applied(
        on index: Int,
        _ hosts: [SimulatedHost],
        members: [SimulatedHost],
        _ table: ValueTable,
        unwritten: [NodeEffect]
    ) {
        guard let agent = hosts[index].agent, agent.core.appliedIndex > hosts[index].applied else { return }
        let node = hosts[index].id
        let appliedIndex = agent.core.appliedIndex
        var next = hosts[index].applied + 1
        while next <= appliedIndex {
            let known = agent.core.entryInLog(at: next)
            // What others were seen to apply a snapshot may stand for, while the own disk still holds something older.
            let written = next > log.decidedIndex ? Self.entry(next, on: hosts[index], unwritten) : nil
            if let entry = known ?? written, log.isNext(next, on: node) {
                let before = log.decidedIndex
                log.committed(
                    entry,
                    on: node,
                    in: agent.core.consensus.term,
                    holders: { entry in
                        var holders = NodeSet()
                        for host in members where host.holds(index: entry.index, term: entry.term) {
                            holders.insert(host.id)
                        }
                        return holders
                    },
                    hasEnded: { voter in
                        hosts.contains {
                            $0.id == voter.node
                                && Invariants.endedIncarnation($0.disk, of: $0.id, runs: $0.agent != nil)
                                    >= voter.incarnation
                        }
                    }
                )
                if log.decidedIndex > before { decide(entry, hosts, table) }
            } else if next > log.decidedIndex {
                fail("S4: \(node) applies entry \(next), which was never committed")
            } else {
                log.skipped(to: next, on: node)
            }
            next += 1
        }
        hosts[index].applied = appliedIndex
        agent.noteFences()
        let place = Int(appliedIndex) - forgotten
        if place < states.count, !agent.core.agrees(with: states[place]) {
            let other = Self.differences(of: agent.core.state, from: states[place])
            fail("S4: \(node) has another state after entry \(appliedIndex) than was decided\(other)")
        }
    }

    /// What a state has otherwise than the one that was decided, in words.
    private static func differences(of state: ClusterState, from decided: ClusterState) -> String {
        zip(Mirror(reflecting: decided).children, Mirror(reflecting: state).children)
            .map { ($0.label ?? "", "\($0.value)", "\($1.value)") }
            .filter { $0.1 != $0.2 }
            .map { "; \($0.0): \($0.2) in place of \($0.1)" }
            .joined()
    }

    private static func entry(_ index: LogIndex, on host: SimulatedHost, _ effects: [NodeEffect]) -> LogEntry? {
        for effect in effects.reversed() {
            if case .persist(let batch) = effect, let entry = batch.writes.entries.first(where: { $0.index == index }) {
                return entry
            }
        }
        return host.disk.entry(at: index)
    }

    private mutating func decide(_ entry: LogEntry, _ hosts: [SimulatedHost], _ table: ValueTable) {
        entries.append(entry)
        if case .command(let bytes) = entry.payload, let command = table.command(bytes) {
            let newestEpoch = state.lastEpoch
            _ = state.apply(command)
            switch command.change {
            case .assign(let assignments): checkColocations(of: assignments, after: newestEpoch)
            case .fenceOrdered: hasOrderedFences = true
            case .fenceEnded(let node, let incarnation, nil), .fenceConfirmed(let node, let incarnation):
                checkFenced(node, incarnation, hosts)
            default: break
            }
            if case .fenceEnded = command.change {
                hasOrderedFences = state.fences.values.contains { $0.outcome == .ordered }
                if !hasOrderedFences { deniedSince = [:] }
            }
        }
        states.append(state)
        if states.count > Self.mostStates { forgetStates(hosts) }
    }

    /// A node applies nothing that is in its snapshot, nor in one that another sends it.
    private mutating func forgetStates(_ hosts: [SimulatedHost]) {
        let needed = hosts.map { $0.disk.durable.snapshot?.lastIndex ?? 0 }.min() ?? 0
        let count = Int(needed) - forgotten
        guard count >= Self.mostStates / 2 else { return }
        states.removeFirst(count)
        forgotten += count
    }

    private static let mostStates = 4096

    /// S6: what must run with something is given to the node that has it already, at every step.
    private mutating func checkColocations(of assignments: [NewAssignment], after newestEpoch: Epoch) {
        for new in assignments {
            guard let given = state.assignments[new.resource], given.epoch > newestEpoch else { continue }
            for colocation in state.configuration.colocations where colocation.resource == new.resource {
                let other = state.assignments[colocation.with]?.node
                if colocation.score == .infinity, other != new.node {
                    let text = other.map(\.description) ?? "nobody"
                    fail("S6: \(new.resource) is given to \(new.node), and \(colocation.with) to \(text)")
                }
                if colocation.score == .minusInfinity, other == new.node {
                    fail("S6: \(new.resource) is given to \(new.node), which has \(colocation.with)")
                }
            }
        }
    }

    /// S8: what was verified off acts no more.
    ///
    /// Waived where a controller lied: for the starts of the agent that were running then, and for nothing else.
    private mutating func checkFenced(_ node: NodeID, _ incarnation: Incarnation, _ hosts: [SimulatedHost]) {
        guard let host = hosts.first(where: { $0.id == node }), host.agent != nil else { return }
        if host.disk.incarnation <= incarnation, host.disk.incarnation > host.falselyDead {
            fail("S8: incarnation \(incarnation) of \(node) was verified off, and runs")
        }
    }

    /// S2 and S3 at the moment of a start.
    ///
    /// An agent that a controller's lie has taken everything from may not know it yet; it may start nothing without a
    /// lease all the same.
    mutating func starts(_ resource: ResourceName, on host: SimulatedHost, at time: TrueTime) {
        let assignment = state.assignments[resource]
        if assignment?.node != host.id || assignment?.incarnation != host.disk.incarnation,
            host.disk.incarnation > host.falselyDead
        {
            let text = assignment.map { "n\($0.node.rawValue) incarnation \($0.incarnation)" } ?? "nobody"
            fail("S2: \(resource) starts on \(host.id), but is given to \(text)")
        }
        if !host.holdsLease(at: time) { fail("S3: \(host.id) starts \(resource) without a lease") }
    }

    /// S7: what the node knows to be left to the operator is neither started nor monitored; stops have reasons that
    /// maintenance does not lift.
    ///
    /// A node that was told to leave has to give everything up, maintenance or not.
    mutating func begins(_ operation: Operation, on host: SimulatedHost) {
        guard operation.kind == .start || operation.kind == .monitor, !host.isLeaving,
            let known = host.agent?.core.state.configuration,
            // What it decided in the same moment as it learned of the maintenance came before that.
            let before = host.known,
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
        guard let core = host.agent?.core.consensus else { return }
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
        if host.disk.incarnation <= host.falselyDead { return }
        let isRecorded = (state.departures[host.id] ?? 0) >= host.disk.incarnation
        let rest = host.active.filter { isRecorded || $0.value.incarnation == host.disk.incarnation }.keys.sorted()
        if !rest.isEmpty { fail("S2: \(host.id) leaves while \(rest.joined(separator: ", ")) may run there") }
    }

    /// How long after the end of a lease a kernel or a guard may need to end what it covered: the others wait for the
    /// grace, and this is what safety.md asks of a machine.
    ///
    /// While a profile changes, by the shorter of both.
    var lateness: Duration {
        let present = ConsensusTiming(state.configuration.properties.profile).grace
        let former = state.formerProfile.map { ConsensusTiming($0).grace } ?? present
        return min(present, former) * 4 / 5
    }

    /// Leases end before the newest leader takes them for ended, and a node with a fence under way gets none.
    mutating func checkLeases(_ hosts: [SimulatedHost], at time: TrueTime) {
        guard let newestLeader, let agent = hosts[newestLeader].agent else { return }
        let leader = hosts[newestLeader]
        let now = leader.clock.local(time)
        var holders = NodeSet()
        for host in hosts where host !== leader && host.history == leader.history && host.holdsLease(at: time) {
            holders.insert(host.id)
        }
        if holders.isEmpty { return }
        let (decides, ended) = agent.core.observe(leasesOf: holders, at: now)
        // One that was taken out of the cluster while it ran was given nothing since, whatever lease it got from a
        // leader that did not know of it yet.
        if let ended, agent.core.state.configuration.node(ended) != nil {
            fail("S2: \(leader.id) takes the lease of \(ended) for ended, which it still holds")
        }
        guard hasOrderedFences, decides else { return }
        for host in hosts where holders.contains(host.id) { checkDenial(of: host, by: leader, agent, at: time) }
    }

    private mutating func checkDenial(
        of host: SimulatedHost,
        by leader: SimulatedHost,
        _ agent: SimulatedHost.Agent,
        at time: TrueTime
    ) {
        guard agent.orderedFences.contains(host.id), agent.core.isLeading,
            let record = agent.core.state.fences[host.id], record.outcome == .ordered,
            record.incarnation == host.disk.incarnation, host.agent != nil
        else {
            if !deniedSince.isEmpty { deniedSince[host.id] = nil }
            return
        }
        guard let since = deniedSince[host.id], since.incarnation == record.incarnation,
            since.term == agent.core.consensus.term
        else {
            deniedSince[host.id] = (time, record.incarnation, agent.core.consensus.term)
            return
        }
        // What was granted before is over after the longest lease that a slow clock makes of it.
        if time - since.at > Self.longestGrant(agent.core.consensus) {
            fail("S5: \(host.id) is to be fenced and still gets leases from \(leader.id)")
        }
    }

    /// Changes of the profile included.
    private static func longestGrant(_ core: ConsensusCore) -> TrueTime {
        core.isTimingSettled ? core.timing.leaseCeiling.nanoseconds * 6 / 5 : 4_000_000_000
    }
}
