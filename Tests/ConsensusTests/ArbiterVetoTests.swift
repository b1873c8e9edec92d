import ClusterModel
import Testing

@testable import Consensus

/// An arbiter may veto going on alone, and grants nothing.
@Suite
struct ArbiterVetoTests {
    private static let arbiter = IPAddress("192.0.2.1")
    private static let second = IPAddress("2001:db8::1")

    private static func settings(_ arbiters: [IPAddress?]) -> QuorumSettings {
        let both = NodeSet([NodeID(1), NodeID(2)])
        var settings = QuorumSettings(members: both, eligible: both, holdsByHalf: false)
        settings.actsAlone = true
        settings.arbiters = arbiters.compactMap(\.self)
        return settings
    }

    /// Two nodes without fencing that have been one cluster long enough; one of them, which does not lead.
    private func pair(_ arbiters: [IPAddress?] = [arbiter]) throws -> (Bench, follower: Int) {
        var (bench, leader) = try Bench.led(2)
        for number in 1...2 { bench.give(number, .settings(Self.settings(arbiters))) }
        bench.run(.seconds(5), among: [1, 2])
        return (bench, 3 - leader)
    }

    private func actsAlone(_ bench: Bench, _ number: Int) -> Bool {
        bench.events[NodeID(UInt8(number))]?.contains(.beginsAnew) == true
    }

    /// Runs one node alone, and has an address answer what it is asked once an interval; the answer takes 10 ms.
    private func run(
        _ bench: inout Bench,
        _ time: Duration,
        _ number: Int,
        among nodes: Set<Int>? = nil,
        answeredBy address: IPAddress?
    ) throws {
        let address = try #require(address)
        let end = bench.now + time
        var next = bench.now
        while bench.now < end {
            let sent = bench.now >= next ? bench.now : nil
            if sent != nil { next = next + ConsensusTiming.lan.arbiterInterval }
            bench.run(.milliseconds(10), among: nodes ?? [number])
            if let sent { bench.give(number, .arbiterAnswered(address, sent: sent)) }
        }
    }

    @Test(arguments: TimingProfile.allCases)
    func `A question falls between the loss of the other node and the end of its lease`(profile: TimingProfile) {
        let timing = ConsensusTiming(profile)
        #expect(timing.arbiterInterval < timing.leaseCeiling + timing.grace)
        #expect(timing.arbiterWindow > timing.arbiterInterval * 2)
        #expect(timing.arbiterReturn >= timing.arbiterWindow)
    }

    @Test
    func `A silent arbiter forbids it for ever, and says so`() throws {
        var (bench, alone) = try pair()
        #expect(!bench[alone].isVetoed)
        bench.run(.seconds(20), among: [alone])
        #expect(!actsAlone(bench, alone) && bench[alone].isVetoed)
        #expect(bench[alone].leaseEnd.map { $0 <= bench.now } ?? true)
        // The operator's word counts all the same.
        bench.give(alone, .actAlone([Voter(node: NodeID(UInt8(3 - alone)), incarnation: 1)], branchID: 7))
        #expect(actsAlone(bench, alone))
    }

    @Test
    func `One that answers all the while costs no time`() throws {
        var (bench, alone) = try pair()
        try run(&bench, .seconds(2), alone, among: [1, 2], answeredBy: Self.arbiter)
        try run(&bench, .milliseconds(1200), alone, answeredBy: Self.arbiter)
        #expect(!actsAlone(bench, alone))
        try run(&bench, .milliseconds(300), alone, answeredBy: Self.arbiter)
        #expect(actsAlone(bench, alone))
    }

    @Test
    func `One of several is enough`() throws {
        var (bench, alone) = try pair([Self.arbiter, Self.second])
        try run(&bench, .seconds(2), alone, among: [1, 2], answeredBy: Self.second)
        try run(&bench, .seconds(2), alone, answeredBy: Self.second)
        #expect(actsAlone(bench, alone))
    }

    /// Nothing that is waited for without an arbiter is skipped with one.
    @Test
    func `An answer by itself grants nothing`() throws {
        var (bench, leader) = try Bench.led(2)
        let other = 3 - leader
        for number in 1...2 { bench.give(number, .settings(Self.settings([Self.arbiter]))) }
        // The two have not been one cluster for long.
        try run(&bench, .milliseconds(1500), other, answeredBy: Self.arbiter)
        #expect(!actsAlone(bench, other) && !bench[other].isVetoed)
        // Cold start: it runs anew and has not met the other.
        bench.run(.seconds(6), among: [1, 2])
        bench.restart(other, incarnation: 2)
        bench.give(other, .settings(Self.settings([Self.arbiter])))
        try run(&bench, .seconds(20), other, answeredBy: Self.arbiter)
        #expect(!actsAlone(bench, other) && !bench[other].isVetoed)
    }

    @Test
    func `With fencing, or with more voters, answers change nothing`() throws {
        var (bench, leader) = try Bench.led(3)
        let alone = leader % 3 + 1
        var settings = QuorumSettings(members: NodeSet(bench.cores.map(\.id)), eligible: NodeSet(bench.cores.map(\.id)))
        settings.arbiters = [Self.arbiter].compactMap(\.self)
        bench.give(alone, .settings(settings))
        bench.run(.seconds(6), among: [1, 2, 3])
        try run(&bench, .seconds(5), alone, answeredBy: Self.arbiter)
        #expect(!actsAlone(bench, alone) && !bench[alone].isQuorate)
    }

    /// A node that is cut off has the answers of before.
    @Test
    func `Answers to what was asked before the loss do not count`() throws {
        var (bench, alone) = try pair()
        try run(&bench, .seconds(2), alone, among: [1, 2], answeredBy: Self.arbiter)
        bench.run(.milliseconds(300), among: [alone])
        let sent = bench.now
        bench.give(alone, .arbiterAnswered(try #require(Self.arbiter), sent: sent))
        bench.run(.milliseconds(1100), among: [alone])
        #expect(bench[alone].isVetoed && !actsAlone(bench, alone))
        bench.run(.seconds(20), among: [alone])
        #expect(bench[alone].isVetoed && !actsAlone(bench, alone))
    }

    @Test
    func `An answer expires, however it is repeated, and one from the future is none`() throws {
        var (bench, alone) = try pair()
        let arbiter = try #require(Self.arbiter)
        try run(&bench, .seconds(2), alone, among: [1, 2], answeredBy: arbiter)
        bench.run(.milliseconds(800), among: [alone])
        let sent = bench.now
        bench.run(.milliseconds(400), among: [alone])
        // Only now it goes on to be lost for the lease time; its question is old when the time comes.
        bench.give(alone, .arbiterAnswered(arbiter, sent: bench.now + .seconds(60)))
        #expect(!actsAlone(bench, alone))
        bench.run(.seconds(2), among: [alone])
        for _ in 0..<50 {
            bench.give(alone, .arbiterAnswered(arbiter, sent: sent))
            bench.run(.milliseconds(100), among: [alone])
        }
        #expect(bench[alone].isVetoed && !actsAlone(bench, alone))
    }

    /// Whoever gets its links back reaches the arbiter before the other node.
    @Test
    func `One that was silent has to answer for a while first`() throws {
        var (bench, alone) = try pair()
        try run(&bench, .seconds(2), alone, among: [1, 2], answeredBy: Self.arbiter)
        bench.run(.seconds(5), among: [alone])
        try run(&bench, .milliseconds(3700), alone, answeredBy: Self.arbiter)
        #expect(bench[alone].isVetoed && !actsAlone(bench, alone))
        // A gap begins the wait anew.
        bench.run(.seconds(2), among: [alone])
        try run(&bench, .milliseconds(4900), alone, answeredBy: Self.arbiter)
        #expect(bench[alone].isVetoed && !actsAlone(bench, alone))
        try run(&bench, .milliseconds(400), alone, answeredBy: Self.arbiter)
        #expect(actsAlone(bench, alone))
    }

    @Test
    func `One lost answer is no gap`() throws {
        var (bench, alone) = try pair()
        let arbiter = try #require(Self.arbiter)
        let interval = ConsensusTiming.lan.arbiterInterval
        for step in 0..<10 {
            let sent = bench.now
            if step.isMultiple(of: 2) { bench.give(alone, .arbiterAnswered(arbiter, sent: sent)) }
            bench.run(interval, among: [1, 2])
        }
        bench.give(alone, .arbiterAnswered(arbiter, sent: bench.now))
        bench.run(interval * 2, among: [alone])
        bench.give(alone, .arbiterAnswered(arbiter, sent: bench.now))
        bench.run(.milliseconds(300), among: [alone])
        #expect(actsAlone(bench, alone))
    }

    @Test
    func `Without the property there is no veto any more`() throws {
        var (bench, alone) = try pair()
        bench.run(.seconds(10), among: [alone])
        #expect(bench[alone].isVetoed)
        bench.give(alone, .settings(Self.settings([])))
        #expect(!bench[alone].isVetoed)
        bench.run(.milliseconds(200), among: [alone])
        #expect(actsAlone(bench, alone))
    }

    @Test
    func `Answers of an address that is none any more do not speak for the new one`() throws {
        var (bench, alone) = try pair()
        try run(&bench, .seconds(2), alone, among: [1, 2], answeredBy: Self.arbiter)
        bench.give(alone, .settings(Self.settings([Self.second])))
        try run(&bench, .seconds(9), alone, answeredBy: Self.arbiter)
        #expect(bench[alone].isVetoed && !actsAlone(bench, alone))
    }

    @Test
    func `Nodes that meet do not go on alone, whatever the arbiter says`() throws {
        var (bench, alone) = try pair()
        try run(&bench, .seconds(2), alone, among: [1, 2], answeredBy: Self.arbiter)
        try run(&bench, .seconds(2), alone, answeredBy: Self.arbiter)
        #expect(actsAlone(bench, alone))
        bench.restart(alone, incarnation: 2)
        bench.wire = []
        let other = 3 - alone
        bench.run(.seconds(3), among: [1, 2])
        try run(&bench, .seconds(5), other, among: [1, 2], answeredBy: Self.arbiter)
        #expect(!actsAlone(bench, other))
        #expect(bench.events[NodeID(UInt8(other))]?.contains(.branchLost(to: bench[alone].branch)) == true)
    }
}
