import ClusterModel
import Consensus
import Testing

/// A disk that takes no writes, and takes them again.
@Suite
struct StorageTests {
    /// The shell tells when a write fails, tries it again, and tells when it has succeeded; nobody tells more.
    @Test
    func `A node whose disk was full takes part again when what waited is written`() throws {
        var core = ConsensusCore(
            id: NodeID(1),
            voters: [NodeID(1)],
            incarnation: 1,
            timing: .lan,
            durable: DurableState(),
            seed: 1,
            now: .zero
        )
        var now = Instant.zero
        var waiting: [PersistBatch] = []
        func take(_ ready: Ready) { if let batch = ready.persist { waiting.append(batch) } }
        take(core.receive(.tick, now: now))
        take(core.receive(.storage(working: false), now: now))
        // For longer than any election takes it leads nobody, for its own vote is not on the disk.
        for _ in 0..<20 {
            now = now + .milliseconds(100)
            take(core.receive(.tick, now: now))
        }
        #expect(core.role == .follower)
        #expect(!waiting.isEmpty)
        for _ in 0..<20 {
            let batches = waiting
            waiting = []
            for batch in batches { take(core.receive(.persisted(batch.write { _ in }), now: now)) }
            now = now + .milliseconds(100)
            take(core.receive(.tick, now: now))
        }
        #expect(core.role == .leader)
    }
}
