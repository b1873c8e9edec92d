public import ClusterModel
import Consensus

/// A ``LogRecorder`` that powers machines off: for quorum when its core asks, and, while it leads, whoever is lost.
public struct QuorumRecorder: SimulatedApplication {
    /// Says nothing.
    public typealias Payload = Never
    /// Runs nothing.
    public typealias Machine = Void

    private var log: LogRecorder
    private let isSharer: Bool
    /// Who was to be powered off, and in which start at the latest.
    private var asked: [NodeID: Incarnation] = [:]

    /// Nothing to switch on.
    public static func powerOn(_ node: NodeID) {}

    /// Begins with nobody asked.
    public init(_ start: ApplicationStart) {
        log = LogRecorder(start)
        isSharer = start.id.rawValue.isMultiple(of: 2)
    }

    /// Applies; turns wishes of the core into power-offs, and these into facts.
    public mutating func handle(
        _ input: ApplicationInput<Never>,
        context: ApplicationContext,
        machine: inout Void,
        effects: inout ApplicationEffects<Never>
    ) {
        log.handle(input, context: context, machine: &machine, effects: &effects)
        switch input {
        case .consensus(.fenceForQuorum(let voters)):
            for voter in voters { powerOff(voter.node, voter.incarnation, &effects) }
        case .consensus(.peer(let peer, .lost)) where context.core.decides(at: context.now) && isSharer:
            if let incarnation = context.core.peer(peer)?.incarnation, incarnation > 0 {
                powerOff(peer, incarnation, &effects)
            }
        case .powerOffEnded(let node, true):
            if let incarnation = asked.removeValue(forKey: node) {
                effects.consensus.append(.provenDead(node, incarnation))
            }
        default: break
        }
    }

    private mutating func powerOff(
        _ node: NodeID,
        _ incarnation: Incarnation,
        _ effects: inout ApplicationEffects<Never>
    ) {
        guard asked.updateValue(incarnation, forKey: node) == nil else { return }
        effects.powerOffs.append(node)
    }

    /// Never.
    public func nextDeadline(_ machine: Void) -> Instant? { nil }

    /// The log's.
    public func snapshot() -> [UInt8] { log.snapshot() }

    /// Nothing runs, so nothing can be wrong.
    public static func violation(in cluster: ClusterInspection<QuorumRecorder>) -> String? { nil }
}
