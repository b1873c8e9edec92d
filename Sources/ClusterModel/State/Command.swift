/// An entry of the replicated log: one change of `ClusterState`, the same on every node.
public struct Command: Hashable, Codable, Sendable {
    /// The change.
    public var change: Change
    /// Who asked, for history and for recognising repetition; nil for the leader's own decisions.
    public var request: RequestOrigin?
    /// When the leader proposed it, in milliseconds since 1970 by its wall clock; display and expiry only.
    public var proposedAt: Int64

    /// Builds an entry.
    public init(change: Change, request: RequestOrigin? = nil, proposedAt: Int64) {
        self.change = change
        self.request = request
        self.proposedAt = proposedAt
    }
}

/// Who asked for a change.
public struct RequestOrigin: Hashable, Codable, Sendable {
    /// Drawn by the node that took the request.
    public var id: Random128
    /// That node.
    public var node: NodeID
    /// The Unix user, from the peer credentials of the agent's socket.
    public var uid: UInt32

    /// States all three.
    public init(id: Random128, node: NodeID, uid: UInt32) {
        self.id = id
        self.node = node
        self.uid = uid
    }
}

/// What an entry changes.
public enum Change: Hashable, Codable, Sendable {
    /// Replaces the configuration if its version is still `expected`.
    case configure(expected: ConfigurationVersion, ClusterConfiguration)
    /// Gives resources to nodes under fresh epochs; each must be unassigned or assigned to the same node and incarnation.
    case assign([NewAssignment])
    /// Takes a resource from its node: its stop was acknowledged, or its node cannot run it any more.
    case release(resource: ResourceName, epoch: Epoch)
    /// Announces a node's newest incarnation.
    case announce(node: NodeID, incarnation: Incarnation)
    /// Records a clean leave: that incarnation runs nothing any more and never will again.
    case left(node: NodeID, incarnation: Incarnation)
    /// Opens a fence of the given incarnation.
    case fenceOrdered(node: NodeID, incarnation: Incarnation, reason: String)
    /// Records the end of an attempt; nil means verified off.
    case fenceEnded(node: NodeID, incarnation: Incarnation, failure: String?)
    /// An operator says that the given incarnation of a node is off, in the place of a fence device.
    case fenceConfirmed(node: NodeID, incarnation: Incarnation)
    /// Ends the agents of all nodes, as they run now.
    case stopAll
    /// A node runs anew after all were stopped.
    case stopAllEnded
    /// Records that another history of the cluster gave way to this one.
    case historyGaveWay(UInt64)
    /// Raises the cluster's level: every node speaks that one by now. A level that is not above the present changes
    /// nothing.
    case raiseLevel(UInt8)
    /// Counts a failure of a resource on a node: the `number`th under that epoch, so that it is counted once however
    /// often and by however many leaders it is proposed. Epoch 0 counts always.
    case failure(
        resource: ResourceName,
        node: NodeID,
        reason: String,
        stopFailed: Bool,
        epoch: Epoch = 0,
        number: Int = 0
    )
    /// Forgets failures of a resource, on one node or on all.
    case cleanup(resource: ResourceName, node: NodeID?)
    /// Records once per start of an agent that it found a resource running without an order, and on which other node that
    /// one was active then, if on any.
    case found(resource: ResourceName, node: NodeID, incarnation: Incarnation, besides: NodeID?)
    /// Orders a move; the resource prefers `to` until it runs there or cannot.
    case move(resource: ResourceName, to: NodeID)
    /// Ends a move.
    case moveEnded(resource: ResourceName)
    /// Hands a new generation of the cluster's secret to every node; it opens datagrams from then on.
    case installKey(generation: UInt32, secret: Secret, leavesAbsentBehind: Bool)
    /// Seals with an installed generation; proposed once every node has it.
    case useKey(generation: UInt32)
    /// Ends every generation before the one in use.
    case retireKeys
}

/// One resource for one node.
public struct NewAssignment: Hashable, Codable, Sendable {
    /// The resource.
    public var resource: ResourceName
    /// The node.
    public var node: NodeID
    /// The node's incarnation.
    public var incarnation: Incarnation

    /// States all three.
    public init(resource: ResourceName, node: NodeID, incarnation: Incarnation) {
        self.resource = resource
        self.node = node
        self.incarnation = incarnation
    }
}
