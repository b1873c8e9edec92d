/// What all nodes agree on: the result of applying the replicated log in order.
public struct ClusterState: Hashable, Codable, Sendable {
    /// The operator's wishes.
    public var configuration: ClusterConfiguration
    /// Raised by one with every accepted change of `configuration`.
    public var version: ConfigurationVersion
    /// Where each resource may be active; absent: nowhere.
    public var assignments: [ResourceName: Assignment]
    /// The highest epoch ever given out; epochs are unique over all resources.
    public var lastEpoch: Epoch
    /// The highest epoch that was given out before the configuration last changed what must be fenced: a node that runs
    /// something under it may not know that change.
    public var requirementsEpoch: Epoch
    /// Failures that count against a node for a resource.
    public var failures: [ResourceName: [NodeID: FailureRecord]]
    /// The newest failure of each resource that was counted, kept beyond a cleanup so that none is counted twice.
    public var countedFailures: [ResourceName: CountedFailure]
    /// The newest incarnation each node has announced.
    public var incarnations: [NodeID: Incarnation]
    /// The newest incarnation of each node that left cleanly; it and all earlier ones run nothing.
    public var departures: [NodeID: Incarnation]
    /// The newest fence of each node.
    public var fences: [NodeID: FenceRecord]
    /// Moves that an operator ordered and that have not ended.
    public var moves: [ResourceName: NodeID]
    /// Answers to the newest requests, so that a repeated request is not carried out twice; oldest first.
    public var answered: [AnsweredRequest]
    /// The profile before the last change of it; nil before the first.
    ///
    /// Leases of its length may be left for a while.
    public var formerProfile: TimingProfile?
    /// The cluster's secrets; nil before the first rotation.
    public var keys: ClusterKeys?
    /// The starts of agents that an operator ended all at once, until one of them runs anew; nil otherwise.
    ///
    /// Nobody is powered off for it and nobody loses a vote, so that any majority can start the cluster again.
    public var stopped: [NodeID: Incarnation]?
    /// How many changes operators have made; nil for none.
    ///
    /// It decides which history goes on when two of them meet.
    public var operatorChanges: UInt64?
    /// Resources that were found running without an order; nil for none ever.
    public var strays: [ResourceName: StrayRecord]?
    /// Histories that gave way to this one, the newest last; nil for none ever.
    ///
    /// A node of theirs that was away then must not bring them back.
    public var historiesGone: [UInt64]?
    /// The level of the protocol that every node speaks and that entries of the log may need; nil for the first.
    ///
    /// It never goes down: a node that speaks less can take no part any more.
    public var level: UInt8?

    /// How many answers are remembered.
    public static let answersKept = 128

    /// How many histories that gave way are remembered.
    public static let historiesGoneKept = 8

    /// The state before the first entry.
    ///
    /// - Parameters:
    ///   - configuration: The operator's first wishes.
    ///   - level: That of a cluster which began above the first one.
    public init(configuration: ClusterConfiguration, level: UInt8? = nil) {
        self.configuration = configuration
        version = 0
        assignments = [:]
        lastEpoch = 0
        requirementsEpoch = 0
        failures = [:]
        countedFailures = [:]
        incarnations = [:]
        departures = [:]
        fences = [:]
        moves = [:]
        answered = []
        formerProfile = nil
        keys = nil
        stopped = nil
        operatorChanges = nil
        strays = nil
        historiesGone = nil
        self.level = level
    }

    /// The level of the protocol that entries of the log may need.
    public var protocolLevel: UInt8 { level ?? ProtocolLevel.first }
}

/// A resource given to a node under an epoch; the resource counts as possibly active there until released.
public struct Assignment: Hashable, Codable, Sendable {
    /// The node.
    public var node: NodeID
    /// The node's incarnation for which it was given; a later incarnation runs nothing under it.
    public var incarnation: Incarnation
    /// The epoch; higher than every earlier one.
    public var epoch: Epoch

    /// States all three.
    public init(node: NodeID, incarnation: Incarnation, epoch: Epoch) {
        self.node = node
        self.incarnation = incarnation
        self.epoch = epoch
    }
}

/// Where a resource was found running without an order.
public struct StrayRecord: Hashable, Codable, Sendable {
    /// The starts of agents that found it, the newest of each node.
    public var seen: [NodeID: Incarnation] = [:]
    /// While what was found to be active twice has not been dealt with.
    public var double: DoubleActivity?

    /// Nothing was found.
    public init() {}
}

/// A resource that was active on two nodes at once.
public struct DoubleActivity: Hashable, Codable, Sendable {
    /// The highest epoch under which it may have been active.
    public var epoch: Epoch
    /// Where it was found.
    public var node: NodeID
    /// Where it was active as well.
    public var besides: NodeID

    /// States all three.
    public init(epoch: Epoch, node: NodeID, besides: NodeID) {
        self.epoch = epoch
        self.node = node
        self.besides = besides
    }
}

/// Failures of a resource on a node since the last cleanup or expiry.
public struct FailureRecord: Hashable, Codable, Sendable {
    /// How many.
    public var count: Int
    /// What the newest said, for the operator.
    public var reason: String
    /// When the newest was recorded, in milliseconds since 1970 by the leader's wall clock; for display and expiry only.
    public var recordedAt: Int64
    /// Whether the newest was a stop, after which nothing is certain until the node is fenced or cleaned up.
    public var stopFailed: Bool

    /// States a record.
    public init(count: Int, reason: String, recordedAt: Int64, stopFailed: Bool) {
        self.count = count
        self.reason = reason
        self.recordedAt = recordedAt
        self.stopFailed = stopFailed
    }
}

/// Which failure of a resource was counted last.
public struct CountedFailure: Hashable, Codable, Sendable {
    /// The epoch it ran under; epochs are unique over nodes, so this names the node too.
    public var epoch: Epoch
    /// How many failures under that epoch have been counted.
    public var number: Int

    /// Pairs both.
    public init(epoch: Epoch, number: Int) {
        self.epoch = epoch
        self.number = number
    }
}

/// A fence of one incarnation of a node.
public struct FenceRecord: Hashable, Codable, Sendable {
    /// The incarnation that was to be powered off.
    public var incarnation: Incarnation
    /// How far it came.
    public var outcome: FenceOutcome
    /// Why it was ordered.
    public var reason: String
    /// When it was ordered and when it ended, in milliseconds since 1970 by the leader's wall clock.
    public var orderedAt: Int64
    /// See `orderedAt`; nil while it goes on.
    public var endedAt: Int64?

    /// Opens a record.
    public init(incarnation: Incarnation, reason: String, orderedAt: Int64) {
        self.incarnation = incarnation
        outcome = .ordered
        self.reason = reason
        self.orderedAt = orderedAt
        endedAt = nil
    }
}

/// How far a fence came.
public enum FenceOutcome: Hashable, Codable, Sendable {
    /// Ordered; the first "off" may have been sent, so it is carried through.
    case ordered
    /// Powered off and verified: a fact for ever about that incarnation.
    case verified
    /// The newest attempt failed; the reason is for the operator, and it is tried again.
    case failed(String)
}

/// A request of an operator with its answer.
public struct AnsweredRequest: Hashable, Codable, Sendable {
    /// Drawn by the node that took the request.
    public var id: Random128
    /// The configuration version that it made, or why it was refused.
    public var answer: RequestAnswer

    /// Pairs both.
    public init(id: Random128, answer: RequestAnswer) {
        self.id = id
        self.answer = answer
    }
}

/// What became of a request.
public enum RequestAnswer: Hashable, Codable, Sendable {
    /// Applied; the configuration now has this version.
    case applied(ConfigurationVersion)
    /// The configuration had changed since it was read: `expected` is stale.
    case conflict(current: ConfigurationVersion)
    /// Refused for this reason.
    case refused(String)
}
