import Bytes
import ClusterModel
import Testing

@testable import TransportCore

/// Two nodes with two links, unsealed, and a network whose faults a test chooses.
private final class Pair {
    var one: TransportMachine
    var two: TransportMachine
    var now = Instant.zero + .seconds(10)
    var events: [TransportEvent] = []
    var messages: [[UInt8]] = []
    /// Links that carry nothing.
    var cut: Set<Int> = []
    /// Bytes that pass a link, and datagrams of which one in so many is lost.
    var largest: [Int: Int] = [:]
    var losesOneIn: [Int: Int] = [:]
    var delay: [Int: Duration] = [:]
    var carried: [Int: Int] = [:]
    private var count = 0
    private var travelling: [(at: Instant, to: NodeID, OutgoingDatagram)] = []

    static let ends: [NodeID: [Endpoint]] = [
        NodeID(1): ["10.0.0.1:5480", "10.1.0.1:5480"].compactMap { Endpoint($0) },
        NodeID(2): ["10.0.0.2:5480", "10.1.0.2:5480"].compactMap { Endpoint($0) },
    ]

    init(links: Int = 2) {
        func machine(_ node: UInt8, _ peer: UInt8) -> TransportMachine {
            let own = PeerSession(node: NodeID(node), incarnation: 1, session: .init(high: UInt64(node), low: 9))
            let local = LocalIdentity(cluster: ClusterID(high: 1, low: 1), own: own)
            var machine = TransportMachine(local: local, generation: 1, seed: UInt64(node))
            machine.setPeers([NodeID(peer): Array((Self.ends[NodeID(peer)] ?? []).prefix(links))])
            return machine
        }
        one = machine(1, 2)
        two = machine(2, 1)
    }

    func run(_ time: Duration, heartbeats: Bool = true) {
        let end = now + time
        var beat = now
        while now < end {
            now = now + .milliseconds(1)
            var fromOne = TransportEffects()
            var fromTwo = TransportEffects()
            if heartbeats, now >= beat {
                beat = beat + .milliseconds(100)
                _ = one.send([1], .heartbeat, to: NodeID(2), now: now, into: &fromOne)
                _ = two.send([2], .heartbeat, to: NodeID(1), now: now, into: &fromTwo)
            }
            one.tick(now: now, into: &fromOne)
            two.tick(now: now, into: &fromTwo)
            take(fromOne)
            take(fromTwo)
            deliver()
        }
    }

    private func take(_ effects: TransportEffects) {
        events += effects.events
        for case .message(_, _, let messageClass, _, let bytes) in effects.events where messageClass != .heartbeat {
            messages.append(bytes)
        }
        for datagram in effects.datagrams {
            let size = DatagramHeader.size + datagram.content.count + TransportLimit.tag
            count += 1
            if cut.contains(datagram.link) || size > largest[datagram.link] ?? .max { continue }
            if let loss = losesOneIn[datagram.link], count % loss == 0 { continue }
            carried[datagram.link, default: 0] += 1
            travelling.append((now + (delay[datagram.link] ?? .zero), datagram.header.receiver, datagram))
        }
    }

    private func deliver() {
        for _ in 0..<50 {
            let due = travelling.filter { $0.at <= now }
            if due.isEmpty { return }
            travelling.removeAll { $0.at <= now }
            for (_, node, datagram) in due {
                guard let from = Self.ends[datagram.header.sender]?[datagram.link] else { continue }
                var writer = ByteWriter()
                datagram.header.encode(into: &writer)
                writer.write(datagram.content)
                writer.write(repeatElement(0, count: TransportLimit.tag))
                let whole = writer.bytes
                var effects = TransportEffects()
                func accept(_ machine: inout TransportMachine) {
                    guard let header = machine.examine(whole.span.bytes, from: from, now: now) else { return }
                    machine.accept(header, datagram.content.span.bytes, from: from, now: now, into: &effects)
                }
                if node == NodeID(1) { accept(&one) } else { accept(&two) }
                take(effects)
            }
        }
    }

    func facts(_ link: Int) -> LinkFacts? {
        let links = one.links(to: NodeID(2), now: now)
        return links.indices.contains(link) ? links[link] : nil
    }

    func send(_ bytes: [UInt8]) {
        var effects = TransportEffects()
        _ = one.send(bytes, .general, to: NodeID(2), now: now, into: &effects)
        take(effects)
        deliver()
    }
}

@Suite
struct LinkTests {
    @Test
    func `Loss and round-trip time are measured on each link by the heartbeats themselves`() throws {
        let pair = Pair()
        pair.delay = [0: .milliseconds(1), 1: .milliseconds(20)]
        pair.run(.seconds(3))
        pair.losesOneIn = [1: 5]
        pair.run(.seconds(10))
        let near = try #require(pair.facts(0))
        let far = try #require(pair.facts(1))
        #expect(near.isUp && far.isUp)
        #expect(near.lossIn == 0 && near.lossOut == 0)
        #expect((50...400).contains(far.lossIn) && (50...400).contains(far.lossOut))
        let short = try #require(near.roundTrip)
        let long = try #require(far.roundTrip)
        #expect((Duration.milliseconds(1)...Duration.milliseconds(4)).contains(short), "\(short)")
        #expect((Duration.milliseconds(38)...Duration.milliseconds(44)).contains(long), "\(long)")
        #expect(near.isChosen && !far.isChosen)
    }

    @Test
    func `Cutting one link loses no heartbeat, and the rest goes over the other within the silence`() throws {
        let pair = Pair()
        pair.run(.seconds(2))
        let chosen = pair.facts(0)?.isChosen == true ? 0 : 1
        pair.cut = [chosen]
        pair.events = []
        pair.run(.milliseconds(500))
        #expect(pair.facts(chosen)?.isUp == false && pair.facts(1 - chosen)?.lossIn == 0)
        #expect(pair.facts(1 - chosen)?.isChosen == true)
        pair.send([7, 7])
        #expect(pair.messages == [[7, 7]])
        let heartbeats = pair.events.count { event in
            if case .message(_, _, .heartbeat, _, _) = event { true } else { false }
        }
        // Five from each side, each once.
        #expect((10...12).contains(heartbeats))
        pair.cut = [0, 1]
        pair.events = []
        pair.run(.seconds(1))
        #expect(pair.events.allSatisfy { if case .link(_, _, isUp: false) = $0 { true } else { false } })
    }

    @Test
    func `Copies of an urgent message on several links arrive once`() {
        let pair = Pair()
        pair.delay = [1: .milliseconds(30)]
        pair.run(.seconds(5))
        var seen = 0
        for case .message(let from, let link, .heartbeat, _, _) in pair.events where from.node == NodeID(1) {
            seen += 1
            #expect(link == 0)
        }
        #expect((45...50).contains(seen))
    }

    @Test
    func `A link that comes and goes is held, for longer each time, and then used again`() throws {
        let pair = Pair()
        pair.delay = [1: .milliseconds(30)]
        pair.run(.seconds(2))
        #expect(pair.facts(0)?.isChosen == true)
        for fall in 1...4 {
            pair.cut = [0]
            pair.run(.milliseconds(500))
            pair.cut = []
            pair.run(.milliseconds(1500))
            #expect((pair.facts(0)?.heldUntil != nil) == (fall >= TransportLimit.flaps), "fall \(fall)")
        }
        let until = try #require(pair.facts(0)?.heldUntil)
        #expect(until - pair.now > TransportLimit.shortestHold)
        #expect(pair.facts(0)?.isUp == true)
        #expect(pair.facts(1)?.isChosen == true)
        pair.run(until - pair.now + TransportLimit.choiceInterval)
        #expect(pair.facts(0)?.heldUntil == nil)
        pair.run(.seconds(2))
        #expect(pair.facts(0)?.isChosen == true)
    }

    @Test
    func `The hold doubles up to its bound, and is forgotten after a quiet window`() {
        var damping = FlapDamping()
        var now = Instant.zero
        var longest = Duration.zero
        for _ in 0..<20 {
            now = now + .seconds(1)
            damping.wentDown(now: now)
            if let until = damping.heldUntil { longest = max(longest, until - now) }
        }
        #expect(longest == TransportLimit.longestHold)
        now = now + TransportLimit.longestHold + TransportLimit.flapWindow
        damping.wentDown(now: now)
        #expect(!damping.holds(now: now))
    }

    @Test(arguments: [508, 1232, 1300, 1472, 8952])
    func `The size that fits a path is found, and large messages use it`(largest: Int) throws {
        let pair = Pair(links: 1)
        pair.largest = [0: largest]
        pair.run(.seconds(3))
        let expected = try #require(PathProbe.sizes.last { $0 <= largest })
        #expect(pair.facts(0)?.mtu == expected + 28)
        let message = (0..<60_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        pair.carried = [:]
        pair.send(message)
        pair.run(.seconds(1))
        #expect(pair.messages == [message])
        let needed = message.count / PathProbe.payload(of: try #require(PathProbe.sizes.firstIndex(of: expected)))
        #expect((needed...needed + 40).contains(pair.carried[0] ?? 0))
    }

    @Test
    func `A path that begins to swallow large datagrams is noticed, and the message arrives in smaller ones`() throws {
        let pair = Pair(links: 1)
        pair.largest = [0: 8952]
        pair.run(.seconds(3))
        #expect(pair.facts(0)?.mtu == 8980)
        pair.largest = [0: 1372]
        // The end of it fits, so the receiver knows that the rest is missing.
        let message = (0..<18_000).map { UInt8(truncatingIfNeeded: $0 / 3) }
        pair.send(message)
        pair.run(.seconds(3))
        #expect(pair.messages == [message])
        #expect(pair.facts(0)?.mtu == 1400)
        pair.largest = [:]
        pair.run(TransportLimit.probeInterval + .seconds(1))
        #expect(pair.facts(0)?.mtu == 8980)
    }

    @Test
    func `Silence of the whole link says nothing about sizes`() {
        let pair = Pair(links: 1)
        pair.run(.seconds(3))
        pair.cut = [0]
        pair.run(.seconds(70))
        #expect(pair.facts(0)?.mtu == 8980)
        pair.cut = []
        pair.run(.seconds(3))
        #expect(pair.facts(0)?.isUp == true && pair.facts(0)?.mtu == 8980)
    }
}
