public import ClusterModel
import Consensus

/// The smallest application: its state is a digest of everything applied, so that two logs that differ anywhere show.
public struct LogRecorder: SimulatedApplication {
    /// Says nothing.
    public typealias Payload = Never
    /// Runs nothing.
    public typealias Machine = Void

    private(set) var applied: LogIndex
    private(set) var digest: UInt64

    /// Nothing to switch on.
    public static func powerOn(_ node: NodeID) {}

    /// Takes the state from the snapshot.
    public init(_ start: ApplicationStart) {
        applied = 0
        digest = 0
        if let snapshot = start.snapshot { restore(snapshot) }
    }

    /// Applies, and asks for a lease at once because nothing runs here.
    public mutating func handle(
        _ input: ApplicationInput<Never>,
        context: ApplicationContext,
        machine: inout Void,
        effects: inout ApplicationEffects<Never>
    ) {
        switch input {
        case .started: effects.consensus.append(.leaseEligible(true))
        case .consensus(.snapshotInstalled(let snapshot)): restore(snapshot)
        case .consensus(.wantSnapshot): effects.consensus.append(.snapshot(upTo: applied, data: self.snapshot()))
        case .committed(let entry):
            applied = entry.index
            digest = Self.digest(digest, entry)
        case .consensus, .deadline, .powerOffEnded: break
        }
    }

    /// Never.
    public func nextDeadline(_ machine: Void) -> Instant? { nil }

    /// Applied index and digest, repeated so that it travels in several parts.
    public func snapshot() -> [UInt8] {
        let words = [applied, digest]
        let once = words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
        return once + once + once
    }

    /// Nothing runs, so nothing can be wrong.
    public static func violation(in cluster: ClusterInspection<LogRecorder>) -> String? { nil }

    private mutating func restore(_ snapshot: Snapshot) {
        applied = snapshot.lastIndex
        digest = Self.digest(in: snapshot, of: Self.self) ?? 0
    }

    /// The digest that a snapshot of this application holds; nil for another application's.
    static func digest(in snapshot: Snapshot, of application: Any.Type) -> UInt64? {
        guard application == LogRecorder.self else { return nil }
        return snapshot.data.dropFirst(8).prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    static func digest(_ before: UInt64, _ entry: LogEntry) -> UInt64 {
        var digest = before ^ entry.index &* 0x9E37_79B9_7F4A_7C15
        digest = (digest ^ entry.term) &* 0x100_0000_01B3
        if case .voters(let set) = entry.payload {
            for voter in set.voters {
                digest = (digest ^ UInt64(voter.node.rawValue) << 56 ^ voter.incarnation) &* 0x100_0000_01B3
            }
        }
        guard case .command(let bytes) = entry.payload else { return digest &+ 1 }
        for byte in bytes { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return digest
    }
}
