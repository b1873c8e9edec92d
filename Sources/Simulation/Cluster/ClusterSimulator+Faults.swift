public import ClusterModel
import Consensus
import NodeCore
import Recovery

/// What a test or a plan does to a cluster, and what it sees of it.
extension ClusterSimulator {
    /// Cuts a machine's power: what runs there ends, what was not on the disk is lost.
    public mutating func powerOff(_ node: NodeID) {
        guard let index = index(of: node), hosts[index].isPowered else { return }
        endAgent(index)
        hosts[index].isPowered = false
        hosts[index].leaseWord = nil
        hosts[index].active = [:]
        hosts[index].falselyDead = 0
        note(index, "loses power")
    }

    /// Switches a machine on; its agent starts.
    public mutating func powerOn(_ node: NodeID) {
        guard let index = index(of: node), !hosts[index].isPowered, !hosts[index].isHeldDown else { return }
        hosts[index].isPowered = true
        queue.insert(.start(index), at: now)
    }

    /// Kills an agent; what it ran goes on, and so does its lease.
    public mutating func killAgent(_ node: NodeID) {
        guard let index = index(of: node), hosts[index].agent != nil else { return }
        endAgent(index)
        note(index, "its agent is killed")
    }

    /// Starts the agent of a machine that has none.
    public mutating func startAgent(_ node: NodeID) {
        if let index = index(of: node) { queue.insert(.start(index), at: now) }
    }

    /// Stops an agent from running for a while; its clock and what it runs go on.
    public mutating func pause(_ node: NodeID, for duration: Duration) {
        guard let index = index(of: node), hosts[index].isRunning else { return }
        let until = now + duration.nanoseconds
        hosts[index].pause = (now, until)
        queue.insert(.resume(index, hosts[index].disk.incarnation), at: until)
        note(index, "is paused")
    }

    /// Cuts every link between nodes of different groups.
    public mutating func partition(_ groups: [[NodeID]]) {
        network.partition(groups)
        let text = groups.map { group in group.map { String($0.rawValue) }.joined(separator: ",") }
        note(nil, "partition \(text.joined(separator: " | "))")
    }

    /// Cuts one direction between two nodes.
    public mutating func cut(from: NodeID, to: NodeID) {
        network.cut(from: from, to: to)
        note(nil, "n\(from.rawValue) reaches n\(to.rawValue) no more")
    }

    /// Restores every link.
    public mutating func heal() {
        network.heal()
        note(nil, "all links work")
    }

    /// Makes the network better or worse.
    public mutating func setNetwork(_ quality: NetworkQuality) { network.quality = quality }

    /// Lets a process end by itself, wherever it runs.
    public mutating func killProcess(_ resource: ResourceName) {
        for index in hosts.indices where hosts[index].active[resource] != nil { killProcess(resource, index) }
    }

    /// Asks a node to change something, as an operator does.
    public mutating func change(_ change: Change, on node: NodeID) {
        guard let index = index(of: node), hosts[index].isRunning else { return }
        note(index, "is asked for \(ClusterText.describe(change))")
        feed(index, .change(change, RequestOrigin(id: nextRequest(), node: node, uid: 0)))
    }

    /// Asks the leader for another configuration; nothing happens while nobody leads.
    public mutating func configure(_ edit: (inout ClusterConfiguration) -> Void) {
        guard let leader, let index = index(of: leader), let state = hosts[index].agent?.core.state else { return }
        var wanted = state.configuration
        edit(&wanted)
        guard wanted != state.configuration else { return }
        change(.configure(expected: state.version, wanted), on: leader)
    }

    /// Tells an agent to leave; it ends when that is done.
    public mutating func leave(_ node: NodeID) {
        guard let index = index(of: node), hosts[index].isRunning else { return }
        note(index, "is told to leave")
        hosts[index].isLeaving = true
        feed(index, .leave)
    }

    /// Lets a node's power controller fail, or not.
    public mutating func setController(of node: NodeID, fails: Bool) {
        guard let index = index(of: node) else { return }
        hosts[index].controller.failsUntil = fails ? .max : 0
    }

    /// The node that leads and knows everything that was committed before; nil while none does.
    ///
    /// Where two histories are led it is one of the two.
    public var leader: NodeID? {
        hosts.last { $0.isRunning && $0.agent?.core.isLeading == true }?.id
    }

    /// The machine of the leader.
    var leadingHost: SimulatedHost? { leader.flatMap(index(of:)).map { hosts[$0] } }

    /// Machines that are set up as nodes of the cluster.
    public var members: [NodeID] { hosts.filter(\.isMember).map(\.id) }

    /// Where a resource may really be active.
    public func places(of resource: ResourceName) -> [NodeID] {
        hosts.filter { $0.active[resource] != nil }.map(\.id)
    }

    /// Whether a node holds a lease by its own clock.
    public func holdsLease(_ node: NodeID) -> Bool { index(of: node).map { hosts[$0].holdsLease(at: now) } ?? false }

    /// How often a resource was stopped so far.
    public func stops(of resource: ResourceName) -> Int { stopsOf[resource] ?? 0 }

    /// What everybody agrees on.
    ///
    /// In the leader's history, if there are several.
    public var state: ClusterState {
        observer.histories[leadingHost?.history ?? observer.newest].state
    }

    /// Why not everything that can run does; nil when it does.
    public var unfinished: String? { unfinished(without: []) }

    /// Why not everything that can run does on the members but some; nil when it does.
    ///
    /// What these do is left to them: some may be off, some cut off.
    public func unfinished(without away: Set<NodeID>) -> String? {
        let core = Set(members.filter { state.configuration.node($0) != nil }).subtracting(away)
        guard let leader, core.contains(leader), let index = index(of: leader), let agent = hosts[index].agent,
            hosts.filter({ core.contains($0.id) && $0.agent?.core.consensus.role == .leader }).count == 1
        else { return "nobody leads, or more than one" }
        let history = hosts[index].history
        for host in hosts where core.contains(host.id) {
            if host.history != history { return "\(host.id) is in another history" }
            if !host.isRunning || !host.holdsLease(at: now) {
                return "\(host.id) \(host.isRunning ? "has no lease" : "does not run")"
            }
            // What the leader learns of last may still let it move something.
            if host.id != leader, agent.core.consensus.peer(host.id)?.state != .alive(holdsLease: true) {
                return "\(host.id) is not known to hold a lease"
            }
            if agent.core.reports[host.id]?.leaving == true { return "\(host.id) is leaving" }
        }
        let shallVote = state.configuration.voters.map(\.id)
        if !shallVote.contains(leader), shallVote.contains(where: core.contains) {
            return "\(leader) leads and shall not vote"
        }
        if let text = unsettled(agent.core, away) { return text }
        let isUpgraded = away.isEmpty && hosts.allSatisfy { $0.level == ProtocolLevel.newest }
        if isUpgraded, state.protocolLevel < ProtocolLevel.newest {
            return "the cluster stays at level \(state.protocolLevel)"
        }
        if now < controllersRestAt { return "a controller is at work" }
        if now < hangsEndAt { return "an operation hangs" }
        for resource in state.configuration.resources {
            if let text = unfinished(resource, agent.core, core) { return text }
        }
        return nil
    }

    /// What a leader still has to learn of nodes that stay away, or to do about them.
    private func unsettled(_ leader: NodeCore, _ away: Set<NodeID>) -> String? {
        for node in away.sorted() {
            switch leader.consensus.peer(node)?.state {
            case .suspect, .alive(holdsLease: true): return "\(node) is not known to be away"
            case .alive(holdsLease: false), .lost, .left, nil: continue
            }
        }
        if leader.state.fences.values.contains(where: { $0.outcome == .ordered }) { return "a fence is under way" }
        let fails = leader.notices.contains { notice in
            if case .fenceFailing = notice { true } else { false }
        }
        return fails ? "a fence fails" : nil
    }

    private func unfinished(_ resource: Resource, _ leader: NodeCore, _ core: Set<NodeID>) -> String? {
        let places = places(of: resource.name).filter { isEffective(resource, on: $0) }
        if !resource.enabled { return places.isEmpty ? nil : "\(resource.name) is disabled and runs" }
        guard places.count == 1, let place = places.first, core.contains(place) else {
            return "\(resource.name) runs on \(places)"
        }
        guard state.assignments[resource.name]?.node == place,
            leader.reports[place]?.resources.contains(where: { $0.resource == resource.name && $0.state == .running })
                == true
        else { return "\(resource.name) is not known to run on \(place)" }
        // A stop that failed is tried again.
        for other in core.sorted() where other != place {
            let known = leader.reports[other]?.resources.first { $0.resource == resource.name }
            if let known, !known.state.isDown { return "\(resource.name) is not known to be down on \(other)" }
        }
        return nil
    }

    /// An address beyond the lease of its machine is configured there and answers nobody.
    private func isEffective(_ resource: Resource, on node: NodeID) -> Bool {
        guard case .virtualIP = resource.kind, let index = index(of: node) else { return true }
        return hosts[index].isRunning || hosts[index].holdsLease(at: now)
    }
}
