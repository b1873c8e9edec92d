import ClusterModel
import Testing

@testable import Consensus

/// Stories of voters that die, leave and return, one per rule and per counterexample of the first draft.
@Suite
struct HalfStoryTests {
    private func asks(_ bench: Bench, _ number: Int) -> [[Voter]] {
        (bench.events[NodeID(UInt8(number))] ?? []).compactMap {
            if case .fenceForQuorum(let voters) = $0 { voters } else { nil }
        }
    }

    /// F3: a survivor that fences keeps what runs; the mistake makes it stop everything.
    @Test(arguments: [false, true])
    func `F3: The leader of two keeps its lease while it fences the other`(isPlanted: Bool) throws {
        var faults = PlantedFaults()
        faults.leaseNeedsQuorum = isPlanted
        var (bench, leader) = try Bench.led(2, faults: faults)
        let other = 3 - leader
        bench.run(.seconds(4), among: [leader])
        #expect((bench[leader].leaseEnd != nil) == !isPlanted)
        guard !isPlanted else { return }
        #expect(bench[leader].role == .leader && !bench[leader].isQuorate)
        #expect(asks(bench, leader) == [[Voter(node: NodeID(UInt8(other)), incarnation: 1)]])
        let before = bench[leader].commitIndex
        bench.give(leader, .propose([1], token: 1))
        bench.run(.milliseconds(200), among: [leader])
        #expect(bench[leader].commitIndex == before)
        bench.give(leader, .provenDead(NodeID(UInt8(other)), 1))
        #expect(bench[leader].isQuorate && bench[leader].commitIndex > before)
        #expect(asks(bench, leader).last == [])
        bench.run(.seconds(1), among: [leader])
        #expect(bench[leader].voters == [NodeID(UInt8(leader))])
    }

    /// A voter that hears nobody can lead nobody and follow nobody, though everybody hears it.
    @Test
    func `A leader of two asks for the death of the other that has heard nobody for long`() throws {
        var (bench, leader) = try Bench.led(2)
        let other = 3 - leader
        bench.deaf = [other]
        bench.run(.seconds(2), among: [1, 2])
        #expect(bench[leader].peer(NodeID(UInt8(other)))?.state == .alive(holdsLease: false))
        #expect(asks(bench, leader).isEmpty)
        bench.run(.milliseconds(400), among: [1, 2])
        #expect(asks(bench, leader) == [[Voter(node: NodeID(UInt8(other)), incarnation: 1)]])
        #expect(asks(bench, other).isEmpty)
        // It hears again: nobody need die.
        bench.deaf = []
        bench.run(.seconds(1), among: [1, 2])
        #expect(asks(bench, leader).last == [])
        #expect(bench[leader].isQuorate || bench[other].isQuorate)
    }

    /// The wait of 4.3-c after a proof of death, and after a time without a quorum.
    @Test(arguments: [false, true])
    func `4.3-c: A leader that gets its quorum by proof waits out leases of the dead half`(isPlanted: Bool) throws {
        var faults = PlantedFaults()
        faults.forgetLapse = isPlanted
        var (bench, leader) = try Bench.led(4, faults: faults)
        let half = [leader, leader % 4 + 1]
        let others = [1, 2, 3, 4].filter { !half.contains($0) }
        bench.run(.seconds(2), among: Set(half))
        for other in others { bench.give(leader, .provenDead(NodeID(UInt8(other)), 1)) }
        #expect(bench[leader].isQuorate)
        let over = bench[leader].leaseOver(of: NodeID(UInt8(others[0])))
        #expect((over - bench.now >= .milliseconds(586)) == !isPlanted)
    }

    @Test(arguments: [false, true])
    func `4.3-c: A leader elected by half waits from the last proof of death`(isPlanted: Bool) throws {
        var faults = PlantedFaults()
        faults.forgetProofTime = isPlanted
        var (bench, leader) = try Bench.led(2, faults: faults)
        let other = 3 - leader
        bench.run(.seconds(6), among: [other])
        #expect(bench[other].isHolder)
        bench[other].holding = nil
        bench[other].election.lastAcknowledgement = bench.now + .seconds(-5)
        bench.give(other, .provenDead(NodeID(UInt8(leader)), 1))
        bench.run(.milliseconds(200), among: [other])
        let since = try #require(bench[other].leadership?.since)
        let wait = try #require(bench[other].leadership?.earlierLeasesOver) - since
        #expect((wait > .milliseconds(300)) == !isPlanted)
    }

    @Test
    func `4.3-a: Half without a leader holds by pre-vote, asks later, and is elected by proof`() throws {
        var (bench, leader) = try Bench.led(4)
        let gone = [leader, leader % 4 + 1]
        let half = [1, 2, 3, 4].filter { !gone.contains($0) }
        bench.run(.milliseconds(1500), among: Set(half))
        let holder = try #require(half.first { bench[$0].isHolder })
        #expect(half.filter { bench[$0].isHolder }.count == 1)
        #expect(asks(bench, holder).isEmpty)
        bench.run(.seconds(6), among: Set(half))
        #expect(bench.leaders().filter { half.contains($0) }.isEmpty)
        let stillHolds = try #require(half.first { bench[$0].isHolder })
        #expect(asks(bench, stillHolds).last == gone.sorted().map { Voter(node: NodeID(UInt8($0)), incarnation: 1) })
        for node in gone { bench.give(stillHolds, .provenDead(NodeID(UInt8(node)), 1)) }
        bench.run(.milliseconds(300), among: Set(half))
        #expect(bench[stillHolds].role == .leader)
    }

    /// F2: a freshly booted node is not listed; it neither counts half nor asks for anybody's death.
    @Test(arguments: [false, true])
    func `F2: A restarted node that finds nobody waits`(isPlanted: Bool) throws {
        var faults = PlantedFaults()
        faults.countUnlistedHalf = isPlanted
        var (bench, leader) = try Bench.led(2)
        let other = 3 - leader
        bench.restart(other, incarnation: 2, faults: faults)
        bench.run(.seconds(8), among: [other])
        #expect(asks(bench, other).isEmpty == !isPlanted)
        bench.give(other, .provenDead(NodeID(UInt8(leader)), 1))
        bench.run(.seconds(1), among: [other])
        #expect((bench[other].role == .leader) == isPlanted)
    }

    @Test
    func `A restarted node is listed as it runs once it has everything`() throws {
        var (bench, leader) = try Bench.led(2)
        let other = 3 - leader
        bench.restart(other, incarnation: 2)
        bench.run(.seconds(3), among: [1, 2])
        let now = try #require(bench.leaders().first)
        #expect(bench[now].listedVoters.set.incarnation(of: NodeID(UInt8(other))) == 2)
        #expect(bench[now].activeVoterSets.count == 1)
        _ = leader
    }

    /// F1: of A, B and C become A and C; without the old set, A alone would commit once C is dead.
    @Test(arguments: [false, true])
    func `F1: A smaller set is committed by a quorum of the larger one too`(isPlanted: Bool) throws {
        var (bench, leader) = try Bench.led(3)
        let others = [1, 2, 3].filter { $0 != leader }
        for number in 1...3 {
            bench[number].faults.countNewestSetOnly = isPlanted
            bench[number].faults.shrinkOddSets = true
        }
        bench.isDiskInstant = true
        bench.give(leader, .provenDead(NodeID(UInt8(others[0])), 1))
        // The entry is on the leader's disk alone when the third node dies as well.
        bench.now = bench.now + .milliseconds(100)
        bench.give(leader, .tick)
        bench.wire = []
        #expect(bench[leader].activeVoterSets.count == 2 || isPlanted)
        bench.give(leader, .provenDead(NodeID(UInt8(others[1])), 1))
        bench.wire = []
        #expect((bench[leader].activeVoterSets.count == 1) == isPlanted)
    }

    /// F7: B leaves cleanly; with {A, C} left and C dead, A and the returned B would be stuck for ever.
    @Test(arguments: [false, true])
    func `F7: A voter leaves an odd set only if the others can be powered off`(isPlanted: Bool) throws {
        var faults = PlantedFaults()
        faults.shrinkOddSets = isPlanted
        var (bench, leader) = try Bench.led(3, faults: faults)
        let others = [1, 2, 3].filter { $0 != leader }
        bench.give(others[0], .leaving)
        bench.run(.seconds(1), among: [1, 2, 3])
        #expect(bench[leader].voters.count == (isPlanted ? 2 : 3))
        bench.restart(others[0], incarnation: 2, faults: faults)
        bench.cores[others[0] - 1].faults = faults
        bench.run(.seconds(3), among: [leader, others[0]])
        // The third crashed as the other came back.
        #expect(bench.leaders().contains { bench[$0].isQuorate } == !isPlanted)
    }

    @Test
    func `4.2-d: With checked fence devices an odd set shrinks, and down to one`() throws {
        var (bench, leader) = try Bench.led(3)
        let all = NodeSet([NodeID(1), NodeID(2), NodeID(3)])
        for number in 1...3 {
            bench.give(number, .settings(QuorumSettings(members: all, eligible: all, fenceable: all)))
        }
        let others = [1, 2, 3].filter { $0 != leader }
        bench.run(.seconds(1), among: [leader, others[0]])
        bench.give(leader, .provenDead(NodeID(UInt8(others[1])), 1))
        bench.run(.seconds(1), among: [leader, others[0]])
        #expect(bench[leader].voters.count == 2)
        bench.run(.seconds(1), among: [leader])
        bench.give(leader, .provenDead(NodeID(UInt8(others[0])), 1))
        bench.run(.seconds(2), among: [leader])
        #expect(bench[leader].voters == [NodeID(UInt8(leader))])
        for other in others { bench.restart(other, incarnation: 2) }
        bench.run(.seconds(3), among: [1, 2, 3])
        #expect(bench[leader].voters.count == 3)
    }

    @Test
    func `4.2-a: The last survivor, restarted, does not wait for a node that was taken out`() throws {
        var (bench, leader) = try Bench.led(2)
        let other = 3 - leader
        bench.run(.seconds(1), among: [leader])
        bench.give(leader, .provenDead(NodeID(UInt8(other)), 1))
        bench.run(.seconds(2), among: [leader])
        #expect(bench[leader].voters.count == 1)
        bench.restart(leader, incarnation: 2)
        bench.run(.seconds(1), among: [leader])
        #expect(bench[leader].role == .leader && bench[leader].isQuorate)
    }

    @Test
    func `4.2-c: A node that leaves says so only when that is on its disk, votes no more, and is proven dead`() throws {
        var (bench, leader) = try Bench.led(2)
        let other = 3 - leader
        bench.isDiskInstant = false
        bench.give(other, .leaving)
        bench.run(.milliseconds(200), among: [1, 2])
        #expect(bench[leader].deathFacts.list.isEmpty)
        bench.wire = []
        let request = VoteRequest(term: 99, last: LogPosition(index: 99, term: 98), isTransfer: true)
        bench.give(other, .message(from: NodeID(UInt8(leader)), .vote(request)))
        #expect(bench.sent(by: other, to: leader).isEmpty)
        bench.isDiskInstant = true
        bench.finishWrites(other)
        bench.finishWrites(leader)
        bench.run(.seconds(2), among: [1, 2])
        #expect(bench.events[NodeID(UInt8(other))]?.contains(.left) == true)
        #expect(bench[leader].deathFacts.cover(Voter(node: NodeID(UInt8(other)), incarnation: 1)))
        #expect(bench[leader].voters == [NodeID(UInt8(leader))] && bench[leader].isQuorate)
        #expect(asks(bench, leader).flatMap { $0 }.isEmpty)
    }

    @Test
    func `An operator takes a live voter out and puts it back`() throws {
        var (bench, leader) = try Bench.led(3)
        let all = NodeSet([NodeID(1), NodeID(2), NodeID(3)])
        let gone = [1, 2, 3].first { $0 != leader } ?? 0
        var fewer = all
        fewer.remove(NodeID(UInt8(gone)))
        for number in 1...3 { bench.give(number, .settings(QuorumSettings(members: all, eligible: fewer))) }
        bench.run(.seconds(1), among: [1, 2, 3])
        #expect(bench[leader].voters.count == 2)
        #expect(bench[gone].voters.count == 2 && bench[gone].commitIndex == bench[leader].commitIndex)
        for number in 1...3 { bench.give(number, .settings(QuorumSettings(members: all, eligible: all))) }
        bench.run(.seconds(1), among: [1, 2, 3])
        #expect(bench[leader].voters.count == 3)
    }

    @Test
    func `A start that is reported powered off and runs takes no part any more`() throws {
        var (bench, leader) = try Bench.led(3)
        bench.give(leader, .provenDead(NodeID(UInt8(leader)), 1))
        #expect(bench[leader].role == .follower)
        let stops = bench.events[NodeID(UInt8(leader))]?.contains { if case .mustStop = $0 { true } else { false } }
        #expect(stops == true)
    }
}
