public import ClusterModel

/// What a shell has to do after one input, in this order: hand `persist` to the disk, send `sendNow`, act on `events`,
/// apply `committed`.
///
/// It waits for the disk in none of these steps; see ``PersistBatch`` for what does.
///
/// Which message waits for the disk, and why:
/// - at once: heartbeats and their acknowledgements (what they promise is bound to this process's life: a restarted
///   voter says its uptime with its vote); pre-votes (bind nobody); append and snapshot messages of a leader (its own
///   term and vote were durable before it was elected, and its own log counts towards commitment only once written);
///   the order to stand.
/// - after the disk: requests for votes (they rest on the candidate's own vote), votes (a forgotten one could be given
///   twice, Raft §5.2), answers to append and snapshot messages (they say that entries are durable, §5.3).
public struct Ready: Sendable {
    /// Writes for the disk; nil when nothing durable changed.
    public let persist: PersistBatch?
    /// Messages to send at once.
    public let sendNow: [Outgoing]
    /// News, in the order in which it happened.
    ///
    /// An installed snapshot precedes the entries of `committed`.
    public let events: [Event]
    /// Entries that are committed now, each index once and in order.
    ///
    /// Not yet counted on own disk, but on a quorum's.
    public let committed: [LogEntry]
}

/// A message and its receiver.
public struct Outgoing: Hashable, Sendable {
    /// The receiver.
    public let to: NodeID
    /// The message.
    public let message: Message

    /// Addresses a message.
    public init(to: NodeID, message: Message) {
        self.to = to
        self.message = message
    }
}

/// News for the shell.
public enum Event: Hashable, Sendable {
    /// This node leads. Nothing may be recovered by lease before the instant on its own clock.
    case becameLeader(Term, recoverByLeaseAt: Instant)
    /// This node does not lead any more; the term is the one in which it did.
    case deposed(Term)
    /// Whom this node follows now, itself included.
    case leaderChanged(NodeID?, Term)
    /// Until when this node may run resources; nil: not any more. The agent must stop by itself at that instant.
    case leaseChanged(Instant?)
    /// A peer's state changed.
    case peer(NodeID, PeerState)
    /// A peer runs as a new incarnation.
    case peerRestarted(NodeID, Incarnation)
    /// A command is in the leader's log. It is decided when `committed` holds that index: with this term, as proposed;
    /// with another, something else took its place.
    case proposalAccepted(token: UInt64, index: LogIndex, term: Term)
    /// A command was not taken.
    case proposalRefused(token: UInt64, leader: NodeID?, reason: RefusalReason)
    /// The state is to be replaced by a snapshot of the leader's.
    indirect case snapshotInstalled(Snapshot)
    /// The log is long: hand in `Input.snapshot`.
    case wantSnapshot
    /// A hand-over did not happen in time; this node leads on.
    case transferFailed(to: NodeID?)
    /// A rule that holds in every sound cluster was broken: a store was rolled back, or two machines run under one
    /// identity. The node takes no part any more; the agent stops everything and ends.
    case mustStop(String)
    /// Leader: whether a quorum answers. Without one it renews leases, if half of the voters answers, and must order
    /// nothing. When one answers again, ask `leaseOver(of:)` anew before anything is recovered by lease.
    case quorum(Bool)
    /// This node leads or holds half of the voters, and proof that these are dead would let that half decide: power them
    /// off, each or none, and tell by `Input.provenDead`. Empty: there is no need any more.
    case fenceForQuorum([Voter])
    /// It became known that a start of a node can never act again.
    case provenDead(DeathFact)
    /// Who votes by the newest entry of the log changed, or that entry became known committed.
    case votersChanged(ListedVoters, isCommitted: Bool)
    /// This node's branch is on the disk: the agent has to start anew.
    case beginsAnew
    /// This node met another branch and gives its own up: it stops everything, keeps its log for reading, and starts anew
    /// with an empty store in that branch.
    case branchLost(to: BranchMark)
    /// A node of another branch has left that one for this.
    case branchGaveWay(BranchMark)
    /// This node has left: it holds no lease, votes for nobody and says so.
    case left
}

/// Why a command was not taken.
public enum RefusalReason: Hashable, Sendable {
    /// Another node leads, or nobody.
    case notLeader
    /// Leadership is being handed over.
    case transferring
    /// Too much is not committed yet.
    case busy
    /// A node of another branch is heard, and it is not decided which of the two goes on.
    case meeting
    /// Longer than `ConsensusLimits.commandBytes`.
    case tooLong
}

/// How a peer is.
public enum PeerState: Hashable, Sendable {
    /// Heard lately. Without a lease it must run nothing: for recovery it counts as lost although it is heard.
    case alive(holdsLease: Bool)
    /// Silent for `suspectAfter`, or not heard since this node started.
    case suspect
    /// Silent for `lostAfter`. The instant is when this was noticed, never before this node's own election.
    case lost(since: Instant)
    /// It said that its incarnation has ended: it runs nothing.
    case left
}
