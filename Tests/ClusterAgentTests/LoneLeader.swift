import ClusterModel
import Consensus
import NodeCore

@testable import ClusterAgent

/// A cluster of one node that leads, with a disk that writes at once.
struct LoneLeader {
    private(set) var core: NodeCore
    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    /// What became of changes, in order.
    private(set) var answers: [(request: Random128, outcome: ChangeOutcome)] = []

    /// Why it had to end, if it had to.
    private(set) var stops: [String] = []
    /// What it has written.
    private(set) var disk: DurableState

    static let configuration = ClusterConfiguration(
        name: "lone",
        nodes: [Node(id: NodeID(1), name: "ctl1", addresses: [])]
    )

    /// Nil only if a fresh node cannot start; without `elects` it has just started and leads nothing yet.
    init?(elects: Bool = true, level: UInt8 = ProtocolLevel.newest, disk: DurableState = DurableState()) {
        self.disk = disk
        guard
            let core = NodeCore(
                id: NodeID(1),
                incarnation: 1,
                session: Random128(high: 0, low: 1),
                initial: Self.configuration,
                durable: disk,
                codec: WireCodec.codec,
                level: level,
                seed: 1,
                now: now
            )
        else { return nil }
        self.core = core
        var effects: [NodeEffect] = []
        self.core.start(now: now, wallClock: 0, into: &effects)
        carryOut(effects)
        if elects { elect() }
    }

    /// Lets time pass until it leads.
    mutating func elect() {
        // An election takes a few deadlines; far more of them are a core that never leads.
        for _ in 0..<1000 where !core.isLeading && stops.isEmpty {
            now = max(now, core.nextDeadline ?? now)
            feed(.tick)
        }
    }

    mutating func feed(_ input: NodeInput) {
        var effects: [NodeEffect] = []
        core.receive(input, now: now, wallClock: 0, into: &effects)
        carryOut(effects)
    }

    private mutating func carryOut(_ effects: [NodeEffect]) {
        for effect in effects {
            switch effect {
            case .persist(let batch): feed(.persisted(batch.write { disk.apply($0) }))
            case .answer(let request, let outcome): answers.append((request, outcome))
            case .mustStop(let reason): stops.append(reason)
            default: break
            }
        }
    }
}
