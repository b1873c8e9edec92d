import ClusterModel
import Cryptography
import SealedTransport
import Testing
@testable import TransportCore

@Suite
struct SessionTests {
    @Test
    func `Three agents come into session with each other at once and exchange messages`() throws {
        let fleet = Fleet()
        let agents = try [fleet.start(1), fleet.start(2), fleet.start(3)]
        fleet.settle()
        for agent in agents {
            let known = Set(agent.sessions)
            #expect(known == Set(agents.map(\.own)).subtracting([agent.own]))
        }
        #expect(fleet.send([1, 2, 3], .heartbeat, from: agents[0], to: 2) == .taken)
        fleet.settle()
        let own = agents[0].own
        #expect(
            agents[1].events.last
                == .message(from: own, link: 0, .heartbeat, level: ProtocolLevel.newest, bytes: [1, 2, 3])
        )
        #expect(agents[2].messages.isEmpty)
    }

    @Test
    func `Agents in session that hear each other greet no more; a silent one is greeted again`() throws {
        let fleet = Fleet()
        let one = try fleet.start(1, peers: [2])
        let two = try fleet.start(2, peers: [1])
        fleet.settle()
        for _ in 0..<100 {
            fleet.send([1], .heartbeat, from: one, to: 2)
            fleet.send([2], .heartbeat, from: two, to: 1)
            fleet.run(for: .milliseconds(100), step: .milliseconds(100))
        }
        let sent = fleet.recorded.count
        // Besides greetings, each side finds out once which sizes pass.
        let probes = fleet.recorded.count { $0.bytes[1] >= DatagramKind.probe.rawValue }
        #expect(probes == 4 * (PathProbe.sizes.count - 1))
        #expect(sent - probes < 220, "\(sent) datagrams for 200 heartbeats")
        fleet.fate = { _ in [] }
        fleet.run(for: .seconds(2))
        #expect(fleet.recorded.count > sent)
    }

    @Test
    func `Nothing is sent to a peer that is in no session`() throws {
        let fleet = Fleet()
        let one = try fleet.start(1)
        fleet.settle()
        #expect(fleet.send([1], .heartbeat, from: one, to: 2) == .noSession)
        #expect(one.transport.counters[.noSession] == 1)
    }

    @Test
    func `A session is made with every second datagram lost`() throws {
        let fleet = Fleet()
        var generator = SeededGenerator(seed: 4)
        fleet.fate = { Bool.random(using: &generator) ? [$0] : [] }
        let one = try fleet.start(1, peers: [2])
        let two = try fleet.start(2, peers: [1])
        fleet.run(for: .seconds(10))
        #expect(one.sessions == [two.own])
        #expect(two.sessions == [one.own])
    }

    @Test
    func `A restarted peer comes into session again, and its old session is over`() throws {
        let fleet = Fleet()
        let one = try fleet.start(1)
        try fleet.start(2)
        fleet.settle()
        let two = try fleet.start(2, incarnation: 2)
        fleet.settle()
        #expect(one.sessions.map(\.incarnation) == [1, 2])
        #expect(one.transport.session(of: NodeID(2)) == two.own)
        fleet.send([7], .consensus, from: one, to: 2)
        fleet.send([8], .consensus, from: two, to: 1)
        fleet.settle()
        #expect(two.messages == [[7]])
        #expect(one.messages == [[8]])
    }

    @Test
    func `Everything recorded before a restart is worthless after it`() throws {
        let fleet = Fleet()
        let one = try fleet.start(1, peers: [2])
        try fleet.start(2, peers: [1])
        fleet.settle()
        for count in 0..<20 { fleet.send([UInt8(count)], .heartbeat, from: one, to: 2) }
        fleet.settle()
        let recorded = fleet.recorded
        fleet.agents[one.endpoint] = nil
        // The peer starts again while the sender is dead: only records are left of it.
        let two = try fleet.start(2, incarnation: 2, peers: [1])
        fleet.recorded.removeAll()
        for _ in 0..<10 {
            for _ in 0..<20 { for datagram in recorded { fleet.deliver(datagram) } }
            fleet.run(for: .milliseconds(300))
        }
        #expect(two.events.isEmpty)
        #expect(two.transport.session(of: NodeID(1)) == nil)
        #expect(two.transport.counters[.foreignSession] > 0)
        // Recorded greetings are answered, to the known address, no more often than allowed.
        let answers = fleet.recorded.count { $0.bytes[1] == DatagramKind.answer.rawValue }
        // A second's worth at once, and three seconds.
        #expect((1...45).contains(answers), "\(answers) answers")
        #expect(two.transport.counters[.rateLimited] > 0)
    }

    @Test
    func `A replayed or doubled datagram counts once`() throws {
        let fleet = Fleet()
        let one = try fleet.start(1, peers: [2])
        let two = try fleet.start(2, peers: [1])
        fleet.settle()
        fleet.fate = { [$0, $0, $0] }
        fleet.send([5], .heartbeat, from: one, to: 2)
        fleet.settle()
        let last = try #require(fleet.recorded.last)
        #expect(two.transport.counters[.replayed] == 2)
        fleet.run(for: .seconds(3))
        let before = two.transport.counters[.replayed]
        fleet.deliver(last)
        #expect(two.messages == [[5]])
        #expect(two.transport.counters[.replayed] == before + 1)
    }

    @Test
    func `A lower incarnation is refused, and both sides raise an alarm`() throws {
        let fleet = Fleet()
        let one = try fleet.start(1, peers: [2])
        try fleet.start(2, incarnation: 5, peers: [1])
        fleet.settle()
        let restored = try fleet.start(2, incarnation: 4, peers: [1])
        fleet.run(for: .seconds(3))
        #expect(one.sessions.map(\.incarnation) == [5])
        let claimed = restored.own
        let alarm = TransportEvent.identityConflict(claimed: claimed, knownIncarnation: 5, .olderIncarnation)
        #expect(one.events.contains(alarm))
        #expect(restored.events.contains(.refused(by: NodeID(1), .olderIncarnation)))
        #expect(one.events.count { $0 == alarm } <= 4, "alarms are not repeated without end")
        #expect(one.transport.counters[.refusedIdentity] > 0)
        #expect(fleet.send([1], .heartbeat, from: restored, to: 1) == .taken)
        fleet.settle()
        #expect(one.messages.isEmpty)
        // Its next proper start is welcome.
        try fleet.start(2, incarnation: 6, peers: [1])
        fleet.run(for: .seconds(1))
        #expect(one.sessions.map(\.incarnation) == [5, 6])
    }

    @Test
    func `A copy with the same incarnation is refused while the first goes on`() throws {
        let fleet = Fleet()
        let one = try fleet.start(1, peers: [2])
        let two = try fleet.start(2, peers: [1])
        fleet.settle()
        // Both run now; datagrams to the address reach the copy, as after an address conflict.
        let copy = try fleet.start(2, peers: [1])
        fleet.run(for: .seconds(2))
        #expect(one.transport.session(of: NodeID(2)) == two.own)
        let claimed = copy.own
        #expect(one.events.contains(.identityConflict(claimed: claimed, knownIncarnation: 1, .otherSession)))
        #expect(copy.events.contains(.refused(by: NodeID(1), .otherSession)))
    }

    @Test
    func `An incarnation learnt from the log shuts out what is older, in session or not`() throws {
        let fleet = Fleet()
        let one = try fleet.start(1, peers: [2, 3])
        try fleet.start(2, incarnation: 3, peers: [1])
        fleet.settle()
        one.transport.learn(incarnation: 4, of: NodeID(2))
        one.transport.learn(incarnation: 9, of: NodeID(3))
        try fleet.start(3, incarnation: 8, peers: [1])
        fleet.run(for: .seconds(2))
        #expect(one.transport.session(of: NodeID(2)) == nil)
        #expect(one.transport.session(of: NodeID(3)) == nil)
        one.transport.forget(NodeID(3))
        fleet.run(for: .seconds(1))
        #expect(one.transport.session(of: NodeID(3))?.incarnation == 8)
    }

    @Test
    func `A peer that is removed is heard no more; one that stays keeps its session`() throws {
        let fleet = Fleet()
        let one = try fleet.start(1)
        let two = try fleet.start(2)
        let three = try fleet.start(3)
        fleet.settle()
        one.transport.setPeers([NodeID(3): [three.endpoint]])
        fleet.send([2], .heartbeat, from: two, to: 1)
        fleet.send([3], .heartbeat, from: three, to: 1)
        fleet.settle()
        #expect(one.messages == [[3]])
        #expect(one.transport.counters[.unknownSender] > 0)
    }
}
