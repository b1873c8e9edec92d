public import ClusterModel

/// Everything about a cluster at one moment, as one node sees it.
public struct StatusView: Hashable, Codable, Sendable {
    /// The cluster's name.
    public var cluster: String
    /// The node that answered.
    public var answeredBy: NodeName
    /// The configuration's version on that node.
    public var version: ConfigurationVersion
    /// The configuration's digest on that node, in hexadecimal.
    public var digest: String
    /// Votes and leader.
    public var quorum: QuorumView
    /// The cluster's level of the protocol; nil from an older agent.
    public var level: UInt8?
    /// The machines, in the order of their numbers.
    public var nodes: [NodeView] = []
    /// Whether lost nodes are powered off.
    public var stonithEnabled = true
    /// What is started, stopped and monitored, in the order of creation.
    public var resources: [ResourceView] = []
    /// How nodes are powered off, in the order of creation.
    public var fenceDevices: [FenceDeviceView] = []
    /// The newest fence of each node, newest first.
    public var fences: [FenceView] = []
    /// Listeners and servers, as the answering node's proxy sees them, in the order of creation.
    public var listeners: [ListenerView] = []
    /// The links of the node that was asked; nil from an older agent.
    public var links: [LinkView]?
    /// What the operator should know.
    public var warnings: [String] = []
    /// The agent of the node on which the command was typed, whoever answered the rest.
    public var agent: AgentView?

    /// Starts a view; the lists are filled in afterwards.
    public init(
        cluster: String,
        answeredBy: NodeName,
        version: ConfigurationVersion,
        digest: String,
        quorum: QuorumView
    ) {
        self.cluster = cluster
        self.answeredBy = answeredBy
        self.version = version
        self.digest = digest
        self.quorum = quorum
    }
}

/// Votes and leader.
public struct QuorumView: Hashable, Codable, Sendable {
    /// Whether the answering node is part of a quorum.
    public var isQuorate: Bool
    /// The leader, where one is known.
    public var leader: NodeName?
    /// Its term.
    public var term: Term
    /// Votes needed.
    public var needed: Int
    /// The voters with what is known of them, in the order of their numbers.
    public var voters: [Voter]
    /// Whether half of the voters answers and the others are not proven dead: what runs keeps running, nothing starts.
    public var isHalf: Bool?
    /// Whether the answering node runs the start that is listed for it; only then it may count half of the voters.
    public var isListed: Bool?
    /// Whom half of the voters has to see dead before it decides.
    public var wantedDead: [NodeName]?
    /// Why these could not be powered off so far.
    public var fencingFailure: String?
    /// Whether a node with another history of the cluster is heard: until one has given way, nothing is started or changed.
    public var meetsOtherHistory: Bool?
    /// The addresses of the property `arbiter`; nil where it is not set.
    public var arbiter: ArbiterView?

    /// One that votes.
    public struct Voter: Hashable, Codable, Sendable {
        /// The node.
        public var node: NodeName
        /// The incarnation that is listed in the voter set; nil where the set lists none.
        public var incarnation: Incarnation?
        /// Whether it is heard now.
        public var isHeard: Bool
        /// How long ago it was heard last; nil for never since this agent started.
        public var lastHeard: Milliseconds?
        /// Whether the listed incarnation is known to be dead for ever: powered off, or gone cleanly.
        public var isProvenDead: Bool?
        /// Whether it is heard and has lost its disk: its vote counts for nothing until the others have listed it anew.
        public var isForgetful: Bool?

        /// States a voter.
        public init(node: NodeName, incarnation: Incarnation?, isHeard: Bool, lastHeard: Milliseconds?) {
            self.node = node
            self.incarnation = incarnation
            self.isHeard = isHeard
            self.lastHeard = lastHeard
        }
    }

    /// States votes and leader.
    public init(isQuorate: Bool, leader: NodeName?, term: Term, needed: Int, voters: [Voter]) {
        self.isQuorate = isQuorate
        self.leader = leader
        self.term = term
        self.needed = needed
        self.voters = voters
    }
}

/// A machine.
public struct NodeView: Hashable, Codable, Sendable {
    /// How a machine is.
    public enum State: String, Codable, Sendable {
        /// Heard, and part of the cluster.
        case online
        /// Silent for a moment.
        case suspect
        /// Silent for too long: what it ran is being recovered.
        case lost
        /// A fence of it is under way.
        case fencing
        /// Powered off and verified.
        case fenced
        /// Never heard since the answering agent started, or not joined yet.
        case pending
    }

    /// Its name.
    public var name: NodeName
    /// Its number.
    public var id: NodeID
    /// Its heartbeat addresses.
    public var addresses: [IPAddress]
    /// How it is.
    public var state: State
    /// Whether it runs no resources for now.
    public var standby: Bool
    /// Whether the cluster does nothing on it for now.
    public var maintenance = false
    /// Whether it votes, runs resources, or both; nil from an older agent.
    public var role: NodeRole?
    /// Its newest incarnation; nil where unknown.
    public var incarnation: Incarnation?
    /// The level of the protocol that the answering node speaks with it, and for itself the newest that it speaks; nil where
    /// unknown.
    public var level: UInt8?
    /// The digest of the configuration that it has, in hexadecimal; nil where unknown.
    public var digest: String?
    /// What is left of its lease; known for the answering node itself alone.
    public var leaseRemaining: Milliseconds?
    /// How long ago it was heard last; nil for itself and for never.
    public var lastHeard: Milliseconds?

    /// Describes a machine.
    public init(name: NodeName, id: NodeID, addresses: [IPAddress], state: State, standby: Bool = false) {
        self.name = name
        self.id = id
        self.addresses = addresses
        self.state = state
        self.standby = standby
        incarnation = nil
        digest = nil
        leaseRemaining = nil
        lastHeard = nil
    }
}
