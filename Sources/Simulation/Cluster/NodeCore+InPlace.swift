import ClusterModel
import Consensus
import NodeCore

/// What the simulation asks of a core after every event. Mutating although nothing is changed: so the core is looked at
/// where it stands, and not copied out of its object first, which would cost more than all that it does.
extension NodeCore {
    /// One of these nodes whose lease this leader would take for ended now, and be right to act on it.
    mutating func leaseTakenForEnded(of nodes: NodeSet, at now: Instant) -> NodeID? {
        consensus.leaseTakenForEnded(of: nodes, at: now)
    }

    /// Notes what state the node is in.
    mutating func show(_ coverage: inout Coverage, holdsLease: Bool) { coverage.see(self, holdsLease: holdsLease) }

    /// Whether this node leads and a quorum answers.
    mutating func decides(at now: Instant) -> Bool { consensus.decides(at: now) }

    /// An entry in the log; nil when it is compacted away or not there.
    mutating func entryInLog(at index: LogIndex) -> LogEntry? { consensus.entryInLog(at: index) }

    /// Whether the state is this one.
    mutating func agrees(with other: ClusterState) -> Bool { state == other }
}
