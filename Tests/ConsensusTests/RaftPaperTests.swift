import ClusterModel
import Testing

@testable import Consensus

/// One test per rule of the extended Raft paper, and of the thesis where it says more.
@Suite
struct RaftPaperTests {
    private func entries(_ terms: [Term]) -> [LogEntry] {
        terms.enumerated().map { LogEntry(index: LogIndex($0 + 1), term: $1, payload: .command([UInt8($0)])) }
    }

    private func state(term: Term, log terms: [Term], votedFor: NodeID? = nil) -> DurableState {
        DurableState(term: term, votedFor: votedFor, log: entries(terms))
    }

    private func vote(_ term: Term, index: LogIndex, term last: Term) -> Message {
        .vote(VoteRequest(term: term, last: LogPosition(index: index, term: last), isTransfer: false))
    }

    private func append(_ term: Term, behind: LogPosition, _ fresh: [LogEntry], commit: LogIndex = 0) -> Message {
        .append(Append(term: term, sentAt: 1, previous: behind, commitIndex: commit, entries: fresh))
    }

    /// Three nodes of which the first leads.
    private func led() -> Bench {
        var bench = Bench(3)
        bench.run(.seconds(1), among: [1, 2, 3])
        return bench
    }

    @Test
    func `5.1: A message of an older term is refused with the newer term`() throws {
        var bench = Bench(3, durable: [state(term: 5, log: [])])
        bench.give(1, .message(from: NodeID(2), append(4, behind: LogPosition(index: 0, term: 0), [])))
        guard case .appendAnswer(let answer) = try #require(bench.sent(by: 1, to: 2).last) else {
            Issue.record("no answer")
            return
        }
        #expect(!answer.agreed && answer.term == 5)
        #expect(bench[1].leader == nil)
    }

    @Test
    func `5.2: A voter votes once per term, and again only for the same candidate`() {
        var bench = Bench(3)
        bench.give(1, .message(from: NodeID(2), vote(1, index: 0, term: 0)))
        bench.give(1, .message(from: NodeID(3), vote(1, index: 0, term: 0)))
        bench.give(1, .message(from: NodeID(2), vote(1, index: 0, term: 0)))
        func granted(_ to: Int) -> [Bool] {
            bench.sent(by: 1, to: to).compactMap {
                if case .voteAnswer(let answer) = $0 { answer.granted } else { nil }
            }
        }
        #expect(granted(2) == [true, true])
        #expect(granted(3) == [false])
    }

    @Test
    func `5.2: A vote is remembered over a restart`() {
        var bench = Bench(3, durable: [state(term: 3, log: [], votedFor: NodeID(2))])
        bench.give(1, .message(from: NodeID(3), vote(3, index: 0, term: 0)))
        #expect(
            bench.sent(by: 1, to: 3).contains {
                if case .voteAnswer(let answer) = $0 { !answer.granted } else { false }
            }
        )
    }

    @Test
    func `5.2: Neither a vote nor a request for one leaves before the disk has it`() {
        var bench = Bench(3)
        bench.isDiskInstant = false
        bench.give(1, .message(from: NodeID(2), vote(1, index: 0, term: 0)))
        #expect(bench.sent(by: 1, to: 2).isEmpty)
        bench.finishWrites(1)
        #expect(bench.sent(by: 1, to: 2).count == 1)
    }

    @Test
    func `5.2: A single voter leads once its own vote is on the disk, not before`() {
        var bench = Bench(1)
        bench.isDiskInstant = false
        bench.give(1, .tick)
        #expect(bench[1].role == .candidate)
        bench.finishWrites(1)
        #expect(bench[1].role == .leader)
        #expect(bench[1].commitIndex == 0)
        bench.finishWrites(1)
        #expect(bench[1].commitIndex == 1)
    }

    /// Figure 7: the leader of term 8 brings followers to its own log whatever theirs hold.
    @Test(
        arguments: [
            [1, 1, 1, 4, 4, 5, 5, 6, 6],
            [1, 1, 1, 4],
            [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
            [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
            [1, 1, 1, 4, 4, 4, 4],
            [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
            [],
        ] as [[Term]]
    )
    func `5.3: Figure 7: a follower's log becomes the leader's`(follower: [Term]) {
        let leader: [Term] = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6]
        var bench = Bench(
            3,
            durable: [state(term: 7, log: leader), state(term: 7, log: follower), state(term: 7, log: leader)]
        )
        bench.now = bench.now + .milliseconds(650)
        bench.give(1, .tick)
        bench.deliver(among: [1, 2, 3])
        bench.run(.seconds(1), among: [1, 2, 3])
        #expect(bench.leaders() == [1])
        for index in 1...bench[1].lastIndex {
            #expect(bench[2].termInLog(at: index) == bench[1].termInLog(at: index))
        }
        #expect(bench[2].lastIndex == bench[1].lastIndex)
        #expect(bench.committed[NodeID(2)] == bench.committed[NodeID(1)])
    }

    @Test
    func `5.3: A late append that agrees removes nothing behind it`() {
        var bench = Bench(3)
        let start = LogPosition(index: 0, term: 0)
        bench.give(1, .message(from: NodeID(2), append(1, behind: start, entries([1, 1, 1]))))
        bench.give(1, .message(from: NodeID(2), append(1, behind: start, entries([1]))))
        #expect(bench[1].lastIndex == 3)
    }

    @Test
    func `5.3: An agreement leaves only when the entries are on the disk, a repeated one too`() {
        var bench = Bench(3)
        bench.isDiskInstant = false
        let message = append(1, behind: LogPosition(index: 0, term: 0), entries([1]))
        bench.give(1, .message(from: NodeID(2), message))
        bench.give(1, .message(from: NodeID(2), message))
        func answers() -> Int {
            bench.sent(by: 1, to: 2).filter { if case .appendAnswer = $0 { true } else { false } }.count
        }
        #expect(answers() == 0)
        bench.finishWrites(1)
        #expect(answers() == 2)
    }

    @Test
    func `5.4.1: A voter refuses a candidate whose log is older or shorter`() {
        for (index, term, granted) in [(3, 1, false), (1, 2, false), (2, 2, true), (1, 3, true)]
            as [(LogIndex, Term, Bool)]
        {
            var bench = Bench(3, durable: [state(term: 3, log: [1, 2])])
            bench.give(1, .message(from: NodeID(2), vote(4, index: index, term: term)))
            let answers = bench.sent(by: 1, to: 2).compactMap { message -> Bool? in
                if case .voteAnswer(let answer) = message { answer.granted } else { nil }
            }
            #expect(answers == [granted], "log \(index)/\(term)")
        }
    }

    /// Figure 8: an entry of an earlier term on a quorum may still be replaced, so counting must not commit it.
    @Test(arguments: [false, true])
    func `5.4.2: Figure 8: entries of earlier terms are not committed by counting`(isPlanted: Bool) {
        var fresh = Bench(3, durable: [state(term: 3, log: [1, 2]), state(term: 3, log: [1, 2])])
        fresh[1].faults.commitEarlierTerms = isPlanted
        fresh.now = fresh.now + .milliseconds(650)
        fresh.give(1, .tick)
        fresh.give(1, .message(from: NodeID(2), .preVoteAnswer(.init(term: 3, asked: 4, granted: true, retryAfter: 0))))
        fresh.give(1, .message(from: NodeID(2), .voteAnswer(.init(term: 4, granted: true, sinceAcknowledgement: 0))))
        #expect(fresh[1].role == .leader)
        let echo = UInt64(bitPattern: fresh.now.nanoseconds)
        fresh.give(1, .message(from: NodeID(2), .appendAnswer(.agreed(term: 4, echo: echo, through: 2))))
        #expect(fresh[1].commitIndex == (isPlanted ? 2 : 0))
        fresh.give(1, .message(from: NodeID(2), .appendAnswer(.agreed(term: 4, echo: echo, through: 3))))
        #expect(fresh[1].commitIndex == 3)
    }

    @Test
    func `6: A voter that hears its leader gives a candidate neither vote nor term`() throws {
        var bench = led()
        let leader = try #require(bench.leaders().first)
        let follower = leader == 1 ? 2 : 1
        let other = 6 - leader - follower
        let term = bench[follower].term
        bench.wire = []
        bench.give(follower, .message(from: NodeID(UInt8(other)), vote(term + 5, index: 9, term: term + 4)))
        #expect(bench[follower].term == term)
        #expect(bench.sent(by: follower, to: other).isEmpty)
    }

    @Test
    func `6: A leader that no quorum answers gives up within an election time-out`() throws {
        var bench = led()
        let leader = try #require(bench.leaders().first)
        let term = bench[leader].term
        bench.run(.milliseconds(620), among: [leader])
        #expect(bench[leader].role != .leader)
        #expect(bench.events[NodeID(UInt8(leader))]?.contains(.deposed(term)) == true)
    }

    @Test
    func `7: A follower behind the compacted log gets a snapshot in parts, then entries`() throws {
        var bench = led()
        let leader = try #require(bench.leaders().first)
        let slow = leader == 3 ? 2 : 3
        let pair = Set([1, 2, 3].filter { $0 != slow })
        bench[leader].bounds.retainedEntries = 2
        bench[leader].bounds.snapshotChunkBytes = 3
        for number in 0..<20 {
            bench.give(leader, .propose([UInt8(number)], token: UInt64(number)))
            bench.run(.milliseconds(20), among: pair)
        }
        let index = bench[leader].commitIndex
        bench.give(leader, .snapshot(upTo: index, data: [1, 2, 3, 4, 5, 6, 7]))
        bench.give(leader, .propose([99], token: 99))
        bench.run(.seconds(2), among: [1, 2, 3])
        let installed = bench.events[NodeID(UInt8(slow))]?.compactMap { event -> Snapshot? in
            if case .snapshotInstalled(let snapshot) = event { snapshot } else { nil }
        }
        #expect(installed?.map(\.data) == [[1, 2, 3, 4, 5, 6, 7]])
        #expect(installed?.first?.lastIndex == index)
        #expect(bench.committed[NodeID(UInt8(slow))]?.contains { $0.payload == .command([99]) } == true)
    }

    @Test
    func `Thesis 3.10: A hand-over elects the successor, which has the whole log`() throws {
        var bench = led()
        let leader = try #require(bench.leaders().first)
        let target = leader == 2 ? 3 : 2
        bench.give(leader, .propose([1], token: 1))
        bench.give(leader, .transferLeadership(to: NodeID(UInt8(target))))
        bench.give(leader, .propose([2], token: 2))
        bench.run(.milliseconds(100), among: [1, 2, 3])
        #expect(bench.leaders() == [target])
        #expect(
            bench.events[NodeID(UInt8(leader))]?.contains(
                .proposalRefused(token: 2, leader: NodeID(UInt8(leader)), reason: .transferring)
            ) == true
        )
        #expect(bench.committed[NodeID(UInt8(target))]?.contains { $0.payload == .command([1]) } == true)
    }

    @Test
    func `Thesis 9.6: A node that was cut off comes back without raising the term`() throws {
        var bench = led()
        let leader = try #require(bench.leaders().first)
        let alone = leader == 3 ? 2 : 3
        let term = bench[leader].term
        let pair = Set([1, 2, 3].filter { $0 != alone })
        for _ in 0..<40 {
            bench.run(.milliseconds(50), among: pair)
            bench.now = bench.now - .milliseconds(50)
            bench.run(.milliseconds(50), among: [alone])
        }
        #expect(bench[alone].role == .preCandidate)
        #expect(bench[alone].term == term)
        bench.run(.milliseconds(500), among: [1, 2, 3])
        #expect(bench.leaders() == [leader])
        #expect(bench[leader].term == term)
    }
}
