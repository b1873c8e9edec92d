import ClusterModel
import Testing

@testable import Consensus

/// Nodes take a new profile one after the other; whatever the order, no lease outlives the promises that it rests on.
@Suite
struct TimingChangeTests {
    private func led(_ profile: TimingProfile) throws -> (Bench, leader: Int, follower: Int, other: Int) {
        var bench = Bench(3)
        for number in 1...3 {
            bench.give(number, .leaseEligible(true))
            bench.give(number, .timing(ConsensusTiming(profile)))
        }
        bench.run(.seconds(8), among: [1, 2, 3])
        let leader = try #require(bench.leaders().first)
        let others = [1, 2, 3].filter { $0 != leader }
        return (bench, leader, others[0], others[1])
    }

    @Test
    func `A voter that does not know the longer profile yet promises as long as its leader needs`() throws {
        var (bench, leader, follower, other) = try led(.fast)
        bench.give(leader, .timing(ConsensusTiming(.wan)))
        bench.run(.milliseconds(10), among: [1, 2, 3])
        let end = try #require(bench[leader].leaseEnd)
        #expect(end - bench.now > .seconds(2))
        // Both others go on by the fast profile: they would stand after 150 ms without the promise.
        bench.run(.milliseconds(2600), among: [follower, other])
        #expect(bench.leaders() == [leader])
        #expect(bench.now > end)
        bench.run(.milliseconds(1200), among: [follower, other])
        #expect(bench.leaders().count == 2)
    }

    @Test
    func `A leader counts no answer from before for its longer lease`() throws {
        var (bench, leader, follower, _) = try led(.fast)
        bench.wire = []
        let sent = bench.now
        let term = bench[leader].term
        let before = bench[leader].leaseEnd
        bench.now = bench.now + .milliseconds(5)
        bench.give(leader, .timing(ConsensusTiming(.wan)))
        let late = HeartbeatAck(term: term, echo: sent.echo, remaining: 0)
        bench.give(leader, .message(from: NodeID(UInt8(follower)), .heartbeatAck(late)))
        #expect(bench[leader].leaseEnd == before)
        // An answer to entries says nothing about the promise that the voter gave.
        bench.now = bench.now + .milliseconds(5)
        let entries = AppendAnswer.agreed(term: term, echo: bench.now.echo, through: bench[leader].lastIndex)
        bench.give(leader, .message(from: NodeID(UInt8(follower)), .appendAnswer(entries)))
        #expect(bench[leader].leaseEnd == before)
        let asked = HeartbeatAck(term: term, echo: bench.now.echo, remaining: 0)
        bench.give(leader, .message(from: NodeID(UInt8(follower)), .heartbeatAck(asked)))
        #expect(bench[leader].leaseEnd == bench.now + .milliseconds(2400))
    }

    @Test
    func `After a change to a shorter profile a winner still waits for the longer leases`() throws {
        var (bench, leader, follower, _) = try led(.wan)
        for number in 1...3 {
            bench.give(number, .timing(ConsensusTiming(.fast)))
            #expect(!bench[number].isTimingSettled)
        }
        bench.deliver(among: [1, 2, 3])
        bench.give(leader, .transferLeadership(to: NodeID(UInt8(follower))))
        bench.run(.milliseconds(50), among: [1, 2, 3])
        #expect(bench.leaders() == [follower])
        let core = bench[follower]
        let wait = try #require(core.recoverByLeaseAt) - (try #require(core.leadership?.since))
        #expect(wait > .milliseconds(2800))
        bench.run(.seconds(4), among: [1, 2, 3])
        #expect((1...3).allSatisfy { bench[$0].isTimingSettled })
    }

    @Test
    func `A winner that applies a longer profile after its election waits for its leases too`() throws {
        var (bench, leader, follower, _) = try led(.fast)
        bench.give(leader, .transferLeadership(to: NodeID(UInt8(follower))))
        bench.run(.milliseconds(50), among: [1, 2, 3])
        let since = try #require(bench[follower].leadership?.since)
        #expect(try #require(bench[follower].recoverByLeaseAt) - since < .milliseconds(200))
        bench.give(follower, .timing(ConsensusTiming(.wan)))
        #expect(try #require(bench[follower].recoverByLeaseAt) - since > .milliseconds(2900))
    }

    @Test
    func `A start that finds a former profile takes its leases for possible`() throws {
        let core = ConsensusCore(
            id: NodeID(1),
            voters: [NodeID(1), NodeID(2)],
            incarnation: 2,
            timing: ConsensusTiming(.fast),
            formerTiming: ConsensusTiming(.lan),
            durable: DurableState(),
            seed: 1,
            now: .zero
        )
        #expect(core.leaseCeiling == ConsensusTiming(.lan).leaseCeiling)
        #expect(!core.isTimingSettled)
    }

    @Test
    func `A node with the shorter profile does not lose one that still speaks by the longer`() throws {
        var (bench, leader, follower, other) = try led(.wan)
        for number in [leader, follower] { bench.give(number, .timing(ConsensusTiming(.fast))) }
        bench.run(.seconds(3), among: [1, 2, 3])
        #expect(bench.leaders() == [leader])
        let lost = bench.events.values.joined().contains { event in
            if case .peer(_, .lost) = event { true } else { false }
        }
        #expect(!lost)
        // Its own word is what holds for it, once it has stopped.
        bench.run(.milliseconds(2400), among: [leader, follower])
        #expect(bench[leader].peer(NodeID(UInt8(other)))?.state == .suspect)
        bench.run(.milliseconds(900), among: [leader, follower])
        guard case .lost = bench[leader].peer(NodeID(UInt8(other)))?.state else {
            Issue.record("not lost after its own time")
            return
        }
    }
}
