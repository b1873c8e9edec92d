public import ClusterModel
public import Consensus
public import Recovery

/// What one node's core is told.
///
/// Here and below, what is large is held by reference: inputs, messages and effects change hands many times.
public enum NodeInput: Sendable {
    /// The deadline asked for has come.
    case tick
    /// A message of a peer's present session.
    case message(PeerMessage, from: NodeID)
    /// A peer's new session was established; both speak that level of the protocol in it.
    case peerSession(NodeID, Incarnation, SessionID, level: UInt8)
    /// A peer without a level in common with this node says what the level of its cluster is.
    case clusterLevel(UInt8)
    /// A batch of writes is on the disk.
    case persisted(PersistReceipt)
    /// Whether the disk takes writes.
    case storage(working: Bool)
    /// This process itself did not run for so long.
    case stalled(Duration)
    /// An operation of the runner ended.
    case operationEnded(ResourceName, operation: UInt64, OperationOutcome)
    /// A supervised process ended by itself.
    case processExited(ResourceName, startedBy: UInt64, reason: String)
    /// An attempt to power a node off ended; nil means verified off.
    case fenceEnded(node: NodeID, incarnation: Incarnation, failure: String?)
    /// The devices of a `checkFenceDevices` were all asked; nil: each answered.
    case fenceDevicesChecked(number: UInt64, failure: String?)
    /// The other nodes each of which some fence device could power off at its last real check from here, and the checks
    /// for the operator.
    case fenceable(Set<NodeID>, checks: [DeviceCheck] = [])
    /// An address that may veto going on alone answered what was sent to it at that moment.
    case arbiterAnswered(IPAddress, sent: Instant)
    /// An operator's change; answered by `NodeEffect.answer`. Only the leader takes it.
    indirect case change(Change, RequestOrigin)
    /// An operator says that these starts of voters are dead, and that this node shall go on alone.
    case actAlone([Voter], branchID: UInt64)
    /// The node shall leave: its resources go to others, then `NodeEffect.left` follows.
    case leave
}

/// What nodes say to each other besides the transport's own words.
public enum PeerMessage: Hashable, Sendable {
    /// Membership, elections and the log.
    case consensus(Message)
    /// A leader's orders.
    indirect case sheet(OrderSheet)
    /// A node's report to the leader.
    indirect case report(NodeReport)
    /// Who is part of the cluster, for a node that was away when that changed.
    indirect case contacts(ContactList)
}

extension PeerMessage {
    /// The lowest level of a session in which `contacts` can be sent.
    static let contactsLevel: UInt8 = 2

    /// The lowest level of a session in which it can be sent.
    public var level: UInt8 {
        switch self {
        case .contacts: Self.contactsLevel
        case .consensus, .sheet, .report: ProtocolLevel.first
        }
    }
}

/// Who is part of a cluster, as a node has applied it.
public struct ContactList: Hashable, Codable, Sendable {
    /// All nodes; a list of more than `ConfigurationLimits.nodes` is not taken.
    public var nodes: [Node]
    /// The last log entry that is applied in it.
    public var appliedIndex: LogIndex

    /// States both.
    public init(nodes: [Node], appliedIndex: LogIndex) {
        self.nodes = nodes
        self.appliedIndex = appliedIndex
    }
}

/// What a node's core wants done, in this order.
public enum NodeEffect: Sendable {
    /// Send a message; heartbeats must not queue behind others.
    case send(PeerMessage, to: NodeID)
    /// Write a batch to the disk, in order, and hand the receipt back.
    indirect case persist(PersistBatch)
    /// The lease now ends then; nil: there is none. Write it where the data plane reads it.
    case lease(until: Instant?)
    /// Talk to these nodes as well: they are said to be part of the cluster, and the log that says so has not come yet.
    indirect case contacts([Node])
    /// Take every virtual IP of the cluster from this node's interfaces now.
    case dropAllVirtualIPs
    /// Repeat the announcements of addresses that are here, or do not any more: a node that is being powered off may
    /// still answer for them.
    case keepAnnouncing(Bool)
    /// Run an operation.
    indirect case run(Operation)
    /// End an operation.
    case cancel(operation: UInt64)
    /// Power a node off and verify it.
    case fence(node: NodeID, incarnation: Incarnation, devices: [FenceDevice])
    /// Send no "off" any more to a node that this node was powering off: it does not lead any more, or the node runs anew.
    case withdrawFence(node: NodeID, incarnation: Incarnation)
    /// Log in to a device of each of these nodes, and answer by `fenceDevicesChecked`: none is powered off unless all
    /// can be.
    case checkFenceDevices(number: UInt64, [FenceCheck])
    /// As `fence`; half of the voters needs it to decide, so nothing can be committed before it.
    case fenceForQuorum(node: NodeID, incarnation: Incarnation, devices: [FenceDevice])
    /// What became of an operator's request.
    case answer(request: Random128, ChangeOutcome)
    /// `state` or what is known of peers changed: whatever is derived from it is to be derived again.
    case changed
    /// Something for the log and the history.
    case event(NodeEvent)
    /// The node has left: it runs nothing that it started, votes for nobody, and may end.
    ///
    /// Only a departure in the replicated state proves that it runs nothing at all: one that left before it learned the
    /// configuration does not know what an earlier agent ran.
    case left
    /// The agent must end and start again: what the disk holds now is for a new start. Resources run on meanwhile.
    case beginAnew
    /// As `left`, but then the store is put aside, and the agent starts with an empty one as a newcomer of that branch.
    case rejoin(BranchMark)
    /// The node must end at once, and an operator must look: what it knows or holds cannot be relied on.
    case mustStop(String)
}

/// A node whose power half of the voters needs to control, with what can switch it.
public struct FenceCheck: Hashable, Sendable {
    /// The node.
    public let node: NodeID
    /// One of them has to answer.
    public let devices: [FenceDevice]
}

/// What became of an operator's change.
public enum ChangeOutcome: Hashable, Sendable {
    /// Committed and applied, with this result.
    case applied(RequestAnswer)
    /// Not taken: somebody else leads, or nobody.
    case notLeader(NodeID?)
    /// Not taken, for another reason; nothing was changed.
    case refused(String)
}

/// Something for the log and the history.
public enum NodeEvent: Hashable, Sendable {
    /// Whom this node follows now.
    case leader(NodeID?, Term)
    /// This node leads.
    case elected(Term)
    /// This node does not lead any more.
    case deposed(Term)
    /// A peer's state changed.
    case peer(NodeID, PeerState)
    /// A peer's agent was started again.
    case peerRestarted(NodeID, Incarnation)
    /// The leader's core has something to say.
    indirect case notice(RecoveryNotice)
    /// Leader: whether a quorum answers.
    case quorum(Bool)
    /// A start of a node can never act again.
    case provenDead(DeathFact)
    /// Who votes by the newest entry of the log.
    case voters(ListedVoters, isCommitted: Bool)
    /// Half of the voters cannot get proof that the others are dead, for this reason.
    case quorumFencingFails(String)
    /// This process did not run for so long.
    case stalled(Duration)
    /// An operator stopped all nodes, this one with them.
    case stopsWithAll
    /// Another history of the cluster goes on; this node gives its own up.
    case branchLost(to: BranchMark)
    /// The lease ended without being renewed.
    case leaseLost
    /// An entry of the log was applied.
    indirect case applied(Change)
}
