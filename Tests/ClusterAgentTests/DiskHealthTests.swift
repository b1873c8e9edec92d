import ClusterModel
import Consensus
import Testing

@testable import ClusterAgent

/// When a node steps aside for its disk, and when it takes part again.
@Suite
struct DiskHealthTests {
    private static func at(_ seconds: Double) -> Instant { .zero + .milliseconds(Int64(seconds * 1000)) }

    /// Receipts come only from batches; a core that starts has one to write.
    private static func receipts(_ count: Int) throws -> [PersistReceipt] {
        var core = ConsensusCore(
            id: NodeID(1),
            voters: [NodeID(1)],
            incarnation: 1,
            timing: ConsensusTiming(.lan),
            durable: DurableState(),
            seed: 1,
            now: .zero
        )
        var receipts: [PersistReceipt] = []
        var now = Instant.zero
        var input = Input.tick
        while receipts.count < count {
            let ready = core.receive(input, now: now)
            input = .tick
            if let batch = ready.persist {
                let receipt = batch.write { _ in }
                receipts.append(receipt)
                input = .persisted(receipt)
            } else if core.role == .leader {
                input = .propose([1], token: UInt64(receipts.count))
            }
            now = max(now, min(core.nextDeadline ?? now, now + .milliseconds(100)))
        }
        return receipts
    }

    @Test
    func `A full disk is left alone until it takes a write`() throws {
        let receipts = try Self.receipts(1)
        var health = DiskHealth()
        health.began(receipts[0].id, now: .zero)
        #expect(health.failed("no room") == .stepsAside)
        #expect(health.failed("no room") == nil && health.trouble == "no room")
        #expect(health.look(now: Self.at(100)) == nil)
        #expect(health.written(receipts[0], now: Self.at(101)) == .takesPart)
        #expect(health.trouble == nil && health.nextDeadline == nil)
    }

    @Test
    func `A write that takes seconds makes the node step aside, each time for longer`() throws {
        let receipts = try Self.receipts(3)
        var health = DiskHealth()
        health.began(receipts[0].id, now: .zero)
        #expect(health.nextDeadline == Self.at(3))
        #expect(health.look(now: Self.at(2.9)) == nil)
        #expect(health.look(now: Self.at(3)) == .stepsAside)
        #expect(health.written(receipts[0], now: Self.at(4)) == nil)
        #expect(health.nextDeadline == Self.at(9))
        #expect(health.look(now: Self.at(9)) == .takesPart)
        health.began(receipts[1].id, now: Self.at(10))
        #expect(health.written(receipts[1], now: Self.at(12.9)) == nil && health.trouble == nil)
        health.began(receipts[2].id, now: Self.at(20))
        #expect(health.look(now: Self.at(23)) == .stepsAside)
        #expect(health.written(receipts[2], now: Self.at(24)) == nil)
        #expect(health.look(now: Self.at(33.9)) == nil)
        #expect(health.look(now: Self.at(34)) == .takesPart)
    }

    @Test
    func `A disk that is slow again while the node is aside keeps it there`() throws {
        let receipts = try Self.receipts(2)
        var health = DiskHealth()
        health.began(receipts[0].id, now: .zero)
        #expect(health.look(now: Self.at(3)) == .stepsAside)
        #expect(health.written(receipts[0], now: Self.at(4)) == nil)
        health.began(receipts[1].id, now: Self.at(5))
        #expect(health.look(now: Self.at(9)) == nil && health.nextDeadline == nil)
        #expect(health.written(receipts[1], now: Self.at(20)) == nil)
        #expect(health.look(now: Self.at(25)) == .takesPart)
    }
}
