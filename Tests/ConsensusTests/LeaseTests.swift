import ClusterModel
import Testing

@testable import Consensus

@Suite
struct LeaseTests {
    /// Three nodes that may hold leases; answers the leader's number with them.
    private func led() throws -> (Bench, leader: Int, follower: Int, other: Int) {
        var bench = Bench(3)
        for number in 1...3 { bench.give(number, .leaseEligible(true)) }
        bench.run(.seconds(2), among: [1, 2, 3])
        let leader = try #require(bench.leaders().first)
        let others = [1, 2, 3].filter { $0 != leader }
        return (bench, leader, others[0], others[1])
    }

    @Test
    func `A follower's lease ends at its own sending plus what the leader had left`() throws {
        var (bench, leader, follower, _) = try led()
        bench.wire = []
        let sent = bench.now + .milliseconds(1)
        bench.now = sent + .milliseconds(300)
        let before = bench[follower].leaseEnd
        let ack = HeartbeatAck(term: bench[follower].term, echo: sent.echo, remaining: 400_000_000)
        bench.give(follower, .message(from: NodeID(UInt8(leader)), .heartbeatAck(ack)))
        #expect(bench[follower].leaseEnd == max(sent + .milliseconds(400), before ?? .zero))
        let generous = HeartbeatAck(term: bench[follower].term, echo: sent.echo, remaining: 900_000_000)
        bench.give(follower, .message(from: NodeID(UInt8(leader)), .heartbeatAck(generous)))
        #expect(bench[follower].leaseEnd == sent + .milliseconds(480))
    }

    @Test
    func `Answers that this start did not ask for grant nothing`() throws {
        var (bench, leader, follower, other) = try led()
        let before = bench[follower].leaseEnd
        let term = bench[follower].term
        let future = (bench.now + .seconds(5)).echo
        for (from, ack) in [
            (leader, HeartbeatAck(term: term, echo: future, remaining: 400_000_000)),
            (leader, HeartbeatAck(term: term, echo: 0, remaining: 400_000_000)),
            (leader, HeartbeatAck(term: term - 1, echo: bench.now.echo, remaining: 400_000_000)),
            (leader, HeartbeatAck(term: term, echo: bench.now.echo, remaining: 0)),
            (other, HeartbeatAck(term: term, echo: bench.now.echo, remaining: 400_000_000)),
        ] {
            bench.give(follower, .message(from: NodeID(UInt8(from)), .heartbeatAck(ack)))
            #expect(bench[follower].leaseEnd == before)
        }
    }

    @Test
    func `The leader's lease is anchored at its sending, however late the answer comes`() throws {
        var (bench, leader, follower, _) = try led()
        bench.wire = []
        bench.now = bench.now + .milliseconds(10)
        let sent = bench.now
        bench.now = sent + .milliseconds(250)
        let ack = HeartbeatAck(term: bench[leader].term, echo: sent.echo, remaining: 0)
        bench.give(leader, .message(from: NodeID(UInt8(follower)), .heartbeatAck(ack)))
        #expect(bench[leader].leaseEnd == sent + .milliseconds(480))
    }

    @Test
    func `A node holds no lease before it has said what runs on it, and loses it when that is withdrawn`() {
        var bench = Bench(3)
        bench.run(.seconds(2), among: [1, 2, 3])
        #expect((1...3).allSatisfy { bench[$0].leaseEnd == nil })
        for number in 1...3 { bench.give(number, .leaseEligible(true)) }
        bench.deliver(among: [1, 2, 3])
        bench.run(.milliseconds(200), among: [1, 2, 3])
        #expect((1...3).allSatisfy { bench[$0].leaseEnd != nil })
        bench.give(2, .leaseEligible(false))
        #expect(bench[2].leaseEnd == nil)
        #expect(bench.events[NodeID(2)]?.last == .leaseChanged(nil))
    }

    @Test
    func `A node with a fence under way gets no lease, is heard all the same, and is told apart`() throws {
        var (bench, leader, follower, other) = try led()
        let denied = NodeID(UInt8(follower))
        for number in 1...3 { bench.give(number, .denyLease(NodeSet([denied]))) }
        bench.run(.milliseconds(700), among: [1, 2, 3])
        #expect(bench[follower].leaseEnd == nil)
        #expect(bench[other].leaseEnd != nil)
        #expect(bench[leader].peer(denied)?.state == .alive(holdsLease: false))
        #expect(bench[leader].leaseOver(of: denied) < bench.now)
    }

    @Test
    func `The leader's word that a lease is over covers both clocks' error`() throws {
        let (bench, leader, follower, _) = try led()
        let end = try #require(bench[follower].leaseEnd)
        let over = bench[leader].leaseOver(of: NodeID(UInt8(follower)))
        #expect(over > end)
        #expect(over - bench.now <= ConsensusTiming.lan.leaseCeiling)
    }

    @Test
    func `A stall gives peers their time back and a lease nothing`() throws {
        var (bench, leader, follower, _) = try led()
        let end = try #require(bench[follower].leaseEnd)
        bench.now = bench.now + .seconds(2)
        bench.give(follower, .stalled(.seconds(2)))
        #expect(bench[follower].leaseEnd == end)
        bench.give(follower, .tick)
        #expect(bench[follower].leaseEnd == nil)
        #expect(bench[follower].role == .follower)
        if case .lost = bench[follower].peer(NodeID(UInt8(leader)))?.state { Issue.record("lost by its own stall") }
    }

    @Test
    func `An ordinary failover waits for the grace alone, a hand-over for the whole lease`() throws {
        func wait(_ bench: Bench, _ number: Int) throws -> Duration {
            let core = bench[number]
            return try #require(core.recoverByLeaseAt) - (try #require(core.leadership?.since))
        }
        var (bench, leader, follower, other) = try led()
        bench.run(.milliseconds(900), among: [follower, other])
        let successor = try #require([follower, other].first { bench[$0].role == .leader })
        #expect(try wait(bench, successor) == .milliseconds(100))
        (bench, leader, follower, other) = try led()
        bench.give(leader, .transferLeadership(to: NodeID(UInt8(follower))))
        bench.run(.milliseconds(100), among: [1, 2, 3])
        #expect(bench.leaders() == [follower])
        #expect(try wait(bench, follower) > .milliseconds(570))
    }

    @Test
    func `A restarted voter says its uptime, so its candidate waits`() throws {
        var (bench, _, follower, other) = try led()
        let restarted = NodeID(UInt8(other))
        bench[other] = ConsensusCore(
            id: restarted,
            voters: bench[follower].voters,
            incarnation: 2,
            timing: .lan,
            durable: DurableState(term: bench[other].term),
            seed: 9,
            now: bench.now
        )
        bench.now = bench.now + .milliseconds(50)
        bench.wire = []
        let request = VoteRequest(term: 9, last: LogPosition(index: 99, term: 8), isTransfer: false)
        bench.give(other, .message(from: NodeID(UInt8(follower)), .vote(request)))
        let said = bench.sent(by: other, to: follower).compactMap { message -> UInt64? in
            if case .voteAnswer(let answer) = message { answer.sinceAcknowledgement } else { nil }
        }
        #expect(said == [50_000_000])
    }

    @Test
    func `A node that cannot write stops acknowledging and voting at once`() throws {
        var (bench, leader, follower, other) = try led()
        for number in [follower, other] { bench.give(number, .storage(working: false)) }
        bench.run(.milliseconds(700), among: [1, 2, 3])
        #expect(bench.leaders().isEmpty)
        #expect(bench[leader].leaseEnd == nil)
    }

    @Test
    func `A leaving leader hands over, ends its lease and is known to have left`() throws {
        var (bench, leader, _, _) = try led()
        bench.give(leader, .leaving)
        bench.run(.milliseconds(200), among: [1, 2, 3])
        let successor = try #require(bench.leaders().first)
        #expect(successor != leader)
        #expect(bench[leader].leaseEnd == nil)
        #expect(bench.events[NodeID(UInt8(leader))]?.contains(.left) == true)
        #expect(bench[successor].peer(NodeID(UInt8(leader)))?.state == .left)
    }
}
