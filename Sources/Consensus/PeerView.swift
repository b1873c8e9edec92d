public import ClusterModel

/// What a node knows of another node, for status and for decisions.
public struct PeerView: Hashable, Sendable {
    /// The peer.
    public let id: NodeID
    /// The newest incarnation seen; 0 before the first.
    public let incarnation: Incarnation
    /// How it is.
    public let state: PeerState
    /// When it was last heard; nil before the first time.
    public let lastHeard: Instant?
    /// The last measured time of a heartbeat and its answer; only between leader and follower.
    public let roundTrip: Duration?
    /// Whom it hears, by its newest heartbeat.
    public let hears: NodeSet
    /// Whom it hears and is heard by, by its newest heartbeat.
    public let reaches: NodeSet
    /// Its term.
    public let term: Term
    /// Whom it follows.
    public let leader: NodeID?
    /// Where its log ends.
    public let lastIndex: LogIndex
    /// What it knows committed.
    public let commitIndex: LogIndex
    /// The digest of its applied configuration.
    public let configurationDigest: UInt64
    /// Silence after which it counts others as lost, by its newest heartbeat: its profile; zero before the first.
    public let lostAfter: Duration
    /// Whether its vote counts where it is listed; not while it has an empty store in place of the one that it had.
    public let counts: Bool
}

/// What a node is to the others.
public enum Role: Hashable, Sendable {
    /// Follows a leader, or waits for one.
    case follower
    /// Asks whether it would be elected, which disturbs nobody (Raft thesis §9.6).
    case preCandidate
    /// Stands for election.
    case candidate
    /// Leads.
    case leader
}
