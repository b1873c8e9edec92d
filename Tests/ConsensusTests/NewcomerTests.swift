import ClusterModel
import Testing

@testable import Consensus

/// Nodes that join a running cluster with an empty store: new machines, and those that lost their disk.
@Suite
struct NewcomerTests {
    private static func node(_ number: Int) -> NodeID { NodeID(UInt8(number)) }

    /// The disk of a node was replaced by an empty one, and the machine joined again.
    private func loseDisk(_ number: Int, _ bench: inout Bench, faults: PlantedFaults = PlantedFaults()) {
        bench.durable[Self.node(number)] = DurableState(isNewcomer: true)
        bench.restart(number, incarnation: 2, faults: faults)
    }

    private func incarnations(_ bench: Bench, _ number: Int) -> [Incarnation] {
        bench[number].listedVoters.set.voters.map(\.incarnation)
    }

    @Test
    func `A node that lost its disk is taken out and listed anew by the others`() throws {
        var (bench, leader) = try Bench.led(3)
        let lost = leader % 3 + 1
        loseDisk(lost, &bench)
        #expect(bench[lost].isNewcomer)
        bench.run(.seconds(2), among: [1, 2, 3])
        #expect(!bench[lost].isNewcomer)
        #expect(bench.durable[Self.node(lost)]?.isNewcomer == false)
        #expect(incarnations(bench, leader) == (1...3).map { $0 == lost ? 2 : 1 })
        // It counts now: with one of the others gone the rest decides.
        let gone = [1, 2, 3].filter { $0 != leader && $0 != lost }
        let before = bench[leader].commitIndex
        bench.run(.seconds(1), among: [leader, lost])
        bench.give(leader, .propose([1], token: 1))
        bench.run(.milliseconds(100), among: [leader, lost])
        #expect(bench[leader].commitIndex > before, "without \(gone)")
    }

    /// A committed entry stands on the leader and on the node that then loses its disk; the third node lacks it.
    ///
    /// Were the forgetful node's vote worth anything, the third one would lead without the entry.
    @Test(arguments: [false, true])
    func `A node that lost its disk elects nobody`(isPlanted: Bool) throws {
        var faults = PlantedFaults()
        faults.countNewcomers = isPlanted
        var (bench, leader) = try Bench.led(3, faults: faults)
        let (lost, behind) = (leader % 3 + 1, (leader + 1) % 3 + 1)
        bench.give(leader, .propose([7], token: 1))
        bench.run(.milliseconds(100), among: [leader, lost])
        let index = bench[leader].commitIndex
        #expect(bench[behind].lastIndex < index)
        loseDisk(lost, &bench, faults: faults)
        bench.wire = []
        bench.run(.seconds(5), among: [lost, behind])
        #expect((bench[behind].role == .leader) == isPlanted)
    }

    /// The leader has lost the node that holds everything beside it; what it proposes then is on no majority.
    @Test(arguments: [false, true])
    func `What only a node without memory acknowledges is not committed`(isPlanted: Bool) throws {
        var faults = PlantedFaults()
        faults.countNewcomers = isPlanted
        var (bench, leader) = try Bench.led(3, faults: faults)
        let lost = leader % 3 + 1
        loseDisk(lost, &bench, faults: faults)
        bench.give(leader, .propose([7], token: 1))
        let index = bench[leader].lastIndex
        bench.run(.milliseconds(400), among: [leader, lost])
        #expect((bench[leader].commitIndex >= index) == isPlanted)
    }

    /// Half of two renews no leases here, so a leader that has no quorum for a moment loses everything.
    @Test
    func `A leader of one that lists a newcomer keeps its quorum`() throws {
        var (bench, leader) = try Bench.led(2)
        let both = NodeSet([1, 2].map(Self.node))
        for number in 1...2 {
            bench.give(number, .settings(QuorumSettings(members: both, eligible: both, holdsByHalf: false)))
        }
        let lost = 3 - leader
        loseDisk(lost, &bench)
        bench.give(leader, .provenDead(Self.node(lost), 1))
        bench.events[Self.node(leader)] = []
        bench.run(.seconds(3), among: [1, 2])
        #expect(incarnations(bench, leader) == (1...2).map { $0 == lost ? 2 : 1 })
        #expect(bench[leader].role == .leader)
        #expect(bench.events[Self.node(leader)]?.contains(.quorum(false)) == false)
    }

    @Test
    func `Of two nodes, the former start of the one that lost its disk has to be proven dead`() throws {
        var (bench, leader) = try Bench.led(2)
        let lost = 3 - leader
        loseDisk(lost, &bench)
        bench.run(.seconds(4), among: [1, 2])
        #expect(!bench[leader].isQuorate && bench[leader].role == .leader)
        #expect(bench[leader].leaseEnd != nil)
        let asked = (bench.events[Self.node(leader)] ?? []).compactMap { event in
            if case .fenceForQuorum(let voters) = event { voters } else { nil }
        }
        #expect(asked.last == [Voter(node: Self.node(lost), incarnation: 1)])
        bench.give(leader, .provenDead(Self.node(lost), 1))
        bench.run(.seconds(2), among: [1, 2])
        #expect(bench[leader].isQuorate)
        #expect(incarnations(bench, leader)[lost - 1] == 2)
    }

    @Test
    func `A new machine gets the log, then a vote`() throws {
        var (bench, leader) = try Bench.led(2)
        bench.give(leader, .propose([1], token: 1))
        bench.run(.milliseconds(200), among: [1, 2])
        bench.cores.append(
            ConsensusCore(
                id: Self.node(3),
                voters: [Self.node(1), Self.node(2)],
                incarnation: 1,
                timing: .lan,
                durable: DurableState(isNewcomer: true),
                seed: 3,
                now: bench.now
            )
        )
        bench.durable[Self.node(3)] = DurableState(isNewcomer: true)
        bench.give(3, .leaseEligible(true))
        // Alone it asks for nothing, and nobody follows it.
        bench.run(.seconds(3), among: [3])
        #expect(bench[3].role == .follower && bench[3].term == 0)
        let all = NodeSet([1, 2, 3].map(Self.node))
        for number in 1...3 { bench.give(number, .settings(QuorumSettings(members: all, eligible: all))) }
        for number in 1...2 { bench.give(number, .peerSession(Self.node(3), 1)) }
        bench.run(.seconds(4), among: [1, 2, 3])
        leader = try #require(bench.leaders().first)
        #expect(bench[leader].voters == [1, 2, 3].map(Self.node))
        #expect(!bench[3].isNewcomer && bench[3].commitIndex == bench[leader].commitIndex)
    }

    @Test
    func `A satellite gets the log and a lease and never a vote`() throws {
        var (bench, leader) = try Bench.led(3)
        let all = NodeSet([1, 2, 3].map(Self.node))
        let satellite = leader % 3 + 1
        var voters = all
        voters.remove(Self.node(satellite))
        for number in 1...3 { bench.give(number, .settings(QuorumSettings(members: all, eligible: voters))) }
        bench.run(.seconds(2), among: [1, 2, 3])
        #expect(bench[leader].voters == voters.nodes)
        #expect(bench[satellite].leaseEnd != nil && bench[satellite].commitIndex == bench[leader].commitIndex)
        let other = [1, 2, 3].filter { $0 != leader && $0 != satellite }[0]
        // Without the other voter its acknowledgements are worth nothing.
        bench.give(leader, .propose([1], token: 1))
        let index = bench[leader].lastIndex
        bench.run(.milliseconds(400), among: [leader, satellite])
        #expect(bench[leader].commitIndex < index)
        bench.run(.seconds(1), among: [leader, satellite, other])
        #expect(bench[leader].commitIndex >= index)
    }

    @Test
    func `While all nodes stop nobody loses a vote`() throws {
        var (bench, leader) = try Bench.led(4)
        let all = NodeSet([1, 2, 3, 4].map(Self.node))
        for number in 1...4 {
            var settings = QuorumSettings(members: all, eligible: all, fenceable: all)
            settings.keepsVoters = true
            bench.give(number, .settings(settings))
        }
        let gone = leader % 4 + 1
        bench.give(leader, .provenDead(Self.node(gone), 1))
        bench.run(.seconds(2), among: Set(1...4).subtracting([gone]))
        #expect(bench[leader].voters.count == 4)
        for number in 1...4 { bench.give(number, .settings(QuorumSettings(members: all, eligible: all))) }
        bench.run(.seconds(2), among: Set(1...4).subtracting([gone]))
        #expect(bench[leader].voters.count == 3)
    }
}
