import ClusterModel
import Consensus
import Simulation
import Testing

/// Uses everything that a layer above may use, so that the seam is known to work before such a layer is there.
struct SeamProbe: SimulatedApplication {
    /// What runs on the machine.
    struct Machine: Sendable {
        var starts = 0
    }

    let id: NodeID
    let incarnation: Incarnation
    var heard: Set<NodeID> = []
    var ticks = 0
    var ended: [NodeID] = []
    var due: Instant?

    static func powerOn(_ node: NodeID) -> Machine { Machine() }

    init(_ start: ApplicationStart) {
        id = start.id
        incarnation = start.incarnation
    }

    mutating func handle(
        _ input: ApplicationInput<NodeID>,
        context: ApplicationContext,
        machine: inout Machine,
        effects: inout ApplicationEffects<NodeID>
    ) {
        switch input {
        case .started:
            machine.starts += 1
            due = context.now + .milliseconds(500)
            effects.consensus.append(.leaseEligible(true))
        case .deadline:
            ticks += 1
            due = context.now + .milliseconds(500)
            for peer in context.core.voters where peer != id { effects.payloads.append((peer, id)) }
        case .payload(_, let sender): heard.insert(sender)
        case .consensus(.peer(let peer, .lost)) where context.core.role == .leader: effects.powerOffs.append(peer)
        case .powerOffEnded(let node, true): ended.append(node)
        case .consensus, .committed, .powerOffEnded: break
        }
    }

    func nextDeadline(_ machine: Machine) -> Instant? { due }

    func snapshot() -> [UInt8] { [] }

    static func violation(in cluster: ClusterInspection<SeamProbe>) -> String? {
        cluster.nodes.contains { ($0.machine?.starts ?? 0) > 2 } ? "an agent was started three times" : nil
    }
}

@Suite
struct ApplicationSeamTests {
    @Test
    func `Messages, timers, machines and rules of a layer above work`() throws {
        var simulator = Simulator<SeamProbe>(options: .init(nodes: 3), seed: 5)
        try simulator.run(for: .seconds(3))
        for voter in simulator.voters {
            let application = try #require(simulator.inspect(voter)?.application)
            #expect(application.heard == Set(simulator.voters).subtracting([voter]))
            #expect((4...7).contains(application.ticks))
        }
        let node = try #require(simulator.voters.first { !simulator.leaders.contains($0) })
        simulator.killAgent(node)
        #expect(simulator.inspect(node)?.machine?.starts == 1)
        #expect(simulator.inspect(node)?.holdsLease == true)
        simulator.startAgent(node)
        try simulator.run(for: .milliseconds(100))
        #expect(simulator.inspect(node)?.machine?.starts == 2)
        #expect(simulator.inspect(node)?.application?.incarnation == 2)
    }

    @Test
    func `A lost node is powered off and its leader is told; a fresh machine starts from nothing`() throws {
        var simulator = Simulator<SeamProbe>(options: .init(nodes: 3), seed: 6)
        try simulator.run(for: .seconds(2))
        let leader = try #require(simulator.leaders.first)
        let node = try #require(simulator.voters.first { $0 != leader })
        simulator.killAgent(node)
        try simulator.run(for: .seconds(4))
        #expect(simulator.inspect(node)?.machine == nil)
        #expect(simulator.inspect(leader)?.application?.ended == [node])
        simulator.powerOn(node)
        try simulator.run(for: .seconds(1))
        #expect(simulator.inspect(node)?.machine?.starts == 1)
        #expect(simulator.inspect(node)?.holdsLease == true)
    }

    @Test
    func `A rule of the layer above that breaks stops the run with its seed`() throws {
        var simulator = Simulator<SeamProbe>(options: .init(nodes: 3), seed: 7)
        try simulator.run(for: .seconds(1))
        let failure = #expect(throws: SimulationFailure.self) {
            for _ in 0..<2 {
                simulator.killAgent(NodeID(1))
                simulator.startAgent(NodeID(1))
                try simulator.run(for: .milliseconds(50))
            }
        }
        #expect(failure?.reason == "an agent was started three times")
        #expect(failure?.seed == 7)
        #expect(failure?.transcript.isEmpty == false)
    }
}
