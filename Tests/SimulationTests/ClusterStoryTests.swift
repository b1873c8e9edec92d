import ClusterModel
import Simulation
import Testing

/// Whole stories over complete nodes, each with what an operator would expect.
@Suite
struct ClusterStoryTests {
    private func started(_ configuration: ClusterConfiguration, seed: UInt64) throws -> ClusterSimulator {
        var options = ClusterOptions(configuration)
        options.machines.clockErrorPercent = seed.isMultiple(of: 2) ? 0 : 10
        var simulator = ClusterSimulator(options: options, seed: seed)
        let isUp = try simulator.run(for: .seconds(10)) { $0.unfinished == nil }
        #expect(isUp, "seed \(seed): \(simulator.unfinished ?? "")")
        try simulator.run(for: .milliseconds(Int64(seed) * 37))
        return simulator
    }

    private func pinned(_ resource: ResourceName, to node: NodeName, fencing: Bool) -> ClusterConfiguration {
        var configuration = ClusterOptions.example(nodes: 3, fencing: fencing)
        configuration.locations = [
            LocationConstraint(id: "pin", resource: resource, node: node, score: Score(500))
        ]
        return configuration
    }

    /// An election lasts longer than a lease, so without patience every survivor would stop everything.
    @Test(arguments: 1...4)
    func `A process on a survivor runs on through the leader's death`(seed: UInt64) throws {
        for node in 1...3 as ClosedRange<UInt8> {
            var simulator = try started(pinned("solo", to: "n\(node)", fencing: true), seed: seed)
            let leader = try #require(simulator.leader)
            guard leader != NodeID(node) else { continue }
            try #require(simulator.places(of: "solo") == [NodeID(node)])
            let epoch = simulator.state.assignments["solo"]?.epoch
            simulator.powerOff(leader)
            let wasStopped = try simulator.run(for: .seconds(6)) { $0.places(of: "solo") != [NodeID(node)] }
            #expect(!wasStopped)
            #expect(simulator.state.assignments["solo"]?.epoch == epoch)
            #expect(simulator.stops(of: "solo") == 0)
            #expect(simulator.leader != nil && simulator.leader != leader)
        }
    }

    @Test(arguments: 1...3)
    func `Without fencing a process ends with the lease`(seed: UInt64) throws {
        var simulator = try started(pinned("solo", to: "n2", fencing: false), seed: seed)
        let place = try #require(simulator.places(of: "solo").first)
        let others = simulator.voters.filter { $0 != place }
        simulator.partition([[place], others])
        let ended = try simulator.run(for: .milliseconds(700)) { !$0.places(of: "solo").contains(place) }
        #expect(ended)
    }

    @Test(arguments: 1...3)
    func `A cut-off node stops its processes when its patience is over, if nobody fenced it before`(
        seed: UInt64
    ) throws {
        var simulator = try started(pinned("solo", to: "n2", fencing: true), seed: seed)
        let place = try #require(simulator.places(of: "solo").first)
        // No majority anywhere: nobody can fence.
        simulator.partition(simulator.voters.map { [$0] })
        let wasEarly = try simulator.run(for: .seconds(4)) { !$0.places(of: "solo").contains(place) }
        #expect(!wasEarly)
        let ended = try simulator.run(for: .seconds(3)) { !$0.places(of: "solo").contains(place) }
        #expect(ended)
    }

    /// A survivor's address is dropped with its lease and comes back under a new epoch; the dead node's comes back
    /// long before its fence is done.
    @Test(arguments: 1...3)
    func `Addresses of a dead leader are back before its fence is done`(seed: UInt64) throws {
        var simulator = try started(ClusterOptions.example(nodes: 3), seed: seed)
        let leader = try #require(simulator.leader)
        simulator.change(.move(resource: "vip", to: leader), on: leader)
        #expect(try simulator.run(for: .seconds(2)) { $0.places(of: "vip") == [leader] && $0.state.moves.isEmpty })
        simulator.powerOff(leader)
        let death = simulator.now
        #expect(
            try simulator.run(for: .seconds(2)) {
                $0.state.assignments["vip"]?.node != leader
                    && $0.places(of: "vip").count == 1
            }
        )
        #expect(simulator.now - death < 1_200_000_000)
    }

    @Test(arguments: 1...3)
    func `A fenced node that boots rejoins by itself`(seed: UInt64) throws {
        var simulator = try started(ClusterOptions.example(nodes: 3), seed: seed)
        let leader = try #require(simulator.leader)
        simulator.partition([[leader], simulator.voters.filter { $0 != leader }])
        #expect(try simulator.run(for: .seconds(10)) { $0.state.fences[leader]?.outcome == .verified })
        simulator.heal()
        #expect(try simulator.run(for: .seconds(15)) { $0.unfinished == nil }, "\(simulator.unfinished ?? "")")
        #expect(simulator.fences == 1)
    }
}

extension ClusterStoryTests {
    /// A follower denies leases by the log, so that it is right at its election; what the log says of a fence that
    /// failed must not outlive the first decision of the new leader.
    @Test(arguments: 1...3)
    func `A node whose fence failed gets its lease from the next leader`(seed: UInt64) throws {
        let options = ClusterOptions(ClusterOptions.example(nodes: 5))
        var simulator = ClusterSimulator(options: options, seed: seed)
        #expect(try simulator.run(for: .seconds(10)) { $0.unfinished == nil })
        let leader = try #require(simulator.leader)
        let victim = try #require(simulator.voters.last { $0 != leader })
        simulator.setController(of: victim, fails: true)
        simulator.partition([[victim], simulator.voters.filter { $0 != victim }])
        let failed = try simulator.run(for: .seconds(10)) {
            if case .failed = $0.state.fences[victim]?.outcome { true } else { false }
        }
        #expect(failed)
        simulator.setController(of: victim, fails: false)
        simulator.heal()
        #expect(try simulator.run(for: .seconds(30)) { $0.unfinished == nil }, "\(simulator.unfinished ?? "")")
        // A leader that leaves is not lost, so its successor has nobody to deny anything.
        simulator.leave(leader)
        #expect(try simulator.run(for: .seconds(5)) { ![nil, leader].contains($0.leader) })
        try simulator.run(for: .seconds(3))
        #expect(simulator.holdsLease(victim))
    }

    /// It was alive to everybody and could be told nothing, so what it had stopped with its lease stayed down for ever.
    @Test(arguments: 1...3)
    func `What a node had that is heard and hears nobody is recovered`(seed: UInt64) throws {
        var simulator = ClusterSimulator(options: ClusterOptions(ClusterOptions.example(nodes: 3)), seed: seed)
        #expect(try simulator.run(for: .seconds(10)) { $0.unfinished == nil })
        let leader = try #require(simulator.leader)
        let deaf = try #require(
            simulator.places(of: "vip").first { $0 != leader } ?? simulator.voters.first { $0 != leader }
        )
        simulator.change(.move(resource: "vip", to: deaf), on: leader)
        #expect(try simulator.run(for: .seconds(3)) { $0.places(of: "vip") == [deaf] && $0.state.moves.isEmpty })
        for other in simulator.voters where other != deaf { simulator.cut(from: other, to: deaf) }
        let isBack = try simulator.run(for: .seconds(20)) { $0.unfinished(without: [deaf]) == nil }
        #expect(isBack, "\(simulator.unfinished(without: [deaf]) ?? "")")
        // One that boots behind the same link has nothing, and is left alone.
        let fences = simulator.fences
        try simulator.run(for: .seconds(20))
        #expect(simulator.fences == fences)
    }
}
