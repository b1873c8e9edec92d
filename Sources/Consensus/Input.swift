public import ClusterModel

/// What can happen to a core.
public enum Input: Sendable {
    /// `nextDeadline` may have come. A shell hands in the messages that it has before the tick of the same loop pass:
    /// a heartbeat that waited in a socket must not count as missing.
    case tick
    /// An authenticated message of a voter's present session.
    case message(from: NodeID, Message)
    /// A new authenticated session of a peer began.
    case peerSession(NodeID, Incarnation)
    /// A command for the log; the answer carries the token.
    case propose([UInt8], token: UInt64)
    /// A batch and all before it are on the disk.
    case persisted(PersistReceipt)
    /// This process itself did not run for so long. Comes before whatever waited meanwhile. Peers get the time back;
    /// leases never do.
    case stalled(Duration)
    /// Leader: hand over, to the best follower when none is named.
    case transferLeadership(to: NodeID?)
    /// The shell's state after applying everything up to an index; the log before it may go.
    case snapshot(upTo: LogIndex, data: [UInt8])
    /// Whether this node may hold a lease at all: not before it has reported what already runs on it. Revokes at once.
    case leaseEligible(Bool)
    /// Nodes with a fence under way, by the applied log; they get no lease from this node while it leads. To be kept
    /// current on every node, so that it is right at the moment of an election.
    case denyLease(NodeSet)
    /// The profile changed: these times hold from now on. See ``ConsensusCore/isTimingSettled``.
    /// `former` is what held before the last change that the shell has applied.
    indirect case timing(ConsensusTiming, former: ConsensusTiming? = nil)
    /// What heartbeats say of this node's applied configuration, of how many changes operators made to it, and of the
    /// branches that gave way to this one; of those the newest ``ConsensusLimits/branchesGone`` are kept.
    case ownStatus(configurationDigest: UInt64, changes: UInt64 = 0, gaveWay: [UInt64] = [])
    /// An operator says that these starts of voters are dead and that this node shall go on without them, in a branch with
    /// this random number; nothing happens where `objectionToActingAlone` is not nil. `Event.beginsAnew` follows.
    case actAlone([Voter], branchID: UInt64)
    /// Whether the disk takes writes. While it does not, the node neither votes nor acknowledges nor leads.
    case storage(working: Bool)
    /// This node has stopped everything and is about to end. A leader hands over first; `Event.left` follows, after
    /// which the process must end: this incarnation never acts again (RULE 4.2-c).
    case leaving
    /// What the applied configuration and the fence devices say about who may vote. To be kept current on every node.
    indirect case settings(QuorumSettings)
    /// An address that may veto answered what this node had sent to it at that moment; one that is not among
    /// `QuorumSettings.arbiters` now changes nothing.
    case arbiterAnswered(IPAddress, sent: Instant)
    /// A node was verified off when it ran as this incarnation or a later one.
    case provenDead(NodeID, Incarnation)
}

/// What bears on who votes and lies outside of the log of consensus.
public struct QuorumSettings: Hashable, Sendable {
    /// All nodes of the cluster: they get the log, whether they vote or not.
    public var members: NodeSet
    /// Those of them that shall vote.
    public var eligible: NodeSet
    /// Those that a fence device can power off, as far as its last real check says (RULE 4.2-d).
    public var fenceable: NodeSet
    /// Nobody's vote is taken away or listed anew for now, since all nodes are being stopped.
    public var keepsVoters = false
    /// Whether one of two voters goes on alone when the other is silent (RULE 4.2-e).
    public var actsAlone = false
    /// Addresses of which one has to answer this node before it does so; empty: nobody may veto.
    ///
    /// An answer permits nothing by itself: all that is waited for otherwise is waited for as well.
    public var arbiters: [IPAddress] = []
    /// Whether half of the voters renews leases (RULE 4.3-a).
    public var holdsByHalf: Bool

    /// States everything.
    public init(
        members: NodeSet,
        eligible: NodeSet,
        fenceable: NodeSet = NodeSet(),
        holdsByHalf: Bool = true
    ) {
        self.members = members
        self.eligible = eligible
        self.fenceable = fenceable
        self.holdsByHalf = holdsByHalf
    }
}
