import ClusterModel
import Consensus
import Simulation
import Testing

/// L2: with partial and one-way partitions a connected majority makes progress and keeps its leader.
@Suite
struct PartialConnectivityTests {
    /// Which directions are cut, by node number.
    struct Shape: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let nodes: Int
        let cuts: [(UInt8, UInt8)]
    }

    static let shapes = [
        Shape(testDescription: "chain of three", nodes: 3, cuts: [(1, 3), (3, 1)]),
        Shape(testDescription: "one way between two of three", nodes: 3, cuts: [(1, 3)]),
        Shape(testDescription: "one way, two pairs of three", nodes: 3, cuts: [(1, 3), (1, 2)]),
        Shape(
            testDescription: "star of five around node 3",
            nodes: 5,
            cuts: [(1, 2), (1, 4), (1, 5), (2, 4), (2, 5), (4, 5)].flatMap { [($0.0, $0.1), ($0.1, $0.0)] }
        ),
        Shape(
            testDescription: "ring of five",
            nodes: 5,
            cuts: [(1, 3), (1, 4), (2, 4), (2, 5), (3, 5)].flatMap { [($0.0, $0.1), ($0.1, $0.0)] }
        ),
        Shape(testDescription: "node 1 of five is deaf", nodes: 5, cuts: [(2, 1), (3, 1), (4, 1), (5, 1)]),
        Shape(testDescription: "node 1 of five is mute", nodes: 5, cuts: [(1, 2), (1, 3), (1, 4), (1, 5)]),
    ]

    @Test(arguments: shapes)
    func `A leader is found, commits, and stays`(shape: Shape) throws {
        for seed in 1...2 {
            var simulator = Simulator<LogRecorder>(options: .init(nodes: shape.nodes), seed: UInt64(seed))
            try simulator.run(for: .seconds(2))
            for (from, to) in shape.cuts { simulator.cut(from: NodeID(from), to: NodeID(to)) }
            try simulator.run(for: .seconds(4))
            let before = simulator.decidedIndex
            let leaders = simulator.leaders
            #expect(leaders.count == 1, "seed \(seed)")
            let leader = try #require(leaders.last)
            let term = simulator.inspect(leader)?.core?.term
            simulator.propose(on: leader)
            // Longer than the pause between two moves of leadership for better reach.
            try simulator.run(for: .seconds(12))
            #expect(simulator.decidedIndex > before, "seed \(seed)")
            #expect(simulator.leaders == leaders, "seed \(seed)")
            #expect(simulator.inspect(leader)?.core?.term == term, "seed \(seed)")
        }
    }

    @Test
    func `In a chain the one in the middle leads, so that nobody is without a lease`() throws {
        for seed in 1...10 {
            var simulator = Simulator<LogRecorder>(options: .init(nodes: 3), seed: UInt64(seed))
            try simulator.run(for: .seconds(2))
            let middle = NodeID(UInt8(1 + seed % 3))
            let ends = simulator.voters.filter { $0 != middle }
            simulator.cut(between: ends[0], and: ends[1])
            try simulator.run(for: .seconds(3))
            #expect(simulator.leaders == [middle], "seed \(seed)")
            #expect(simulator.voters.allSatisfy { simulator.inspect($0)?.holdsLease == true }, "seed \(seed)")
        }
    }
}
