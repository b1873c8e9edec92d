import ClusterModel
import Consensus
import NodeCore

/// What the simulation asks of a core after every event. Mutating although nothing is changed: so the core is looked at
/// where it stands, and not copied out of its object first, which would cost more than all that it does.
extension NodeCore {
    /// Whether this leader decides now, and one of these nodes whose lease it would take for ended then.
    mutating func observe(leasesOf nodes: NodeSet, at now: Instant) -> (decides: Bool, takesForEnded: NodeID?) {
        consensus.observe(leasesOf: nodes, at: now)
    }

    /// Whether a node may speak to this one.
    mutating func isPeer(_ node: NodeID) -> Bool { consensus.knows(node) }

    /// An entry in the log; nil when it is compacted away or not there.
    mutating func entryInLog(at index: LogIndex) -> LogEntry? { consensus.entryInLog(at: index) }

    /// The cluster's level of the protocol, as far as it is applied.
    mutating func observedLevel() -> UInt8 { state.protocolLevel }

    /// Whether the state is this one.
    mutating func agrees(with other: ClusterState) -> Bool { state == other }
}

extension ConsensusCore {
    fileprivate mutating func knows(_ node: NodeID) -> Bool { isPeer(node) }
}
