import Bytes
import ClusterModel
import Testing

@testable import TransportCore

@Suite
struct MachineTests {
    private static let own = PeerSession(node: NodeID(2), incarnation: 1, session: .init(high: 2, low: 2))
    private static let peer = PeerSession(node: NodeID(1), incarnation: 1, session: .init(high: 1, low: 1))
    private static let cluster = ClusterID(high: 9, low: 9)

    private static func header(_ kind: DatagramKind, _ counter: UInt64) -> DatagramHeader {
        DatagramHeader(
            kind: kind,
            sender: peer.node,
            receiver: own.node,
            generation: 1,
            cluster: cluster,
            session: peer.session,
            incarnation: peer.incarnation,
            receiverSession: kind == .hello ? DatagramHeader.unknownSession : own.session,
            counter: counter
        )
    }

    private static func machine(_ links: [Endpoint]) -> TransportMachine {
        var machine = TransportMachine(local: LocalIdentity(cluster: cluster, own: own), generation: 1, seed: 1)
        machine.setPeers([peer.node: links])
        return machine
    }

    /// What its peer answers to the machine's greeting, with an echo of its challenge.
    private static func answer(to machine: inout TransportMachine) throws -> [UInt8] {
        var effects = TransportEffects()
        machine.tick(now: .zero, into: &effects)
        let hello = try #require(effects.datagrams.first)
        #expect(hello.header.kind == .hello)
        var reader = ByteReader(hello.content.span.bytes)
        let challenge = try HandshakeContent(parsing: &reader).challenge
        var writer = ByteWriter()
        HandshakeContent(challenge: .init(high: 5, low: 5), echo: challenge, levels: LevelOffer()).encode(into: &writer)
        return writer.bytes
    }

    /// Brings the machine into session with its peer, by an answer that echoes its challenge.
    private static func establish(_ machine: inout TransportMachine, from link: Endpoint) throws {
        var effects = TransportEffects()
        let answer = try Self.answer(to: &machine)
        machine.accept(header(.answer, 1), answer.span.bytes, from: link, now: .zero, into: &effects)
        #expect(effects.events == [.session(peer, level: ProtocolLevel.newest)])
        #expect(effects.datagrams.map(\.header.kind) == [.confirm])
    }

    /// Only a member can seal one; it is no better understood for it.
    @Test
    func `An answer with a forged range of levels begins no session`() throws {
        let link = try #require(Endpoint("10.0.0.1:5480"))
        var machine = Self.machine([link])
        var effects = TransportEffects()
        let answer = try Self.answer(to: &machine)
        var counter: UInt64 = 0
        for levels in [[0, 1, 1], [2, 1, 1], [1, 2, 0]] as [[UInt8]] {
            counter += 1
            let forged = Array(answer.dropLast(3)) + levels
            machine.accept(Self.header(.answer, counter), forged.span.bytes, from: link, now: .zero, into: &effects)
        }
        #expect(effects.events.isEmpty)
        #expect(machine.counters[.malformed] == 3)
        // One that is far ahead is a range, and nothing in common.
        let ahead = Array(answer.dropLast(3)) + [200, 255, 1]
        machine.accept(Self.header(.answer, 9), ahead.span.bytes, from: link, now: .zero, into: &effects)
        let offer = try #require(LevelOffer(oldest: 200, newest: 255, cluster: 1))
        #expect(effects.events == [.noCommonLevel(Self.peer.node, offer)])
        #expect(machine.session(of: Self.peer.node) == nil)
        #expect(effects.datagrams.isEmpty)
    }

    @Test
    func `A member that speaks nonsense is counted, and changes nothing`() throws {
        let link = try #require(Endpoint("10.0.0.1:5480"))
        var machine = Self.machine([link])
        try Self.establish(&machine, from: link)
        var generator = SeededGenerator(seed: 3)
        var effects = TransportEffects()
        var counter: UInt64 = 10
        for kind in [DatagramKind.hello, .answer, .confirm, .refusal, .message, .part, .missing, .probe, .probeAnswer] {
            for count in 0..<80 {
                counter += 1
                var content = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
                // No class that exists.
                if count > 0 { content[0] |= 0x80 }
                let header = Self.header(kind, counter)
                machine.accept(header, content.span.bytes, from: link, now: .zero, into: &effects)
            }
        }
        #expect(effects.events == [.link(Self.peer.node, 0, isUp: true)])
        let wrong = machine.counters[.malformed] + machine.counters[.staleEcho]
        #expect(wrong >= 9 * 79 - 2)
    }

    @Test
    func `A heartbeat goes out on every link, everything else on the one in use`() throws {
        let links = ["10.0.0.1:5480", "10.1.0.1:5480"].compactMap { Endpoint($0) }
        var machine = Self.machine(links)
        try Self.establish(&machine, from: links[1])
        var effects = TransportEffects()
        #expect(machine.send([1], .heartbeat, to: Self.peer.node, now: .zero, into: &effects) == .taken)
        #expect(effects.datagrams.map(\.endpoint) == links)
        #expect(effects.datagrams.map(\.header.counter).count == Set(effects.datagrams.map(\.header.counter)).count)
        effects.removeAll()
        #expect(machine.send([1], .consensus, to: Self.peer.node, now: .zero, into: &effects) == .taken)
        #expect(effects.datagrams.map(\.link) == [1])
        let message: [UInt8] = [MessageClass.consensus.rawValue, 1]
        machine.accept(Self.header(.message, 2), message.span.bytes, from: links[0], now: .zero, into: &effects)
        #expect(
            effects.events == [
                .link(Self.peer.node, 0, isUp: true),
                .message(from: Self.peer, link: 0, .consensus, level: ProtocolLevel.newest, bytes: [1]),
            ]
        )
        effects.removeAll()
        // The other link was never heard since.
        #expect(machine.send([1], .consensus, to: Self.peer.node, now: .zero, into: &effects) == .taken)
        #expect(effects.datagrams.map(\.link) == [0])
    }

    @Test
    func `A peer that loses a link is reached on another one at once`() throws {
        let links = ["10.0.0.1:5480", "10.1.0.1:5480"].compactMap { Endpoint($0) }
        var machine = Self.machine(links)
        try Self.establish(&machine, from: links[1])
        machine.setPeers([Self.peer.node: [links[0]]])
        var effects = TransportEffects()
        #expect(machine.send([1], .consensus, to: Self.peer.node, now: .zero, into: &effects) == .taken)
        #expect(effects.datagrams.map(\.endpoint) == [links[0]])
    }

    @Test
    func `A challenge is worthless after its time and after its use`() throws {
        let link = try #require(Endpoint("10.0.0.1:5480"))
        var machine = Self.machine([link])
        var effects = TransportEffects()
        let answer = try Self.answer(to: &machine)
        let late = Instant.zero + TransportLimit.challengeTime
        machine.accept(Self.header(.answer, 1), answer.span.bytes, from: link, now: late, into: &effects)
        #expect(effects.events.isEmpty)
        #expect(machine.counters[.staleEcho] == 1)
        machine.accept(Self.header(.answer, 1), answer.span.bytes, from: link, now: .zero, into: &effects)
        #expect(effects.events.count == 1)
        var restarted = Self.header(.answer, 1)
        restarted.incarnation = 2
        restarted.session = .init(high: 7, low: 7)
        machine.accept(restarted, answer.span.bytes, from: link, now: .zero, into: &effects)
        #expect(effects.events.count == 1, "the same echo served a second session")
    }
}
