public import ClusterModel
import Consensus
import NodeCore

/// What a test or a plan does to a cluster, and what it sees of it.
extension ClusterSimulator {
    /// Cuts a machine's power: what runs there ends, what was not on the disk is lost.
    public mutating func powerOff(_ node: NodeID) {
        guard let index = index(of: node), hosts[index].isPowered else { return }
        endAgent(index)
        hosts[index].isPowered = false
        hosts[index].leaseWord = nil
        hosts[index].active = [:]
        note(index, "loses power")
    }

    /// Switches a machine on; its agent starts.
    public mutating func powerOn(_ node: NodeID) {
        guard let index = index(of: node), !hosts[index].isPowered else { return }
        hosts[index].isPowered = true
        queue.insert(.start(index), at: now)
    }

    /// Kills an agent; what it ran goes on, and so does its lease.
    public mutating func killAgent(_ node: NodeID) {
        guard let index = index(of: node), hosts[index].core != nil else { return }
        endAgent(index)
        note(index, "its agent is killed")
    }

    /// Starts the agent of a machine that has none.
    public mutating func startAgent(_ node: NodeID) {
        if let index = index(of: node) { queue.insert(.start(index), at: now) }
    }

    mutating func endAgent(_ index: Int) {
        hosts[index].core = nil
        hosts[index].pause = nil
        hosts[index].operations = [:]
        let waiting = hosts[index].disk.waiting.count
        hosts[index].disk.crash(surviving: waiting == 0 ? 0 : Int.random(in: 0...waiting, using: &random))
    }

    /// Stops an agent from running for a while; its clock and what it runs go on.
    public mutating func pause(_ node: NodeID, for duration: Duration) {
        guard let index = index(of: node), hosts[index].isRunning else { return }
        let until = now + duration.nanoseconds
        hosts[index].pause = (now, until)
        queue.insert(.resume(index, hosts[index].disk.incarnation), at: until)
        note(index, "is paused")
    }

    /// Makes a disk forty times slower, or as it was.
    public mutating func setDiskSlow(_ node: NodeID, _ isSlow: Bool) {
        guard let index = index(of: node), hosts[index].isDiskSlow != isSlow else { return }
        hosts[index].isDiskSlow = isSlow
        note(index, isSlow ? "its disk is slow" : "its disk is fast again")
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
        guard let leader, let index = index(of: leader), let state = hosts[index].core?.state else { return }
        var wanted = state.configuration
        edit(&wanted)
        guard wanted != state.configuration else { return }
        change(.configure(expected: state.version, wanted), on: leader)
    }

    /// Tells an agent to leave; it ends when that is done.
    public mutating func leave(_ node: NodeID) {
        guard let index = index(of: node), hosts[index].isRunning else { return }
        note(index, "is told to leave")
        feed(index, .leave)
    }

    /// Lets runners and power controllers fail at the rates of the options, or not.
    public mutating func setFailures(_ areOn: Bool) { hasFailures = areOn }

    /// The node that leads and knows everything that was committed before; nil while none does.
    public var leader: NodeID? {
        hosts.last { $0.isRunning && $0.core?.isLeading == true }?.id
    }

    /// How many nodes believe that they lead.
    public var leaderCount: Int { hosts.filter { $0.core?.consensus.role == .leader }.count }

    /// Where a resource may really be active.
    public func places(of resource: ResourceName) -> [NodeID] {
        hosts.filter { $0.active[resource] != nil }.map(\.id)
    }

    /// Whether a node holds a lease by its own clock.
    public func holdsLease(_ node: NodeID) -> Bool { index(of: node).map { hosts[$0].holdsLease(at: now) } ?? false }

    /// How often a resource was stopped so far.
    public func stops(of resource: ResourceName) -> Int { stopsOf[resource] ?? 0 }

    /// What everybody agrees on.
    public var state: ClusterState { observer.state }

    /// Why not everything that can run does; nil when it does.
    public var unfinished: String? {
        guard let leader, leaderCount == 1, let index = index(of: leader), let core = hosts[index].core else {
            return "nobody leads, or more than one"
        }
        for host in hosts where !host.isRunning || !host.holdsLease(at: now) {
            return "\(host.id) \(host.isRunning ? "has no lease" : "does not run")"
        }
        // What the leader learns of last may still let it move something.
        for host in hosts where host.id != leader {
            guard core.consensus.peer(host.id)?.state == .alive(holdsLease: true) else {
                return "\(host.id) is not known to hold a lease"
            }
        }
        if now < controllersRestAt { return "a controller is at work" }
        for host in hosts where host.core?.reports[host.id]?.leaving == true { return "\(host.id) is leaving" }
        for resource in state.configuration.resources {
            let places = places(of: resource.name)
            if !resource.enabled {
                if !places.isEmpty { return "\(resource.name) is disabled and runs" }
                continue
            }
            guard places.count == 1, let place = places.first else { return "\(resource.name) runs on \(places)" }
            guard state.assignments[resource.name]?.node == place,
                core.reports[place]?.resources.contains(where: { $0.resource == resource.name && $0.state == .running })
                    == true
            else { return "\(resource.name) is not known to run on \(place)" }
        }
        return nil
    }
}
