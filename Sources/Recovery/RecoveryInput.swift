public import ClusterModel

/// What the leader's core is told.
public enum RecoveryInput: Sendable {
    /// The whole replicated state after newly applied entries. The first one must include the entry with which this
    /// leader's term began, so that everything its predecessors committed is known.
    case applied(ClusterState)
    /// A node is heard or not, changed or not. At the start every configured node is told once.
    case node(NodeID, NodeLiveness)
    /// Which of the nodes that this leader does not hear a voter with a lease does: leadership may be about to move there.
    case heardElsewhere(Set<NodeID>)
    /// A node's report, the leader's own node included.
    case report(NodeReport)
    /// An attempt to power a node off ended; nil means verified off.
    case fenceResult(node: NodeID, incarnation: Incarnation, failure: String?)
    /// Whether a quorum answers the leader: without one it decides nothing. Before `true` every node is told anew.
    case quorate(Bool)
    /// A node was verified off when it ran as this incarnation or a later one, whoever did it.
    case provenOff(NodeID, Incarnation)
    /// The wall clock, in milliseconds since 1970: at the start, then every few seconds and after jumps.
    case wallClock(Int64)
    /// The deadline asked for has come.
    case tick
}

/// How the leader hears a node.
public enum NodeLiveness: Hashable, Sendable {
    /// Its heartbeats arrive.
    ///
    /// - Parameters:
    ///   - incarnation: The incarnation that sends them.
    ///   - session: The session that sends them.
    ///   - holdsLease: Whether it says that it holds a lease now.
    case alive(incarnation: Incarnation, session: SessionID, holdsLease: Bool)
    /// They do not, for longer than a node may be silent.
    ///
    /// - Parameter leaseOverAt: When the last lease that it can hold is over on every clock, rate errors included and
    ///   without grace.
    case lost(leaseOverAt: Instant)
}
