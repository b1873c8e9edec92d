import ClusterModel
import Testing

@testable import Consensus

/// The arithmetic of quorums, apart from any node.
@Suite
struct QuorumTests {
    private func voter(_ node: Int, _ incarnation: Incarnation = 1) -> Voter {
        Voter(node: NodeID(UInt8(node)), incarnation: incarnation)
    }

    private func nodes(_ numbers: [Int]) -> NodeSet { NodeSet(numbers.map { NodeID(UInt8($0)) }) }

    private func quorum(_ own: Voter, _ sets: [[Voter]], dead: [Voter] = []) -> Quorum {
        var deaths = DeathFacts()
        for voter in dead {
            _ = deaths.learn(DeathFact(node: voter.node, incarnation: voter.incarnation, proof: .poweredOff))
        }
        return Quorum(own: own, sets: sets.map(VoterSet.init), deaths: deaths, faults: PlantedFaults())
    }

    @Test
    func `4.2-b: Half of a set decides when the other half is proven dead, and not before`() {
        let set = [voter(1), voter(2), voter(3), voter(4)]
        #expect(!quorum(voter(1), [set]).isReached(by: nodes([1, 2])))
        #expect(!quorum(voter(1), [set], dead: [voter(3)]).isReached(by: nodes([1, 2])))
        #expect(quorum(voter(1), [set], dead: [voter(3), voter(4, 5)]).isReached(by: nodes([1, 2])))
        #expect(!quorum(voter(1), [set], dead: [voter(2), voter(3), voter(4)]).isReached(by: nodes([1])))
    }

    @Test
    func `4.2-b: An earlier start's death proves nothing about the listed one`() {
        let set = [voter(1), voter(2, 3)]
        #expect(!quorum(voter(1), [set], dead: [voter(2, 2)]).isReached(by: nodes([1])))
        #expect(quorum(voter(1), [set], dead: [voter(2, 3)]).isReached(by: nodes([1])))
    }

    @Test
    func `4.2-b: Whoever counts half runs the start that is listed, and is one of the half`() {
        let set = [voter(1), voter(2)]
        #expect(!quorum(voter(1, 2), [set], dead: [voter(2)]).isReached(by: nodes([1])))
        #expect(!quorum(voter(1, 2), [set], dead: [voter(2)]).isHeld(by: nodes([1])))
        #expect(!quorum(voter(3), [set], dead: [voter(2)]).isReached(by: nodes([1])))
        #expect(quorum(voter(1, 2), [set]).isReached(by: nodes([1, 2])))
    }

    @Test
    func `4.2-a: Two sets both have to decide`() {
        let before = [voter(1), voter(2), voter(3)]
        let after = [voter(1), voter(3)]
        #expect(!quorum(voter(1), [after, before]).isReached(by: nodes([1, 2])))
        #expect(quorum(voter(1), [after, before]).isReached(by: nodes([1, 3])))
        #expect(!quorum(voter(1), [after, before], dead: [voter(3)]).isReached(by: nodes([1])))
        #expect(quorum(voter(1), [after, before], dead: [voter(3)]).isReached(by: nodes([1, 2])))
    }

    @Test
    func `4.3-a: Half of a set, rounded up, renews leases`() {
        for (count, needed) in [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (6, 3)] {
            let rule = quorum(voter(1), [(1...count).map { voter($0) }])
            #expect(rule.isHeld(by: nodes(Array(1...needed))))
            #expect(!rule.isHeld(by: nodes(Array(1..<needed))))
        }
    }

    @Test
    func `Whom half of the voters has to see dead is named, unless no death would help`() {
        let set = (1...4).map { voter($0) }
        #expect(quorum(voter(1), [set]).unproven(besides: nodes([1, 2])) == [voter(3), voter(4)])
        #expect(quorum(voter(1), [set], dead: [voter(3)]).unproven(besides: nodes([1, 2])) == [voter(4)])
        #expect(quorum(voter(1), [set]).unproven(besides: nodes([1])) == nil)
        #expect(quorum(voter(1, 2), [set]).unproven(besides: nodes([1, 2])) == nil)
    }

    /// Every way in which starts of four nodes may have ended, every two groups without a common node, every counter that
    /// still runs at its time: facts are true at the later of the two times, and the first counted before it ended.
    @Test
    func `No two groups without a common node ever both decide of one set`() {
        for count in 1...4 {
            let set = (1...count).map { voter($0) }
            for firstDead in 0..<(1 << count) {
                for laterDead in 0..<(1 << count) where laterDead & firstDead == firstDead {
                    #expect(clashes(set, firstDead, laterDead) == 0)
                }
            }
        }
    }

    private func clashes(_ set: [Voter], _ firstDead: Int, _ laterDead: Int) -> Int {
        func members(_ mask: Int) -> [Voter] { set.enumerated().filter { mask >> $0.offset & 1 == 1 }.map(\.element) }
        func decides(_ group: Int, dead: Int) -> Bool {
            members(group & ~dead).contains { counter in
                quorum(counter, [set], dead: members(dead))
                    .isReached(by: NodeSet(members(group).map(\.node)))
            }
        }
        var count = 0
        for group in 0..<(1 << set.count) where decides(group, dead: firstDead) {
            for other in 0..<(1 << set.count) where other & group == 0 && decides(other, dead: laterDead) {
                // The first half's counter ran then; the second counts it as dead now, and it decided before.
                let isPowerOffBetween = members(group & ~firstDead).allSatisfy { members(laterDead).contains($0) }
                if !isPowerOffBetween { count += 1 }
            }
        }
        return count
    }

    @Test
    func `Facts of death keep the newest of each kind, and no more than their bound`() {
        var facts = DeathFacts()
        let news = [(3, ProofOfDeath.poweredOff), (2, .poweredOff), (5, .left)].map { incarnation, proof in
            facts.learn(DeathFact(node: NodeID(2), incarnation: Incarnation(incarnation), proof: proof))
        }
        #expect(news == [true, false, true])
        #expect(facts.newest(of: NodeID(2)) == 5)
        #expect(facts.cover(voter(2, 5)) && !facts.cover(voter(2, 6)) && !facts.cover(voter(1)))
        for node in 3...255 {
            _ = facts.learn(DeathFact(node: NodeID(UInt8(node)), incarnation: 1, proof: .left))
        }
        #expect(facts.list.count == ConsensusLimits.deathFacts)
    }

    @Test
    func `The sets of a log are those that its entries say, with what is known committed`() {
        let base = ListedVoters(index: 0, set: VoterSet([voter(1, 0), voter(2, 0)]))
        let first = VoterSet([voter(1), voter(2, 0)])
        let second = VoterSet([voter(1), voter(2)])
        let log = [
            LogEntry(index: 1, term: 1, payload: .noop), LogEntry(index: 2, term: 1, payload: .voters(first)),
            LogEntry(index: 3, term: 1, payload: .voters(second)),
        ]
        var history = VoterHistory(base: base, committed: 0, log: log, snapshot: 0)
        #expect(history.active == [second, first])
        #expect(history.committedIndex == 2)
        history.truncate(from: 3)
        #expect(history.active == [first])
        var known = VoterHistory(base: base, committed: 3, log: log, snapshot: 0)
        #expect(known.active == [second])
        known.compact(through: 2)
        #expect(known.set(asOf: 2).set == first && known.newest.set == second)
        known.reset(to: ListedVoters(index: 9, set: first))
        #expect(known.active == [first])
    }
}
