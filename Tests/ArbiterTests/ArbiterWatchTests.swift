import Arbiter
import ClusterModel
import Testing

/// When addresses are asked, and what counts as an answer.
@Suite
struct ArbiterWatchTests {
    private static let gateway = IPAddress("2001:db8::1")
    private static let second = IPAddress("2001:db8::2")
    private static let interval = Duration.milliseconds(600)
    private static let window = Duration.milliseconds(1300)

    /// A watch with a clock.
    private struct Desk {
        var watch = ArbiterWatch(identifier: 0x1234)
        var random = SeededGenerator(seed: 1)
        var now = Instant(nanoseconds: 1_000_000_000)

        mutating func give(_ input: ArbiterWatch.Input) -> [ArbiterWatch.Effect] {
            var effects: [ArbiterWatch.Effect] = []
            watch.receive(input, now: now, using: &random, into: &effects)
            return effects
        }

        mutating func ask(_ addresses: [IPAddress?]) -> [EchoProbe] {
            let addresses = addresses.compactMap(\.self)
            return Self.probes(give(.ask(addresses, every: interval, window: window)))
        }

        /// Lets time pass until the watch wants to go on.
        mutating func next() -> [ArbiterWatch.Effect] {
            now = watch.nextDeadline ?? now
            return give(.tick)
        }

        static func probes(_ effects: [ArbiterWatch.Effect]) -> [EchoProbe] {
            effects.compactMap { if case .send(let probe) = $0 { probe } else { nil } }
        }

        func condition(_ address: IPAddress?) -> ArbiterWatch.Standing.Condition? {
            watch.standings(now: now).first { $0.address == address }?.condition
        }
    }

    /// What a machine answers over IPv6.
    private func echo(_ probe: EchoProbe) -> [UInt8] { [129] + probe.message.dropFirst() }

    @Test
    func `Each address is asked at once, and then once an interval, with other numbers each time`() {
        var desk = Desk()
        #expect(desk.watch.nextDeadline == nil)
        var probes = desk.ask([Self.gateway, Self.second])
        #expect(probes.map(\.address) == [Self.gateway, Self.second].compactMap(\.self))
        for _ in 0..<10 {
            let before = desk.now
            probes += Desk.probes(desk.next())
            #expect(desk.now == before + Self.interval)
        }
        #expect(probes.count == 22)
        #expect(Set(probes.map(\.nonce)).count == 22 && Set(probes.map(\.sequence)).count == 22)
        #expect(Set(probes.map(\.identifier)) == [0x1234])
    }

    @Test
    func `An answer is told with the moment of its question, once`() throws {
        var desk = Desk()
        let sent = desk.now
        let probe = try #require(desk.ask([Self.gateway]).first)
        desk.now = desk.now + .milliseconds(30)
        let effects = desk.give(.received(echo(probe), from: probe.address))
        #expect(effects.first == .answered(probe.address, sent: sent))
        #expect(effects.count == 2 && desk.condition(Self.gateway) == .answers)
        #expect(desk.give(.received(echo(probe), from: probe.address)).isEmpty)
        #expect(desk.watch.strangePackets == 1)
    }

    @Test
    func `Late, forged and foreign answers are counted and change nothing`() throws {
        var desk = Desk()
        let late = try #require(desk.ask([Self.gateway]).first)
        let probe = try #require(Desk.probes(desk.next()).first)
        let forged = [
            EchoProbe(address: probe.address, identifier: 1, sequence: probe.sequence, nonce: probe.nonce),
            EchoProbe(address: probe.address, identifier: 0x1234, sequence: probe.sequence, nonce: late.nonce),
            EchoProbe(address: probe.address, identifier: 0x1234, sequence: late.sequence, nonce: probe.nonce),
        ]
        for other in [late] + forged {
            #expect(desk.give(.received(echo(other), from: probe.address)).isEmpty)
        }
        #expect(desk.give(.received(echo(probe), from: try #require(Self.second))).isEmpty)
        #expect(desk.give(.received([], from: probe.address)).isEmpty)
        #expect(desk.watch.strangePackets == 6)
        #expect(desk.give(.received(echo(probe), from: probe.address)).count == 2)
    }

    @Test
    func `Silence, its reason and its end are told once each`() throws {
        var desk = Desk()
        let began = desk.now
        let gateway = try #require(Self.gateway)
        _ = desk.ask([gateway])
        _ = desk.give(.unsent(gateway, "Network is unreachable"))
        #expect(desk.condition(gateway) == .asked)
        var told: [ArbiterWatch.Standing] = []
        var probe: EchoProbe?
        func note(_ effects: [ArbiterWatch.Effect]) {
            told += effects.compactMap { if case .changed(let standing) = $0 { standing } else { nil } }
            probe = Desk.probes(effects).first ?? probe
        }
        for _ in 0..<6 { note(desk.next()) }
        #expect(told.map(\.condition) == [.silent])
        #expect(told.first?.failure == "Network is unreachable" && told.first?.since == began)
        note(desk.give(.received(echo(try #require(probe)), from: gateway)))
        #expect(told.map(\.condition) == [.silent, .answers] && told.last?.failure == nil)
        let answered = desk.now
        for _ in 0..<6 { note(desk.next()) }
        #expect(told.map(\.condition) == [.silent, .answers, .silent] && told.last?.answered == answered)
    }

    @Test
    func `An address that stays keeps what is known of it, and one that goes is forgotten`() throws {
        var desk = Desk()
        let probe = try #require(desk.ask([Self.gateway, Self.second]).last)
        _ = desk.give(.received(echo(probe), from: probe.address))
        #expect(desk.ask([Self.second]).isEmpty)
        #expect(desk.condition(Self.second) == .answers && desk.condition(Self.gateway) == nil)
        #expect(desk.ask([]).isEmpty && desk.watch.nextDeadline == nil)
        #expect(desk.give(.received(echo(probe), from: probe.address)).isEmpty)
        #expect(desk.ask([Self.second]).count == 1 && desk.condition(Self.second) == .asked)
    }

    @Test
    func `A shorter interval counts at once`() throws {
        var desk = Desk()
        let gateway = try #require(Self.gateway)
        _ = desk.give(.ask([gateway], every: .seconds(3), window: .seconds(6)))
        _ = desk.ask([gateway])
        #expect(desk.watch.nextDeadline == desk.now + Self.interval)
    }
}
