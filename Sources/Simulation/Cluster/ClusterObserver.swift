import ClusterModel
import Consensus
import NodeCore
import Recovery

/// Sees all machines at once, and in true time, and knows what must hold.
///
/// Nearly always there is one history. Where nodes go on alone more of them begin, each with a log and rules of its own.
struct ClusterObserver: Sendable {
    /// Every history that ever began; hosts name theirs by its place.
    private(set) var histories: [ObservedHistory]
    /// Whether something that makes a resource active has happened since the last look.
    var needsActivityCheck = false
    /// The history of the newest election.
    private(set) var newest = 0
    private let initial: ClusterState
    private let addresses: Set<ResourceName>
    private var configuration: ClusterConfiguration { initial.configuration }

    init(_ initial: ClusterState) {
        self.initial = initial
        histories = [ObservedHistory(initial)]
        addresses = Set(
            initial.configuration.resources.compactMap { if case .virtualIP = $0.kind { $0.name } else { nil } }
        )
    }

    /// The first broken rule.
    var violation: String? {
        for index in histories.indices where histories[index].violation != nil { return histories[index].violation }
        return nil
    }

    mutating func fail(_ reason: String) { histories[0].fail(reason) }

    func isAddress(_ resource: ResourceName) -> Bool { addresses.contains(resource) }

    /// Whether machines are powered off; nobody changes it.
    var isFencing: Bool { configuration.properties.stonithEnabled }

    // MARK: What machines do

    /// An agent is about to start with what is on its disk: in the history that it had, or in another.
    mutating func starts(_ host: SimulatedHost, _ table: ValueTable) {
        let branch = host.disk.durable.branch ?? DurableBranch(mark: .origin)
        if let known = histories.firstIndex(where: { $0.mark.id == branch.mark.id }) {
            host.history = known
            return
        }
        let parent = histories[host.history]
        histories.append(ObservedHistory(branch, from: parent, on: host.disk, table, initial))
        host.history = histories.count - 1
        // Whatever runs there its own cluster knows of.
        for name in host.active.keys { host.active[name]?.history = host.history }
    }

    mutating func started(_ host: SimulatedHost, _ core: NodeCore) {
        histories[host.history].started(host.id, core)
        needsActivityCheck = true
    }

    /// A node leads from now on.
    mutating func elected(_ host: SimulatedHost, _ index: Int) {
        histories[host.history].elected(host, index)
        newest = host.history
    }

    mutating func deposed(_ host: SimulatedHost, _ index: Int) { histories[host.history].deposed(index) }

    /// See ``ObservedHistory``.
    mutating func applied(on index: Int, _ hosts: [SimulatedHost], _ table: ValueTable, unwritten: [NodeEffect]) {
        let history = hosts[index].history
        let members = histories.count == 1 ? hosts : hosts.filter { $0.history == history }
        let level = histories[history].state.protocolLevel
        histories[history].applied(on: index, hosts, members: members, table, unwritten: unwritten)
        if histories[history].state.protocolLevel > level { checkRaised(histories[history].state, hosts) }
    }

    /// S9: what every node has to read by now every machine could read once.
    private mutating func checkRaised(_ state: ClusterState, _ hosts: [SimulatedHost]) {
        let level = state.protocolLevel
        for host in hosts where state.configuration.node(host.id) != nil && host.newestLevel < level {
            fail("S9: the cluster is raised to level \(level), which \(host.id) never spoke")
        }
    }

    mutating func wroteVote(_ host: SimulatedHost, before: (term: Term, votedFor: NodeID?)) {
        histories[host.history].log.wroteVote(host.id, before: before, after: host.disk.durable)
    }

    mutating func starts(_ resource: ResourceName, on host: SimulatedHost, at time: TrueTime) {
        needsActivityCheck = true
        histories[host.history].starts(resource, on: host, at: time)
    }

    mutating func begins(_ operation: Operation, on host: SimulatedHost) {
        histories[host.history].begins(operation, on: host)
    }

    mutating func fences(_ target: NodeID, _ incarnation: Incarnation, by host: SimulatedHost) {
        histories[host.history].fences(target, incarnation, by: host.id)
    }

    mutating func fencesForQuorum(_ target: NodeID, _ incarnation: Incarnation, by host: SimulatedHost) {
        histories[host.history].fencesForQuorum(target, incarnation, by: host)
    }

    mutating func left(_ host: SimulatedHost) { histories[host.history].left(host) }

    // MARK: What must hold

    /// S1, S2 and S5, after every event.
    mutating func check(_ hosts: [SimulatedHost], at time: TrueTime) {
        for index in histories.indices { histories[index].checkLeases(hosts, at: time) }
        guard needsActivityCheck else { return }
        needsActivityCheck = false
        // Histories that have parted know nothing of each other: that is what parting means.
        for history in histories.indices {
            // In a list: there are few, and looking through them is quicker than hashing one.
            var active: [(name: ResourceName, node: NodeID)] = []
            for host in hosts {
                for (name, activity) in host.active
                where activity.history == history && isActive(name, activity, on: host, at: time) {
                    if let other = active.last(where: { $0.name == name })?.node {
                        histories[history].fail("S1: \(name) may be active on \(other) and on \(host.id)")
                    }
                    active.append((name, host.id))
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
        // What runs on is what the power controller, by lying, took nothing from: safety.md names the assumption. Only
        // addresses go on to be checked, for they rest on leases and not on controllers.
        if activity.incarnation <= host.falselyDead, !isAddress(name) { return false }
        let isGuarded = isAddress(name) || !isFencing
        guard isGuarded else { return true }
        if host.isRunning, host.disk.incarnation == activity.incarnation {
            // Without fences a process has as long as its stop takes, which is not promised to be short. An agent whose
            // pause ends in this moment has not looked at its clock yet, and nobody hears an address beyond its lease.
            return isAddress(name) && host.wakeAt != time || host.holdsLease(at: time)
        }
        return host.holdsLease(at: time, lateness: histories[host.history].lateness)
    }
}
