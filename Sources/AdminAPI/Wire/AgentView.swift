public import ClusterModel

/// One node's agent since it started: what tells a busy machine from a broken network when peers were lost.
public struct AgentView: Hashable, Codable, Sendable {
    /// The node.
    public var node: NodeName
    /// Which start of its agent.
    public var incarnation: Incarnation
    /// How long it has run.
    public var uptime: Milliseconds
    /// Whether it runs with real-time priority.
    public var isRealtime: Bool
    /// How often it did not run when it should have.
    public var stallCount = 0
    /// The longest of these times.
    public var longestStall = Milliseconds(0)
    /// The newest of them, oldest first; at most `mostStalls`.
    public var stalls: [Stall] = []
    /// How often a peer was silent for a moment.
    public var peersSuspected = 0
    /// How often a peer was given up.
    public var peersLost = 0
    /// How often this node got another leader, or the same one in a new term.
    public var leaderChanges = 0
    /// How often its lease ended, so that it stopped what it ran.
    public var leasesEnded = 0
    /// How often the cluster gave a resource to a node.
    public var assignments = 0

    /// The most stalls that are listed.
    public static let mostStalls = 32

    /// A time in which the agent did not run.
    public struct Stall: Hashable, Codable, Sendable {
        /// How long the agent had run when it was over.
        public var uptime: Milliseconds
        /// How long it was.
        public var length: Milliseconds

        /// States a stall.
        public init(uptime: Milliseconds, length: Milliseconds) {
            self.uptime = uptime
            self.length = length
        }
    }

    /// An agent to which nothing happened yet.
    public init(node: NodeName, incarnation: Incarnation, uptime: Milliseconds, isRealtime: Bool) {
        self.node = node
        self.incarnation = incarnation
        self.uptime = uptime
        self.isRealtime = isRealtime
    }
}
