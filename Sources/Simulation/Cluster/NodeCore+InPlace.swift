import ClusterModel
import Consensus
import NodeCore

/// What the simulation asks of a core after every event. Mutating although nothing is changed: so the core is looked at
/// where it stands, and not copied out of its object first, which would cost more than all that it does.
extension NodeCore {
    /// When the next tick is due.
    mutating func upcoming() -> Instant? { nextDeadline }

    /// Whether this leader would take a node's lease for ended now, and be right to act on it.
    mutating func takesLeaseForEnded(of node: NodeID, at now: Instant) -> Bool {
        consensus.isOver(leaseOf: node, at: now)
    }

    /// Whether a node may speak to this one.
    mutating func isPeer(_ node: NodeID) -> Bool { consensus.knows(node) }

    /// The version of the configuration that is applied.
    mutating func version() -> ConfigurationVersion { state.version }

    /// Notes what state the node is in.
    mutating func show(_ coverage: inout Coverage, holdsLease: Bool) { coverage.see(self, holdsLease: holdsLease) }

    /// Whether this node leads and a quorum answers.
    mutating func decides(at now: Instant) -> Bool { consensus.decidesInPlace(at: now) }
}

extension ConsensusCore {
    fileprivate mutating func isOver(leaseOf node: NodeID, at now: Instant) -> Bool {
        now >= leaseOver(of: node) && decides(at: now)
    }

    fileprivate mutating func knows(_ node: NodeID) -> Bool { isPeer(node) }

    fileprivate mutating func decidesInPlace(at now: Instant) -> Bool { decides(at: now) }
}
