import ClusterModel
import Consensus
import NodeCore
import Simulation
import Testing

/// A node whose log has grown beyond the limit writes a snapshot, whenever that is.
@Suite
struct SnapshotTests {
    /// The wish for a snapshot came before the entries were applied, was met by one of nothing, and came again, for ever.
    @Test
    func `A node that starts with a log over the limit takes one snapshot, of all that is committed`() throws {
        let id = NodeID(1)
        let count = UInt64(ConsensusLimits.logEntries + 10)
        let configuration = ClusterOptions.example(nodes: 1)
        let log = (1...count).map { LogEntry(index: $0, term: 1, payload: .noop) }
        let codec = CommandCodec(
            encodeCommand: { _ in [] },
            decodeCommand: { _ in nil },
            encodeState: { _ in [1] },
            decodeState: { _ in ClusterState(configuration: configuration) },
            digest: { $0.version }
        )
        var durable = DurableState(term: 1, votedFor: id, snapshot: nil, log: log)
        var core = try #require(
            NodeCore(
                id: id,
                incarnation: 2,
                session: Random128(high: 1, low: 2),
                initial: configuration,
                durable: durable,
                codec: codec,
                seed: 1,
                now: .zero
            )
        )
        var effects: [NodeEffect] = []
        core.start(now: .zero, wallClock: 0, into: &effects)
        var now = Instant.zero
        var snapshots: [LogIndex] = []
        for _ in 0..<100 {
            let batches = effects.compactMap { effect -> PersistBatch? in
                if case .persist(let batch) = effect { batch } else { nil }
            }
            effects = []
            for batch in batches {
                let receipt = batch.write {
                    if let snapshot = $0.snapshot { snapshots.append(snapshot.lastIndex) }
                    durable.apply($0)
                }
                core.receive(.persisted(receipt), now: now, wallClock: 0, into: &effects)
            }
            now = now + .milliseconds(20)
            core.receive(.tick, now: now, wallClock: 0, into: &effects)
        }
        #expect(core.isLeading)
        #expect(snapshots.count == 1)
        #expect(try #require(snapshots.first) >= count)
        #expect(durable.log.count < Int(count))
    }
}
