import ClusterModel
import SealedTransport
import Testing
import TransportCore

/// Agents of neighbouring versions, and of versions that are too far apart.
@Suite
struct LevelTests {
    /// The levels of the sessions that an agent was told of.
    private func levels(_ agent: Agent) -> [UInt8] {
        agent.events.compactMap { event in
            if case .session(_, let level) = event { level } else { nil }
        }
    }

    private func foreign(_ agent: Agent) -> [TransportEvent] {
        agent.events.filter { event in
            if case .noCommonLevel = event { true } else { false }
        }
    }

    @Test
    func `A session has the newest level that both speak, and so have its messages`() throws {
        let fleet = Fleet()
        let old = try fleet.start(1, peers: [2, 3], level: 1)
        let new = try fleet.start(2, peers: [1, 3])
        let other = try fleet.start(3, peers: [1, 2])
        fleet.settle()
        #expect(levels(old) == [1, 1])
        #expect(new.transport.level(of: NodeID(1)) == 1)
        #expect(new.transport.level(of: NodeID(3)) == 2)
        fleet.send([9], .consensus, from: new, to: 1)
        fleet.send([8], .consensus, from: new, to: 3)
        fleet.settle()
        #expect(old.events.contains(.message(from: new.own, link: 0, .consensus, level: 1, bytes: [9])))
        #expect(other.events.contains(.message(from: new.own, link: 0, .consensus, level: 2, bytes: [8])))
    }

    @Test
    func `Without a common level there is no session, and both sides are told once`() throws {
        let fleet = Fleet()
        let old = try fleet.start(1, peers: [2], level: 1)
        let new = try fleet.start(2, peers: [1])
        new.transport.learn(clusterLevel: 2)
        fleet.run(for: .seconds(3))
        #expect(levels(old).isEmpty)
        #expect(levels(new).isEmpty)
        #expect(foreign(old) == [.noCommonLevel(NodeID(2), LevelOffer(speaking: 2, cluster: 2))])
        #expect(foreign(new) == [.noCommonLevel(NodeID(1), LevelOffer(speaking: 1))])
        #expect(new.transport.foreignLevels == [NodeID(1): LevelOffer(speaking: 1)])
        #expect(new.transport.counters[.noCommonLevel] > 1)
        #expect(fleet.send([1], .heartbeat, from: new, to: 1) == .noSession)
        // It is upgraded.
        let upgraded = try fleet.start(1, incarnation: 2, peers: [2])
        fleet.run(for: .seconds(1))
        #expect(levels(upgraded) == [2])
        #expect(levels(new) == [2])
        #expect(new.transport.foreignLevels.isEmpty)
    }

    @Test
    func `A peer that comes back as a version which is too old ends the session that it had`() throws {
        let fleet = Fleet()
        try fleet.start(1, peers: [2])
        let two = try fleet.start(2, peers: [1])
        fleet.settle()
        two.transport.learn(clusterLevel: 2)
        try fleet.start(1, incarnation: 2, peers: [2], level: 1)
        fleet.run(for: .seconds(2))
        #expect(two.transport.session(of: NodeID(1)) == nil)
        #expect(foreign(two).count == 1)
    }

    @Test
    func `A session that began before the cluster was raised goes on until it falls silent`() throws {
        let fleet = Fleet()
        let old = try fleet.start(1, peers: [2], level: 1)
        let new = try fleet.start(2, peers: [1])
        fleet.settle()
        new.transport.learn(clusterLevel: 2)
        fleet.send([1], .heartbeat, from: new, to: 1)
        fleet.settle()
        #expect(old.messages == [[1]])
        fleet.run(for: .seconds(3))
        #expect(foreign(old).count == 1)
        #expect(old.transport.session(of: NodeID(2)) == nil)
    }
}
