import ClusterModel
import Simulation
import Testing

/// Whole nodes in clusters of an even size: the survivors of a half keep what they run, prove the others dead and recover.
@Suite
struct ClusterQuorumTests {
    private func started(nodes: Int, seed: UInt64) throws -> ClusterSimulator {
        var simulator = ClusterSimulator(options: ClusterOptions(ClusterOptions.example(nodes: nodes)), seed: seed)
        let isUp = try simulator.run(for: .seconds(12)) { $0.unfinished == nil }
        #expect(isUp, "seed \(seed): \(simulator.unfinished ?? "")")
        try simulator.run(for: .milliseconds(500 + Int64(seed) * 37))
        return simulator
    }

    @Test(arguments: 1...6)
    func `A leader that is left of two powers the other off once, stops nothing and takes the rest`(seed: UInt64) throws
    {
        var simulator = try started(nodes: 2, seed: seed)
        let survivor = try #require(simulator.leader)
        let dies = try #require(simulator.voters.first { $0 != survivor })
        let names = simulator.state.configuration.resources.map(\.name)
        let kept = names.filter { simulator.places(of: $0) == [survivor] }
        simulator.powerOff(dies)
        try takeOver(&simulator, survivor)
        for name in kept { #expect(simulator.stops(of: name) == 0, "\(name)") }
        try comeBack(&simulator)
    }

    @Test(arguments: 1...6)
    func `A follower that is left of two powers the leader off once and takes over`(seed: UInt64) throws {
        var simulator = try started(nodes: 2, seed: seed)
        let dies = try #require(simulator.leader)
        let survivor = try #require(simulator.voters.first { $0 != dies })
        simulator.powerOff(dies)
        try takeOver(&simulator, survivor)
        try comeBack(&simulator)
    }

    private func takeOver(_ simulator: inout ClusterSimulator, _ survivor: NodeID) throws {
        let names = simulator.state.configuration.resources.map(\.name)
        let isBack = try simulator.run(for: .seconds(25)) { cluster in
            cluster.fences == 1 && cluster.leader == survivor
                && names.allSatisfy { cluster.places(of: $0) == [survivor] }
        }
        guard isBack else { throw simulator.failure("\(survivor) does not take over") }
    }

    private func comeBack(_ simulator: inout ClusterSimulator) throws {
        let isWhole = try simulator.run(for: .seconds(30)) { $0.unfinished == nil }
        guard isWhole else { throw simulator.failure(simulator.unfinished ?? "") }
        #expect(simulator.fences == 1)
    }

    @Test(arguments: 1...4)
    func `Of four nodes cut into halves one half shoots, and everything runs again`(seed: UInt64) throws {
        var simulator = try started(nodes: 4, seed: seed)
        let leader = try #require(simulator.leader)
        let other = try #require(simulator.voters.first { $0 != leader })
        let half = [leader, other]
        simulator.partition([half, simulator.voters.filter { !half.contains($0) }])
        try simulator.run(for: .seconds(4))
        #expect(simulator.leader.map(half.contains) == true)
        #expect(simulator.fences == 2)
        simulator.heal()
        let isWhole = try simulator.run(for: .seconds(30)) { $0.unfinished == nil }
        #expect(isWhole, "\(simulator.unfinished ?? "")")
        #expect(simulator.fences == 2)
    }

    /// Leadership moves to who reaches everybody before anybody is shot (reference on leases, F5).
    @Test(arguments: 1...8)
    func `Nobody is powered off whom only the leader does not reach`(seed: UInt64) throws {
        var simulator = ClusterSimulator(options: ClusterOptions(ClusterOptions.example(nodes: 3)), seed: seed)
        #expect(try simulator.run(for: .seconds(10)) { $0.unfinished == nil })
        try simulator.run(for: .milliseconds(6000 + Int64(seed) * 37))
        let leader = try #require(simulator.leader)
        let far = try #require(simulator.voters.last { $0 != leader })
        simulator.partition([[leader], [far]])
        try simulator.run(for: .seconds(8))
        #expect(simulator.fences == 0)
        #expect(simulator.unfinished == nil, "\(simulator.unfinished ?? "")")
    }
}
