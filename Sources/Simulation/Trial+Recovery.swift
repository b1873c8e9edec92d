import ClusterModel
import Consensus
import NodeCore

/// Liveness: what has to work again once faults end, and for whom.
extension Trial {
    /// How long it may take: the longest pause between two attempts at a fence or a start, a few times over.
    private static let bound = Duration.seconds(240)
    /// How long the cluster is then watched for starts, stops and changes of leader that nothing asks for (L4).
    private static let quietTime = Duration.seconds(5)

    func checkRecovery(_ simulator: inout ClusterSimulator) throws(SimulationFailure) {
        var random = SeededGenerator(seed: seed ^ 0x11FE)
        let core = simulator.endFaultsForSome(&random)
        try waitUntilAllRuns(among: core, "L1", &simulator)
        simulator.endFaultsForAll()
        try waitUntilAllRuns(among: Set(simulator.voters), "L3", &simulator)
    }

    private func waitUntilAllRuns(
        among core: Set<NodeID>,
        _ rule: String,
        _ simulator: inout ClusterSimulator
    ) throws(SimulationFailure) {
        let deadline = simulator.now + Self.bound.nanoseconds
        var isClean = false
        while simulator.unfinished(among: core) != nil || !isClean, simulator.now < deadline {
            simulator.bringBack(core)
            isClean = simulator.tidy()
            try simulator.run(for: .milliseconds(100))
        }
        if let unfinished = simulator.unfinished(among: core) {
            let names = core.sorted().map(\.description).joined(separator: ", ")
            throw simulator.failure("\(rule): \(Self.bound) after faults ended for \(names): \(unfinished)")
        }
        // What was under way when the last resource came up may still end; then nothing moves any more.
        try simulator.run(for: .seconds(2))
        let before = (simulator.starts, simulator.stopsOf, simulator.leader)
        try simulator.run(for: Self.quietTime)
        guard before == (simulator.starts, simulator.stopsOf, simulator.leader) else {
            throw simulator.failure("L4: something starts, stops or leads anew without a fault")
        }
    }
}

extension ClusterSimulator {
    /// Ends faults for a core of nodes: enough that every voter set that may count holds more than half of its voters
    /// among them.
    ///
    /// The others stay away in one of several ways, and nothing may depend on them.
    mutating func endFaultsForSome(_ random: inout SeededGenerator) -> Set<NodeID> {
        endFaults()
        heal()
        let core = chooseCore(&random)
        for node in voters where !core.contains(node) { keepAway(node, core, &random) }
        note(nil, "faults end for \(core.sorted().map(\.description).joined(separator: ", "))")
        return core
    }

    private func chooseCore(_ random: inout SeededGenerator) -> Set<NodeID> {
        let sets = votersThatCount.flatMap(withoutTheDead)
        var core: Set<NodeID> = []
        for node in voters.shuffled(using: &random) {
            let isEnough = sets.allSatisfy { set in
                let held = set.voters.filter { core.contains($0.node) }.count
                // A leader that is about to lose its quorum may still list one more, and be heard.
                let isListed = { (node: NodeID) in set.incarnation(of: node) != nil }
                return held * 2 > set.count
                    && voters.allSatisfy { isListed($0) || (held + (core.contains($0) ? 1 : 0)) * 2 > set.count + 1 }
            }
            if isEnough, !core.isEmpty { break }
            core.insert(node)
        }
        return core
    }

    /// A set, and those that a leader that is about to lose its quorum may still make of it: starts that have ended may be
    /// taken out one by one.
    private func withoutTheDead(_ set: VoterSet) -> [VoterSet] {
        let (live, dead) = (set.voters.filter { isRunning($0) }, set.voters.filter { !isRunning($0) })
        let shrunk = dead.map { left in VoterSet(set.voters.filter { $0 != left }) } + [VoterSet(live)]
        return [set] + shrunk.filter { $0.count > 0 }
    }

    private func isRunning(_ voter: Voter) -> Bool {
        hosts.contains { $0.id == voter.node && $0.agent?.core.incarnation == voter.incarnation }
    }

    /// The newest voter set that was ever committed, and every later one that is on some disk.
    private var votersThatCount: [VoterSet] {
        var sets = [observer.log.voters]
        for host in hosts {
            for entry in host.disk.durable.log where entry.index > observer.log.votersIndex {
                if case .voters(let set) = entry.payload { sets.append(set) }
            }
        }
        return sets
    }

    private mutating func keepAway(_ node: NodeID, _ core: Set<NodeID>, _ random: inout SeededGenerator) {
        let way = Int.random(in: 0..<4, using: &random)
        note(nil, "\(node) stays away: \(["off", "cut off", "deaf", "mute"][way])")
        if way == 0, let index = index(of: node) {
            hosts[index].isHeldDown = true
            return powerOff(node)
        }
        for other in voters where other != node {
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
    mutating func bringBack(_ nodes: Set<NodeID>) {
        for node in nodes.sorted() {
            guard let index = index(of: node), !hosts[index].isPowered || hosts[index].agent == nil else { continue }
            powerOn(node)
            startAgent(node)
        }
    }
}
