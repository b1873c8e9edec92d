import ClusterModel
import Consensus
import NodeCore

/// Liveness: what has to work again once faults end, and for whom.
extension Trial {
    /// How long it may take: the longest pause between two attempts at a fence or a start, a few times over.
    private static let bound = Duration.seconds(240)
    /// How long operators look at a cluster that nobody leads before they ask whether anybody ever can.
    private static let operatorPatience = Duration.seconds(30)
    /// How long the cluster is then watched for starts, stops and changes of leader that nothing asks for (L4).
    private static let quietTime = Duration.seconds(5)

    func checkRecovery(_ simulator: inout ClusterSimulator) throws(SimulationFailure) {
        var random = SeededGenerator(seed: seed ^ 0x11FE)
        let away = simulator.endFaultsForSome(&random)
        // A node of the older version learns of nobody who came while it was away.
        simulator.upgrade(all: options.spares > 0, without: away)
        try waitUntilAllRuns(without: away, "L1", &simulator)
        simulator.endFaultsForAll()
        simulator.upgrade(all: true, without: [])
        try waitUntilAllRuns(without: [], "L3", &simulator)
    }

    private func waitUntilAllRuns(
        without away: Set<NodeID>,
        _ rule: String,
        _ simulator: inout ClusterSimulator
    ) throws(SimulationFailure) {
        let deadline = simulator.now + Self.bound.nanoseconds
        var isClean = false
        var lastLed = simulator.now
        while simulator.unfinished(without: away) != nil || !isClean, simulator.now < deadline {
            simulator.upgrade(all: away.isEmpty, without: away)
            simulator.bringBack(allBut: away)
            simulator.guardAll()
            isClean = simulator.tidy(removes: away.isEmpty)
            if simulator.leadingHost?.agent?.core.consensus.isQuorate == true { lastLed = simulator.now }
            if simulator.now - lastLed > Self.operatorPatience.nanoseconds {
                simulator.overrideLostQuorum()
                lastLed = simulator.now
            }
            try simulator.run(for: .milliseconds(100))
        }
        if let unfinished = simulator.unfinished(without: away) {
            let names = simulator.members.filter { !away.contains($0) }.map(\.description).joined(separator: ", ")
            throw simulator.failure("\(rule): \(Self.bound) after faults ended for \(names): \(unfinished)")
        }
        if !isClean {
            throw simulator.failure("\(rule): operators cannot complete what they began: \(simulator.begun)")
        }
        // What was under way when the last resource came up may still end; then nothing moves any more.
        try simulator.run(for: .seconds(2))
        let before = (simulator.moves(without: away), simulator.leader)
        try simulator.run(for: Self.quietTime)
        guard before == (simulator.moves(without: away), simulator.leader) else {
            throw simulator.failure("L4: something starts, stops or leads anew without a fault")
        }
    }
}

extension ClusterSimulator {
    /// How often anything was started or stopped on the machines that are not away: what those do when a pause of theirs
    /// ends is their own affair.
    fileprivate func moves(without away: Set<NodeID>) -> Int {
        hosts.lazy.filter { !away.contains($0.id) }.map(\.moves).reduce(0, +)
    }

    /// Guards act without an event: those of agents that are paused, or are gone for good, are asked for here.
    fileprivate mutating func guardAll() {
        for index in hosts.indices where !hosts[index].isRunning { guardProcesses(index) }
    }

    /// Ends faults for a core of nodes: enough that every voter set that may count holds more than half of its voters
    /// among them.
    ///
    /// The others stay away in one of several ways, and nothing may depend on them.
    ///
    /// - Returns: Who stays away.
    mutating func endFaultsForSome(_ random: inout SeededGenerator) -> Set<NodeID> {
        endFaults()
        heal()
        let core = chooseCore(&random)
        let away = Set(members).subtracting(core)
        for node in away.sorted() { keepAway(node, &random) }
        note(nil, "faults end for \(core.sorted().map(\.description).joined(separator: ", "))")
        return away
    }

    private func chooseCore(_ random: inout SeededGenerator) -> Set<NodeID> {
        // Where histories have parted the meeting of their nodes decides, and that needs all of them.
        let mayActAlone = !observer.isFencing && members.count <= 2
        let onDisks = Set(hosts.lazy.filter(\.isMember).map { $0.disk.durable.branch?.mark.id })
        if observer.histories.count > 1 || onDisks.count > 1 || mayActAlone { return Set(members) }
        let sets = votersThatCount.flatMap(withoutTheDispensable)
        let workers = Set(state.configuration.nodes.filter(\.role.runsResources).map(\.id))
        var core: Set<NodeID> = []
        for node in members.shuffled(using: &random) {
            let isEnough = sets.allSatisfy { set in
                let held = set.voters.filter { core.contains($0.node) && knowsItsPast($0.node) }.count
                // A leader that is about to lose its quorum may still list one more, and be heard.
                let isListed = { (node: NodeID) in set.incarnation(of: node) != nil }
                return held * 2 > set.count
                    && members.allSatisfy { isListed($0) || (held + (core.contains($0) ? 1 : 0)) * 2 > set.count + 1 }
            }
            if isEnough, !core.isDisjoint(with: workers) { break }
            core.insert(node)
        }
        return guides(of: core)
    }

    /// Whom else nodes know that nobody of these can tell who came while they were away.
    private func guides(of core: Set<NodeID>) -> Set<NodeID> {
        var group = core
        // Everybody is told by somebody who knows all, or was told.
        var told: Set<NodeID> = []
        for _ in hosts.indices {
            for host in hosts where group.contains(host.id) && !told.contains(host.id) {
                let known = acquaintances(of: host)
                if !known.isDisjoint(with: told) || known.isSuperset(of: group.subtracting([host.id])) {
                    told.insert(host.id)
                }
            }
            guard let lost = hosts.first(where: { group.contains($0.id) && !told.contains($0.id) }) else { break }
            group.formUnion(acquaintances(of: lost).intersection(members))
        }
        return group
    }

    /// A set, and those that a leader that is about to lose its quorum may still make of it: starts that have ended, and
    /// nodes that shall not vote, may be taken out one by one.
    private func withoutTheDispensable(_ set: VoterSet) -> [VoterSet] {
        let dispensable = set.voters.filter { !isNeeded($0) }
        let shrunk = dispensable.map { left in VoterSet(set.voters.filter { $0 != left }) }
        let least = VoterSet(set.voters.filter { !dispensable.contains($0) })
        return [set] + (shrunk + [least]).filter { $0.count > 0 }
    }

    private func isNeeded(_ voter: Voter) -> Bool {
        state.configuration.node(voter.node)?.role.votes == true
            && hosts.contains { $0.id == voter.node && $0.agent?.core.incarnation == voter.incarnation }
    }

    /// The newest voter set that was ever committed, and every later one that is on some disk.
    var votersThatCount: [VoterSet] {
        var sets = [observer.histories[observer.newest].log.voters]
        for host in hosts {
            for entry in host.disk.durable.log where entry.index > observer.histories[observer.newest].log.votersIndex {
                if case .voters(let set) = entry.payload { sets.append(set) }
            }
        }
        return sets
    }

    private mutating func keepAway(_ node: NodeID, _ random: inout SeededGenerator) {
        let way = Int.random(in: 0..<4, using: &random)
        note(nil, "\(node) stays away: \(["off", "cut off", "deaf", "mute"][way])")
        if way == 0, let index = index(of: node) {
            hosts[index].isHeldDown = true
            return powerOff(node)
        }
        for other in machines where other != node {
            if way != 2 { cut(from: node, to: other) }
            if way != 3 { cut(from: other, to: node) }
        }
    }

    mutating func endFaultsForAll() {
        note(nil, "faults end for all")
        endFaults()
        heal()
        for host in hosts { host.isHeldDown = false }
    }

    /// Nodes that are off, or without an agent, are started again, as an operator or a service manager does.
    mutating func bringBack(allBut away: Set<NodeID>) {
        for node in members where !away.contains(node) {
            guard let index = index(of: node), !hosts[index].isPowered || hosts[index].agent == nil,
                hosts[index].isFencedUntil < now
            else { continue }
            powerOn(node)
            startAgent(node)
        }
    }
}
