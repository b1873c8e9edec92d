public import ClusterModel

/// Where every resource should be, and why.
public struct PlacementPlan: Hashable, Sendable {
    /// One for every resource, in the order of the configuration.
    public let decisions: [PlacementDecision]
    private let index: [ResourceName: Int]

    init(decisions: [PlacementDecision]) {
        self.decisions = decisions
        index = Dictionary(
            decisions.enumerated().map { ($0.element.resource, $0.offset) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// The decision for a resource; nil when it is not configured.
    public func decision(for resource: ResourceName) -> PlacementDecision? { index[resource].map { decisions[$0] } }

    /// The node that a resource should run on; nil when it should run nowhere or is not configured.
    public func node(of resource: ResourceName) -> NodeID? { decision(for: resource)?.node }
}

/// Where one resource should be, and why.
public struct PlacementDecision: Hashable, Sendable {
    /// The resource.
    public var resource: ResourceName
    /// What was decided.
    public var verdict: PlacementVerdict
    /// How every node was weighed, by number of node.
    public var candidates: [Candidate]

    /// The node it should run on.
    public var node: NodeID? {
        if case .placed(let node, _) = verdict { return node }
        return nil
    }
}

/// What was decided for a resource.
public enum PlacementVerdict: Hashable, Sendable {
    /// It should run there.
    case placed(NodeID, because: ChoiceReason)
    /// It is disabled (`target-role=Stopped`).
    case disabled
    /// What it must run with runs nowhere.
    case withoutPrimary(ResourceName)
    /// Every node has a negative score; the candidates say why.
    case noUsableNode
}

/// What told the chosen node from the next best.
public enum ChoiceReason: String, Hashable, Codable, Sendable {
    /// No other node could take it.
    case onlyUsableNode
    /// It had the highest score.
    case highestScore
    /// Among equal scores, it had the fewest resources.
    case fewestResources
    /// Among equals, the resource is there already.
    case alreadyThere
    /// Among equals, it has the lowest number.
    case lowestNumber
    /// Every node is banned, but the resource runs here in spite of its failures and stopping it would help nobody.
    case staysDespiteFailures
}

/// How one node was weighed for a resource.
public struct Candidate: Hashable, Sendable {
    /// The node.
    public var node: NodeID
    /// The sum of all scores; negative means "not here".
    public var score: Score
    /// What made it up, in the order in which it was added.
    public var reasons: [PlacementReason]
}

/// One contribution to a node's score.
public enum PlacementReason: Hashable, Sendable {
    /// The node can take nothing now: -INFINITY.
    case unavailable(NodeUnavailability)
    /// The node takes nothing new for now: -INFINITY.
    case takesNothingNew
    /// The node is in standby: -INFINITY.
    case standby
    /// A location constraint.
    case location(id: String, Score)
    /// It is there, and prefers to stay.
    case stickiness(Score)
    /// An operator ordered it there: INFINITY.
    case ordered
    /// It failed there too often: -INFINITY.
    case failures(count: Int, limit: Int)
    /// A stop failed there, so its state there is not known: -INFINITY.
    case stopFailed
    /// The resource it is colocated with is there, or is elsewhere.
    case colocation(id: String, with: ResourceName, Score)
    /// What a resource that follows this one prefers, weighed by their colocation.
    case follower(ResourceName, Score)
}
