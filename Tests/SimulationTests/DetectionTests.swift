import ClusterModel
import Consensus
import Simulation
import Testing

/// A dead node is noticed as soon in a large cluster as in a small one, and links that come and go unsettle nobody.
@Suite
struct DetectionTests {
    struct Size: Sendable, CustomTestStringConvertible {
        let nodes: Int
        let profile: TimingProfile
        var testDescription: String { "\(nodes) nodes, \(profile)" }
    }

    @Test(
        arguments: [
            Size(nodes: 3, profile: .lan), Size(nodes: 3, profile: .fast), Size(nodes: 32, profile: .fast),
        ]
    )
    func `A dead node is lost to everybody within the time of the profile`(size: Size) throws {
        let timing = ConsensusTiming(size.profile)
        var options = SimulationOptions(nodes: size.nodes)
        options.timing = timing
        options.clockErrorPercent = 0
        var simulator = Simulator<LogRecorder>(options: options, seed: 5)
        try simulator.run(for: timing.lostAfter * 2)
        let dead = try #require(simulator.voters.last)
        simulator.killAgent(dead)
        let others = simulator.voters.dropLast()
        // The last heartbeat may have been sent an interval ago; delays are a millisecond at most.
        try simulator.run(for: timing.lostAfter - timing.heartbeatInterval - .milliseconds(5))
        #expect(others.allSatisfy { !isLost(dead, to: $0, simulator) }, "before its time")
        try simulator.run(for: timing.heartbeatInterval + .milliseconds(10))
        #expect(others.allSatisfy { isLost(dead, to: $0, simulator) }, "not in time")
        // And nobody else is.
        let wrong = others.flatMap { node in others.filter { $0 != node && isLost($0, to: node, simulator) } }
        #expect(wrong.isEmpty)
    }

    private func isLost(_ node: NodeID, to other: NodeID, _ simulator: Simulator<LogRecorder>) -> Bool {
        if case .lost? = simulator.inspect(other)?.core?.peer(node)?.state { return true }
        return false
    }

    /// Down for longer than makes a node lost, and up again, for half a minute.
    @Test(arguments: 1...4)
    func `A link that flaps between the leader and another moves leadership seldom, and work goes on`(
        seed: UInt64
    ) throws {
        for oneWay in [false, true] {
            var simulator = Simulator<LogRecorder>(options: .init(nodes: 5), seed: seed)
            try simulator.run(for: .seconds(2))
            let leader = try #require(simulator.leaders.first)
            let other = try #require(simulator.voters.first { $0 != leader })
            let term = try #require(simulator.inspect(leader)?.core?.term)
            for _ in 0..<20 {
                if oneWay { simulator.cut(from: other, to: leader) } else { simulator.cut(between: leader, and: other) }
                try simulator.run(for: .milliseconds(800))
                simulator.heal()
                try simulator.run(for: .milliseconds(700))
                let before = simulator.decidedIndex
                if let now = simulator.leaders.first { simulator.propose(on: now) }
                try simulator.run(for: .milliseconds(200))
                #expect(simulator.decidedIndex > before, "seed \(seed)")
            }
            let present = try #require(simulator.leaders.first)
            let last = try #require(simulator.inspect(present)?.core?.term)
            // 34 s with a pause of 5 s between two moves for better reach.
            #expect(last - term <= 7, "seed \(seed): \(last - term) terms")
        }
    }

    @Test(arguments: 1...4)
    func `Two that cannot hear each other both stay with a leader that hears both`(seed: UInt64) throws {
        var simulator = Simulator<LogRecorder>(options: .init(nodes: 5), seed: seed)
        try simulator.run(for: .seconds(2))
        let leader = try #require(simulator.leaders.first)
        let term = try #require(simulator.inspect(leader)?.core?.term)
        let others = simulator.voters.filter { $0 != leader }
        simulator.cut(between: others[0], and: others[1])
        simulator.cut(from: others[2], to: others[3])
        try simulator.run(for: .seconds(15))
        #expect(simulator.leaders == [leader])
        #expect(simulator.inspect(leader)?.core?.term == term)
        #expect(simulator.voters.allSatisfy { simulator.inspect($0)?.holdsLease == true })
    }
}
