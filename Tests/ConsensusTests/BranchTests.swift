import ClusterModel
import Testing

@testable import Consensus

/// Nodes that went on alone, and what follows when they are met again (RULE 4.2-e).
@Suite
struct BranchTests {
    private static func node(_ number: Int) -> NodeID { NodeID(UInt8(number)) }

    private static func mark(
        _ id: UInt64,
        generation: UInt32 = 1,
        base: UInt64 = 4,
        founder: Int = 1,
        led: Bool = false
    ) -> BranchMark {
        BranchMark(id: id, generation: generation, base: base, founder: node(founder), founderLed: led)
    }

    /// Claims in pairs: the first goes on.
    @Test(arguments: [
        // Something was changed on one side alone, whatever the generations.
        (BranchClaim(mark: mark(1), changes: 5), BranchClaim(mark: mark(2, generation: 3), changes: 4)),
        (BranchClaim(mark: .origin, changes: 6), BranchClaim(mark: mark(2, base: 5), changes: 5)),
        (BranchClaim(mark: mark(2, base: 5), changes: 6), BranchClaim(mark: .origin, changes: 5)),
        // Nothing or something on both: the later generation.
        (BranchClaim(mark: mark(2, base: 5), changes: 5), BranchClaim(mark: .origin, changes: 5)),
        (BranchClaim(mark: mark(2, base: 5), changes: 6), BranchClaim(mark: .origin, changes: 9)),
        // The same generation: who led, then the lower number, then the draw.
        (BranchClaim(mark: mark(9, founder: 2, led: true), changes: 4), BranchClaim(mark: mark(2), changes: 4)),
        (BranchClaim(mark: mark(9, founder: 1), changes: 4), BranchClaim(mark: mark(2, founder: 2), changes: 4)),
        (BranchClaim(mark: mark(1), changes: 4), BranchClaim(mark: mark(2), changes: 4)),
        // Decided before, whatever has happened since.
        (BranchClaim(mark: mark(1), changes: 4, gaveWay: [2]), BranchClaim(mark: mark(2, generation: 3), changes: 9)),
        // Of the other there is only the name: those who hold its log are gone.
        (
            BranchClaim(mark: mark(1), changes: 4),
            BranchClaim(mark: mark(2, generation: 3), changes: 9, gaveWay: [1], hasLog: false)
        ),
        // Each gave way to the other, somewhere: decided as if they had never met.
        (
            BranchClaim(mark: mark(1), changes: 4, gaveWay: [2]),
            BranchClaim(mark: mark(2), changes: 4, gaveWay: [7, 1])
        ),
    ])
    func `Of two histories exactly one goes on, whoever asks`(first: BranchClaim, second: BranchClaim) {
        #expect(first.prevails(over: second))
        #expect(!second.prevails(over: first))
    }

    /// Two of three are gone; the last one goes on alone by an operator's word and starts anew with that.
    private func wentOnAlone() throws -> (Bench, alone: Int) {
        var (bench, leader) = try Bench.led(3)
        let alone = leader % 3 + 1
        bench.give(leader, .propose([1], token: 1))
        bench.run(.milliseconds(200), among: [1, 2, 3])
        bench.run(.seconds(2), among: [alone])
        let others = [1, 2, 3].filter { $0 != alone }.map { Voter(node: Self.node($0), incarnation: 1) }
        bench.give(alone, .actAlone(others, branchID: 77))
        #expect(bench.events[Self.node(alone)]?.contains(.beginsAnew) == true)
        #expect(bench[alone].leaders.isEmpty)
        bench.restart(alone, incarnation: 2)
        bench.wire = []
        bench.run(.seconds(1), among: [alone])
        return (bench, alone)
    }

    @Test
    func `What speaks against going on alone is said, and then nothing happens`() throws {
        var (bench, leader) = try Bench.led(3)
        let alone = leader % 3 + 1
        let others = NodeSet([1, 2, 3].filter { $0 != alone }.map(Self.node))
        #expect(bench[alone].objectionToActingAlone(confirmed: others) == .quorate)
        bench.give(alone, .actAlone([], branchID: 7))
        bench.run(.seconds(2), among: [alone])
        #expect(bench[alone].branch == .origin && bench[alone].leaseEnd == nil)
        let first = others.nodes[0]
        #expect(bench[alone].objectionToActingAlone(confirmed: NodeSet([first])) == .unconfirmed(others.nodes[1]))
        #expect(bench[alone].objectionToActingAlone(confirmed: others) == nil)
    }

    @Test
    func `A node goes on alone with everything that its log holds`() throws {
        let (bench, alone) = try wentOnAlone()
        #expect(bench[alone].role == .leader && bench[alone].isQuorate)
        #expect(bench[alone].branch.id == 77 && bench[alone].branch.generation == 1)
        #expect(bench[alone].voters == [Self.node(alone)])
        #expect(bench[alone].commitIndex == bench[alone].lastIndex)
    }

    @Test
    func `Those who were gone take nothing from the branch, and give their own history up for it`() throws {
        var (bench, alone) = try wentOnAlone()
        let others = [1, 2, 3].filter { $0 != alone }
        let before = others.map { bench[$0].commitIndex }
        for other in others { bench.restart(other, incarnation: 2) }
        bench.run(.seconds(3), among: [1, 2, 3])
        for (other, index) in zip(others, before) {
            #expect(bench.events[Self.node(other)]?.contains(.branchLost(to: bench[alone].branch)) == true)
            #expect(bench[other].leaseEnd == nil && bench[other].commitIndex <= index + 3)
        }
        #expect(bench.events[Self.node(alone)]?.contains { if case .branchLost = $0 { true } else { false } } == false)
        // As newcomers of the branch they vote again.
        for other in others {
            bench.durable[Self.node(other)] = DurableState(
                isNewcomer: true,
                branch: DurableBranch(mark: bench[alone].branch)
            )
            bench.restart(other, incarnation: 3)
        }
        bench.run(.seconds(3), among: [1, 2, 3])
        #expect(bench[alone].voters == [1, 2, 3].map(Self.node))
        #expect(bench[alone].isQuorate && !bench[alone].isMeeting)
    }

    @Test
    func `While two histories meet nothing is committed, and that in which operators changed something goes on`() throws
    {
        var (bench, alone) = try wentOnAlone()
        let others = [1, 2, 3].filter { $0 != alone }
        for other in others { bench.restart(other, incarnation: 2) }
        bench.run(.seconds(2), among: Set(others))
        let rival = try #require(bench.leaders().first { others.contains($0) })
        for other in others { bench.give(other, .ownStatus(configurationDigest: 1, changes: 3)) }
        bench.run(.milliseconds(110), among: [1, 2, 3])
        #expect(!bench[rival].isQuorate)
        bench.give(rival, .propose([5], token: 9))
        #expect(
            bench.events[Self.node(rival)]?.last
                == .proposalRefused(token: 9, leader: Self.node(rival), reason: .meeting)
        )
        bench.run(.seconds(1), among: [1, 2, 3])
        #expect(bench.events[Self.node(alone)]?.contains(.branchLost(to: .origin)) == true)
        for other in others {
            #expect(
                bench.events[Self.node(other)]?.contains { if case .branchLost = $0 { true } else { false } } == false
            )
        }
    }

    /// A newcomer has applied nothing yet; it goes by what its branch says, not by its own empty log.
    @Test
    func `A newcomer does not leave its branch for one that gives way to it`() throws {
        var (bench, alone) = try wentOnAlone()
        let others = [1, 2, 3].filter { $0 != alone }
        bench.give(alone, .ownStatus(configurationDigest: 1, changes: 9))
        bench.durable[Self.node(others[0])] = DurableState(
            isNewcomer: true,
            branch: DurableBranch(mark: bench[alone].branch)
        )
        bench.restart(others[0], incarnation: 2)
        bench.restart(others[1], incarnation: 2)
        bench.give(others[1], .ownStatus(configurationDigest: 1, changes: 8))
        bench.run(.seconds(2), among: [1, 2, 3])
        let lost = { (number: Int) in
            bench.events[Self.node(number)]?.contains { if case .branchLost = $0 { true } else { false } } == true
        }
        #expect(!lost(others[0]) && !lost(alone) && lost(others[1]))
    }

    @Test
    func `Who gives its branch up says for which, and whoever hears it can put that on record`() throws {
        var (bench, alone) = try wentOnAlone()
        let others = [1, 2, 3].filter { $0 != alone }
        bench.restart(others[0], incarnation: 2)
        bench.run(.seconds(2), among: [1, 2, 3].filter { $0 != others[1] }.reduce(into: []) { $0.insert($1) })
        #expect(bench.events[Self.node(others[0])]?.contains(.branchLost(to: bench[alone].branch)) == true)
        #expect(bench.events[Self.node(alone)]?.contains(.branchGaveWay(.origin)) == false)
        bench.give(others[0], .leaving)
        bench.run(.seconds(1), among: [alone, others[0]])
        #expect(bench.events[Self.node(alone)]?.contains(.branchGaveWay(.origin)) == true)
    }

    /// The branch that this node's had given way to is met again, with changes that were made since.
    @Test
    func `A branch that gave way does not come back with a node that was away`() throws {
        var (bench, alone) = try wentOnAlone()
        bench.give(alone, .ownStatus(configurationDigest: 1, changes: 0, gaveWay: [BranchMark.origin.id]))
        let others = [1, 2, 3].filter { $0 != alone }
        for other in others { bench.restart(other, incarnation: 2) }
        bench.run(.seconds(2), among: Set(others))
        for other in others { bench.give(other, .ownStatus(configurationDigest: 1, changes: 3)) }
        bench.run(.seconds(1), among: [1, 2, 3])
        #expect(bench.events[Self.node(alone)]?.contains(.branchLost(to: .origin)) == false)
        #expect(others.contains { bench.events[Self.node($0)]?.contains(.branchLost(to: bench[alone].branch)) == true })
    }

    /// The snapshot is from before, and says who voted then.
    @Test
    func `A node whose log ends with its snapshot goes on alone`() throws {
        var (bench, alone) = try wentOnAlone()
        let last = LogPosition(index: bench[alone].lastIndex, term: bench[alone].term)
        var durable = try #require(bench.durable[Self.node(alone)])
        let mark = try #require(durable.branch?.mark)
        let three = ListedVoters(index: 1, set: VoterSet(unlisted: [1, 2, 3].map(Self.node)))
        durable.snapshot = Snapshot(lastIndex: last.index, lastTerm: last.term, data: [], voters: three)
        durable.log = []
        durable.branch = DurableBranch(
            mark: mark,
            voters: ListedVoters(index: last.index, set: VoterSet([Voter(node: Self.node(alone), incarnation: 2)]))
        )
        bench.durable[Self.node(alone)] = durable
        bench.restart(alone, incarnation: 3)
        bench.run(.seconds(1), among: [alone])
        #expect(bench[alone].voters == [Self.node(alone)])
        #expect(bench[alone].role == .leader)
    }

    private func pair() throws -> (Bench, leader: Int) {
        var (bench, leader) = try Bench.led(2)
        let both = NodeSet([1, 2].map(Self.node))
        for number in 1...2 {
            var settings = QuorumSettings(members: both, eligible: both, holdsByHalf: false)
            settings.actsAlone = true
            bench.give(number, .settings(settings))
        }
        return (bench, leader)
    }

    private func beginsAnew(_ bench: Bench, _ number: Int) -> Bool {
        bench.events[Self.node(number)]?.contains(.beginsAnew) == true
    }

    /// Two nodes that nobody can power off: each goes on once no lease of the other can be left.
    @Test
    func `One of two nodes without fencing goes on alone when the other's lease is over`() throws {
        var (bench, leader) = try pair()
        let other = 3 - leader
        bench.run(.seconds(5), among: [1, 2])
        bench.run(.milliseconds(1200), among: [other])
        #expect(!beginsAnew(bench, other))
        bench.run(.milliseconds(300), among: [other])
        #expect(beginsAnew(bench, other))
        #expect(bench.durable[Self.node(other)]?.branch?.mark.founderLed == false)
        // The leader, cut off, does the same, and says that it led.
        bench.run(.milliseconds(1500), among: [leader])
        #expect(beginsAnew(bench, leader))
        #expect(bench.durable[Self.node(leader)]?.branch?.mark.founderLed == true)
    }

    @Test
    func `One of two that has just started, or has just met the other, does not go on alone`() throws {
        var (bench, leader) = try pair()
        let other = 3 - leader
        bench.run(.seconds(1), among: [other])
        bench.run(.seconds(1), among: [1, 2])
        bench.run(.milliseconds(1500), among: [other])
        #expect(!beginsAnew(bench, other))
        bench.run(.seconds(5), among: [1, 2])
        bench.restart(other, incarnation: 2)
        bench.run(.seconds(9), among: [other])
        #expect(!beginsAnew(bench, other))
    }
}

extension ConsensusCore {
    /// Whom it follows, as a list.
    fileprivate var leaders: [NodeID] { leader.map { [$0] } ?? [] }
}
