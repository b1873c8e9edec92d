import ClusterModel
import Cryptography
import SealedTransport
import Testing
import TransportCore

@Suite
struct MessageTests {
    private static func pair() throws -> (fleet: Fleet, one: Agent, two: Agent) {
        let fleet = Fleet()
        let one = try fleet.start(1, peers: [2])
        let two = try fleet.start(2, peers: [1])
        fleet.settle()
        return (fleet, one, two)
    }

    private static func bytes(_ count: Int) -> [UInt8] {
        var generator = SeededGenerator(seed: UInt64(count))
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    @Test(arguments: [0, 1, 1200, 1201, 100_000, TransportLimit.message])
    func `A message arrives whole, in datagrams that any path carries`(count: Int) throws {
        let (fleet, one, two) = try Self.pair()
        let message = Self.bytes(count)
        #expect(fleet.send(message, .general, from: one, to: 2) == .taken)
        fleet.run(for: .milliseconds(200), step: .milliseconds(1))
        #expect(two.messages == [message])
        #expect(fleet.recorded.allSatisfy { $0.bytes.count <= TransportLimit.datagram })
    }

    @Test
    func `A message above the limit, or a heartbeat that needs parts, is not taken`() throws {
        let (fleet, one, _) = try Self.pair()
        #expect(fleet.send(Self.bytes(TransportLimit.message + 1), .general, from: one, to: 2) == .tooLarge)
        #expect(fleet.send(Self.bytes(TransportLimit.heartbeat + 1), .heartbeat, from: one, to: 2) == .tooLarge)
    }

    @Test(arguments: [1, 5, 20])
    func `A large message survives loss, doubling and reordering`(percent: Int) throws {
        let (fleet, one, two) = try Self.pair()
        var generator = SeededGenerator(seed: UInt64(percent))
        var held: [Travelling] = []
        fleet.fate = { datagram in
            if Int.random(in: 0..<100, using: &generator) < percent { return [] }
            held.append(datagram)
            if Int.random(in: 0..<10, using: &generator) == 0 { held.append(datagram) }
            if held.count < 8 { return [] }
            defer { held.removeAll() }
            return held.shuffled(using: &generator)
        }
        let message = Self.bytes(300_000)
        #expect(fleet.send(message, .general, from: one, to: 2) == .taken)
        // Heartbeats keep the held datagrams moving.
        for _ in 0..<200 {
            fleet.send([1], .heartbeat, from: one, to: 2)
            fleet.send([1], .heartbeat, from: two, to: 1)
            fleet.run(for: .milliseconds(5), step: .milliseconds(1))
        }
        #expect(two.messages.count { $0 == message } == 1)
    }

    @Test
    func `A heartbeat never waits behind parts`() throws {
        let (fleet, one, two) = try Self.pair()
        fleet.send(Self.bytes(TransportLimit.message), .general, from: one, to: 2)
        let before = fleet.recorded.count
        fleet.send([42], .heartbeat, from: one, to: 2)
        #expect(fleet.recorded.count == before + 1)
        fleet.settle()
        #expect(two.messages == [[42]])
    }

    @Test
    func `Parts that stop coming are given up, and the next message arrives`() throws {
        let (fleet, one, two) = try Self.pair()
        fleet.fate = { $0.bytes[1] == DatagramKind.part.rawValue && Int($0.bytes[71]) % 2 == 0 ? [] : [$0] }
        fleet.send(Self.bytes(10_000), .consensus, from: one, to: 2)
        fleet.run(for: .milliseconds(10), step: .milliseconds(1))
        fleet.fate = { _ in [] }
        fleet.run(for: .seconds(2))
        #expect(two.transport.counters[.abandonedMessage] == 1)
        fleet.fate = { [$0] }
        let message = Self.bytes(5000)
        fleet.send(message, .consensus, from: one, to: 2)
        fleet.run(for: .milliseconds(50), step: .milliseconds(1))
        #expect(two.messages == [message])
    }

    @Test
    func `Messages in parts of two classes and two senders do not mix`() throws {
        let fleet = Fleet()
        let agents = try [fleet.start(1), fleet.start(2), fleet.start(3)]
        fleet.settle()
        let messages = [Self.bytes(9000), Self.bytes(9001), Self.bytes(9002)]
        fleet.send(messages[0], .general, from: agents[0], to: 3)
        fleet.send(messages[1], .consensus, from: agents[0], to: 3)
        fleet.send(messages[2], .general, from: agents[1], to: 3)
        fleet.run(for: .milliseconds(50), step: .milliseconds(1))
        #expect(Set(agents[2].messages) == Set(messages))
        #expect(agents[2].messages.count == 3)
    }

    @Test
    func `No key ever seals with the same nonce twice, over restarts, copies and large messages`() throws {
        let fleet = Fleet()
        for incarnation in 1...3 as ClosedRange<Incarnation> {
            let agents = try (1...3).map { try fleet.start($0, incarnation: incarnation) }
            fleet.settle()
            for agent in agents {
                fleet.send(Self.bytes(50_000), .general, from: agent, to: agent.node == NodeID(1) ? 2 : 1)
            }
            fleet.run(for: .milliseconds(100))
        }
        // A copy of the identity: same incarnation, another session.
        try fleet.start(1, incarnation: 3)
        fleet.run(for: .seconds(1))
        // What the key derives from, and the nonce; random bits aside.
        let pairs = fleet.recorded.map { $0.bytes[2..<3] + $0.bytes[4..<8] + $0.bytes[24..<48] + $0.bytes[64..<72] }
        #expect(pairs.count > 400)
        #expect(Set(pairs).count == pairs.count)
    }

    @Test
    func `The secret is replaced without a break, and the old one is worthless after that`() throws {
        let (fleet, one, two) = try Self.pair()
        let next = try SecretBytes.random(count: 32)
        one.transport.install(next, generation: 2)
        two.transport.install(next, generation: 2)
        try one.transport.use(generation: 2)
        fleet.send([1], .heartbeat, from: one, to: 2)
        fleet.send([2], .heartbeat, from: two, to: 1)
        fleet.settle()
        try two.transport.use(generation: 2)
        one.transport.retire(generation: 1)
        two.transport.retire(generation: 1)
        fleet.send([3], .heartbeat, from: two, to: 1)
        fleet.settle()
        #expect(two.messages == [[1]])
        #expect(one.messages == [[2], [3]])
        #expect(one.sessions.count == 1)
        // A removed node still has the old secret.
        try fleet.start(2, incarnation: 2, peers: [1])
        fleet.run(for: .seconds(2))
        #expect(one.sessions.count == 1)
        #expect(one.transport.counters[.unknownGeneration] > 0)
        #expect(throws: CryptographyError.self) { try one.transport.use(generation: 3) }
    }
}
