public import ClusterModel

/// What the agent answers.
public enum AdminResponse: Hashable, Codable, Sendable {
    /// Carried out; `version` is the configuration's after it, and `notes` are what the operator should know besides.
    case done(version: ConfigurationVersion, notes: [String])
    /// See `AdminRequest.status`.
    case status(StatusView)
    /// See `AdminRequest.configuration`.
    case configuration(ClusterConfiguration, version: ConfigurationVersion)
    /// See `AdminRequest.quorumStatus`.
    case quorum(QuorumView)
    /// See `AdminRequest.timing`.
    case timing(TimingView)
    /// See `AdminRequest.linkStatus`.
    case links([LinkView])
    /// See `AdminRequest.keyStatus`.
    case keys(KeyView)
    /// See `AdminRequest.token`; to be passed on standard input only.
    case token(String)
    /// See `AdminRequest.failoverCheck`.
    case failover(FailoverView)
    /// See `AdminRequest.loadBalancerStatus`.
    case loadBalancer(LoadBalancerReport)
    /// See `AdminRequest.exchanges`.
    case exchanges(ExchangesView)
    /// Not carried out.
    case failed(AdminFailure)
}

/// Why a request was not carried out.
public struct AdminFailure: Hashable, Codable, Sendable {
    /// Which exit code and HTTP status it gets.
    public enum Kind: String, Codable, Sendable {
        /// It cannot be done as asked; nothing was changed.
        case refused
        /// The configuration changed since it was read; nothing was changed.
        case conflict
        /// No quorum, or no leader, so nobody can decide; nothing was changed.
        case noQuorum
        /// It was started and did not succeed.
        case failed
        /// It did not end in time; whether it will is not known.
        case timeout
        /// The request could not be understood.
        case malformed
        /// The user may not do that.
        case denied
    }

    /// See `Kind`.
    public var kind: Kind
    /// What is wrong and where.
    public var message: String
    /// What to do about it; empty where `message` says it already.
    public var remedy: String

    /// States a failure.
    public init(_ kind: Kind, _ message: String, remedy: String = "") {
        self.kind = kind
        self.message = message
        self.remedy = remedy
    }
}

/// What a failover would do.
public struct FailoverView: Hashable, Codable, Sendable {
    /// The node that would be emptied.
    public var node: NodeName
    /// What would move where; nil where nothing could take it.
    public var moves: [Move]
    /// What speaks against doing it now; empty when it is safe.
    public var objections: [String]

    /// One resource that would move.
    public struct Move: Hashable, Codable, Sendable {
        /// The resource.
        public var resource: ResourceName
        /// Where it would run.
        public var to: NodeName?
        /// Its address where it is a virtual IP, for measuring.
        public var address: IPAddress?

        /// States a move.
        public init(resource: ResourceName, to: NodeName?, address: IPAddress? = nil) {
            self.resource = resource
            self.to = to
            self.address = address
        }
    }

    /// States a failover.
    public init(node: NodeName, moves: [Move], objections: [String]) {
        self.node = node
        self.moves = moves
        self.objections = objections
    }
}
