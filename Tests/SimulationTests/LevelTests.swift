import ClusterModel
import Simulation
import Testing

/// Clusters that are upgraded node by node.
@Suite
struct LevelTests {
    private func cluster(_ levels: [UInt8], seed: UInt64) throws -> ClusterSimulator {
        var options = ClusterOptions(ClusterOptions.example(nodes: levels.count))
        options.clusterLevel = nil
        for (index, level) in levels.enumerated() { options.levels[NodeID(UInt8(index + 1))] = level }
        var simulator = ClusterSimulator(options: options, seed: seed)
        let isUp = try simulator.run(for: .seconds(10)) { $0.leader != nil && $0.places(of: "app").count == 1 }
        #expect(isUp, "seed \(seed)")
        try simulator.run(for: .seconds(5))
        return simulator
    }

    private func isRaised(_ simulator: inout ClusterSimulator) throws -> Bool {
        try simulator.run(for: .seconds(10)) { $0.state.protocolLevel == 2 }
    }

    @Test(arguments: 1...3)
    func `The level rises once every node speaks it, and nothing needs it before`(seed: UInt64) throws {
        var simulator = try cluster([2, 2, 1], seed: seed)
        #expect(simulator.state.protocolLevel == 1)
        let leader = try #require(simulator.leader)
        simulator.change(.historyGaveWay(7), on: leader)
        try simulator.run(for: .seconds(2))
        #expect(simulator.state.historiesGone == nil)
        // It is silent, and may be anything when it is back.
        simulator.powerOff(NodeID(3))
        try simulator.run(for: .seconds(5))
        #expect(simulator.state.protocolLevel == 1)
        simulator.install(level: 2, on: NodeID(3))
        simulator.powerOn(NodeID(3))
        #expect(try isRaised(&simulator))
        simulator.change(.historyGaveWay(7), on: try #require(simulator.leader))
        try simulator.run(for: .seconds(2))
        #expect(simulator.state.historiesGone == [7])
    }

    @Test(arguments: 1...3)
    func `Nodes that are upgraded one after the other keep a leader and everything running`(seed: UInt64) throws {
        var simulator = try cluster([1, 1, 1], seed: seed)
        for node in simulator.voters {
            #expect(simulator.state.protocolLevel == 1)
            simulator.install(level: 2, on: node)
            let isWhole = try simulator.run(for: .seconds(30)) { cluster in
                cluster.leader != nil && cluster.voters.allSatisfy(cluster.holdsLease)
                    && cluster.places(of: "app").count == 1
            }
            #expect(isWhole, "seed \(seed), \(node)")
            try simulator.run(for: .seconds(3))
        }
        #expect(try isRaised(&simulator))
        #expect(simulator.voters.allSatisfy { !simulator.isTooOld($0) })
        // No agent was missed for so long that its machine was powered off for it.
        #expect(simulator.fences == 0)
    }

    @Test(arguments: 1...3)
    func `A node that is taken back below the cluster's level ends, and comes back when it is upgraded`(
        seed: UInt64
    ) throws {
        var simulator = try cluster([2, 2, 2], seed: seed)
        #expect(simulator.state.protocolLevel == 2)
        let node = try #require(simulator.voters.first { $0 != simulator.leader })
        simulator.install(level: 1, on: node)
        try simulator.run(for: .seconds(10))
        #expect(simulator.isTooOld(node))
        #expect(simulator.leader != nil)
        simulator.install(level: 2, on: node)
        simulator.powerOn(node)
        let isBack = try simulator.run(for: .seconds(60)) { $0.unfinished == nil }
        #expect(isBack, "\(simulator.unfinished ?? "")")
    }
}
