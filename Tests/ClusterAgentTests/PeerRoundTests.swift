import AdminAPI
import ClusterModel
import Testing

@testable import ClusterAgent

@Suite
struct PeerRoundTests {
    private static let start = Instant(nanoseconds: 1_000_000_000)
    private static let patience = Duration.seconds(5)
    private static let done = AdminResponse.done(version: 3, notes: [])

    private func round(_ nodes: [NodeID] = [NodeID(1), NodeID(2)]) -> PeerRound {
        let id = Random128(high: 1, low: 2)
        return PeerRound(id: id, .stop(everyNode: false), uid: 0, to: nodes, now: Self.start, Self.patience)
    }

    @Test
    func `All are asked at once, and again only those that have not answered`() {
        var round = round()
        #expect(round.due(now: Self.start) == [NodeID(1), NodeID(2)])
        #expect(round.due(now: Self.start) == [], "an answer needs time")
        round.take(Self.done, from: NodeID(2))
        #expect(round.nextDeadline == Self.start + PeerRound.retryInterval)
        #expect(round.due(now: round.nextDeadline) == [NodeID(1)])
        #expect(!round.isOver(now: Self.start + .seconds(1)))
        round.take(Self.done, from: NodeID(1))
        #expect(round.isOver(now: Self.start + .seconds(1)))
        #expect(round.due(now: Self.start + .seconds(1)) == [])
        #expect(round.answers.count == 2 && round.silent.isEmpty)
    }

    @Test
    func `A lost datagram is sent again until the time is over, and then the silent are known`() {
        var round = round()
        var tries = 0
        var now = Self.start
        while !round.isOver(now: now) {
            if round.due(now: now).contains(NodeID(1)) { tries += 1 }
            // Every try to reach node 2 succeeds, and every one to reach node 1 is lost.
            round.take(Self.done, from: NodeID(2))
            now = round.nextDeadline
        }
        #expect(now == Self.start + Self.patience)
        #expect(tries == 25)
        #expect(round.silent == [NodeID(1)])
        #expect(round.due(now: now) == [], "what is over asks nobody")
    }

    @Test
    func `The first answer counts, strangers' do not, and an agent that ended is not waited for`() {
        var round = round()
        round.take(Self.done, from: NodeID(1))
        round.take(.done(version: 9, notes: []), from: NodeID(1))
        round.take(Self.done, from: NodeID(7))
        #expect(round.answers == [NodeID(1): Self.done])
        round.takeEnd(of: NodeID(2))
        #expect(round.isOver(now: Self.start))
        #expect(round.answers[NodeID(2)] == nil && round.silent.isEmpty)
    }

    @Test
    func `Nobody to ask is over at once`() {
        #expect(round([]).isOver(now: Self.start))
    }
}
