public import ClusterModel

/// What an operator's command asks of the agent of its own node, which forwards to the leader what the leader decides.
public enum AdminRequest: Hashable, Codable, Sendable {
    /// Everything about the cluster: answered by `AdminResponse.status`.
    case status
    /// The configuration with its version, secrets masked, as the leader has it, so that it holds every change that was
    /// answered before, or as this node has it while there is no leader: answered by `AdminResponse.configuration`.
    case configuration
    /// A change: answered by `AdminResponse.done` once it is committed. With `expected`, only if the configuration
    /// still has that version, which makes a change of several steps safe against others.
    case edit(ConfigurationEdit, expected: ConfigurationVersion?)
    /// Moves a resource to a node, or away from where it is: answered by `done` when it runs there.
    case move(resource: ResourceName, to: NodeName?)
    /// Forgets failures, of one resource or of all, on one node or on all.
    case cleanup(resource: ResourceName?, node: NodeName?)
    /// Powers a node off and verifies it: answered by `done` when it is off.
    case fence(node: NodeName)
    /// States, in the place of a fence device, that a lost node is off: what it held is recovered at once.
    case confirmOff(node: NodeName)
    /// Lets this node go on alone where the voters that would be needed are gone for ever: these nodes are dead, says the
    /// operator. Answered by `done` when it is about to.
    case unblock(dead: [NodeName])
    /// Who votes, who is heard, what is missing: answered by `AdminResponse.quorum`.
    case quorumStatus
    /// The times that derive from the profile: answered by `AdminResponse.timing`.
    case timing
    /// The links of this node: answered by `AdminResponse.links`.
    case linkStatus
    /// How the rotation of the cluster's secret stands: answered by `AdminResponse.keys`.
    case keyStatus
    /// Hands out a new generation of the cluster's secret; with `force`, without waiting for nodes that are away.
    case rotateKey(force: Bool)
    /// Ends the generations before the one in use; with `force`, although nodes are away that may know no other.
    case retireKey(force: Bool)
    /// Makes a token with which one machine becomes that node: answered by `AdminResponse.token`.
    case token(node: NodeName)
    /// What a failover of a node, or of the active one, would move, and what speaks against it: answered by
    /// `AdminResponse.failover`.
    case failoverCheck(node: NodeName?)
    /// Listeners and servers, all or one, as the proxy of this node or those of all nodes see them: answered by
    /// `AdminResponse.loadBalancer`.
    case loadBalancerStatus(listener: String?, everyNode: Bool)
    /// What the proxy of this node did lately and why, of all listeners or one, the newest exchanges up to a number:
    /// answered by `AdminResponse.exchanges`.
    case exchanges(listener: String?, last: Int)
    /// Ends the agent's work on this node, or on every node, in order: resources are stopped or moved first.
    ///
    /// For every node it is answered once each has taken the order; a failure of the kind `failed` names those that did
    /// not answer, and the others stop nevertheless.
    case stop(everyNode: Bool)
    /// Has another node's agent end its work, in order; answered once that agent has taken the order.
    case stopNode(NodeName)
    /// Records that all nodes are being stopped, so that nobody is powered off or loses its vote for it, and has those
    /// that hear it stop: what the agents ask each other for `stop` on every node.
    case stopAll

    /// Whether the request changes anything; what does not is answered for readers too.
    public var isChange: Bool {
        switch self {
        case .status, .configuration, .quorumStatus, .timing, .linkStatus, .keyStatus, .failoverCheck,
            .loadBalancerStatus, .exchanges:
            false
        case .edit, .move, .cleanup, .fence, .confirmOff, .token, .stop, .stopNode, .stopAll, .rotateKey, .retireKey,
            .unblock:
            true
        }
    }
}
