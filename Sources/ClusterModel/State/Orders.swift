/// What a leader wants of one node's resources now: the whole of it, not a difference, so that loss, repetition and
/// reordering of sheets change nothing.
public struct OrderSheet: Hashable, Codable, Sendable {
    /// The leader's term; a node obeys only the term under which it holds its lease.
    public var term: Term
    /// Raised by the leader with every different sheet for this node in this term.
    public var sequence: UInt64
    /// The node's session; sheets for an earlier start of its agent are refused.
    public var session: SessionID
    /// The newest report of that session that the leader had seen.
    ///
    /// A node obeys no sheet that was made before the
    /// leader could know that the node's present lease began: such a sheet may have been overtaken by a recovery.
    public var answers: UInt64
    /// The node must have applied at least this configuration before it starts anything.
    public var version: ConfigurationVersion
    /// The resources that shall run here, each under its committed epoch; everything else shall be stopped.
    public var run: [RunOrder]
    /// What was found running here without an order and is left alone, for it is active elsewhere too and its
    /// `multiple-active` is `block`; nil for nothing.
    public var leave: [ResourceName]?

    /// Builds a sheet.
    public init(
        term: Term,
        sequence: UInt64,
        session: SessionID,
        answers: UInt64 = 0,
        version: ConfigurationVersion,
        run: [RunOrder]
    ) {
        self.term = term
        self.sequence = sequence
        self.session = session
        self.answers = answers
        self.version = version
        self.run = run
    }
}

/// One resource that shall run under its committed epoch.
public struct RunOrder: Hashable, Codable, Sendable {
    /// The resource.
    public var resource: ResourceName
    /// The epoch committed for it on this node; higher than any that this node has seen for it, or the running one.
    public var epoch: Epoch

    /// Pairs both.
    public init(resource: ResourceName, epoch: Epoch) {
        self.resource = resource
        self.epoch = epoch
    }
}

/// What a node's runner says of its resources: the whole of it, repeated until the leader has heard it.
public struct NodeReport: Hashable, Codable, Sendable {
    /// The node.
    public var node: NodeID
    /// Its incarnation.
    public var incarnation: Incarnation
    /// Its session.
    public var session: SessionID
    /// Raised with every different report of this session.
    public var sequence: UInt64
    /// The newest sheet that this report answers.
    public var sheetTerm: Term
    /// See `sheetTerm`.
    public var sheetSequence: UInt64
    /// Whether everything that could already run here when the agent started has been looked for; until then the node
    /// gets no first lease (RULE F10) and no orders.
    public var probed: Bool
    /// The configuration that the node has applied and whose resources it has all looked for.
    public var version: ConfigurationVersion
    /// Whether the node wants to leave cleanly: it asks for nothing more to be run here.
    public var leaving: Bool
    /// Every resource that is not known to be stopped, and every one with news.
    public var resources: [ResourceReport]
    /// What the node knows of the fence devices that could power off others; nil from an older agent.
    public var devices: DeviceChecks?

    /// Builds a report.
    public init(
        node: NodeID,
        incarnation: Incarnation,
        session: SessionID,
        sequence: UInt64,
        sheetTerm: Term,
        sheetSequence: UInt64,
        probed: Bool,
        version: ConfigurationVersion = 0,
        leaving: Bool = false,
        resources: [ResourceReport]
    ) {
        self.node = node
        self.incarnation = incarnation
        self.session = session
        self.sequence = sequence
        self.sheetTerm = sheetTerm
        self.sheetSequence = sheetSequence
        self.probed = probed
        self.version = version
        self.leaving = leaving
        self.resources = resources
    }
}

/// What a node's runner says of one resource.
public struct ResourceReport: Hashable, Codable, Sendable {
    /// The resource.
    public var resource: ResourceName
    /// The epoch under which the state was reached; 0 for what the agent found running when it started.
    public var epoch: Epoch
    /// How it is.
    public var state: ResourceRunState
    /// Failures on this node under this epoch so far, so that each is counted once.
    public var failures: Int
    /// What the newest failure said.
    public var reason: String
    /// Whether it ran when the agent looked, without an order, and has not been started here since; nil for no.
    public var found: Bool?

    /// Builds a report.
    public init(resource: ResourceName, epoch: Epoch, state: ResourceRunState, failures: Int = 0, reason: String = "") {
        self.resource = resource
        self.epoch = epoch
        self.state = state
        self.failures = failures
        self.reason = reason
    }
}

/// How a resource is on a node.
public enum ResourceRunState: String, Codable, Sendable {
    /// Verified not running; nothing of it is left.
    case stopped
    /// A start is under way or waits to be repeated.
    case starting
    /// Started, and its last monitor passed.
    case running
    /// A stop is under way.
    case stopping
    /// It failed under this epoch and was stopped afterwards; the leader decides what is next.
    case failed
    /// A stop failed: whether it runs is not known.
    case unknown

    /// Whether nothing of the resource is left.
    public var isDown: Bool { self == .stopped || self == .failed }
}
