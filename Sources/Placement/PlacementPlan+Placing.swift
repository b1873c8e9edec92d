import ClusterModel

extension PlacementPlan {
    /// Places every resource, in Pacemaker's sense of scores: a node's scores add up, -INFINITY forbids and wins over
    /// INFINITY, a negative sum means "not here".
    ///
    /// A resource is placed after all that it follows.
    ///
    /// The work is proportional to (resources + colocations) x nodes.
    public init(for input: PlacementInput) {
        var placing = Placing(input)
        placing.weighNodes()
        placing.weighLocations()
        placing.weighStickiness()
        placing.weighMoves()
        placing.weighFailures()
        placing.weighFollowers()
        for resource in placing.graph.order { placing.place(resource) }
        self.init(decisions: placing.decisions)
    }
}

/// One run of placement; each concern adds its scores in a file of its own.
struct Placing {
    let input: PlacementInput
    let resources: [Resource]
    let graph: ColocationGraph
    /// Nodes by number, with positions in the table.
    let nodes: [Node]
    let nodePositions: [NodeID: Int]
    var table: ScoreTable
    /// Where each resource was placed in this run, by position of node.
    var placed: [Int?]
    /// How many resources each node was given in this run.
    var load: [Int]
    var verdicts: [PlacementVerdict]

    init(_ input: PlacementInput) {
        self.input = input
        resources = input.configuration.resources
        nodes = input.configuration.nodes.sorted { $0.id < $1.id }
        nodePositions = Dictionary(
            nodes.enumerated().map { ($0.element.id, $0.offset) },
            uniquingKeysWith: { old, _ in old }
        )
        // What runs is counted before what does not, so that new resources spread around what is there.
        graph = ColocationGraph(input.configuration, first: Set(input.current.keys))
        table = ScoreTable(resources: resources.count, nodes: nodes)
        placed = Array(repeating: nil, count: resources.count)
        load = Array(repeating: 0, count: nodes.count)
        verdicts = Array(repeating: .noUsableNode, count: resources.count)
    }

    var decisions: [PlacementDecision] {
        resources.indices.map {
            PlacementDecision(resource: resources[$0].name, verdict: verdicts[$0], candidates: table.candidates(of: $0))
        }
    }

    /// The position of the node that a resource is on.
    func currentNode(of resource: Int) -> Int? {
        input.current[resources[resource].name].flatMap { nodePositions[$0.node] }
    }

    mutating func place(_ resource: Int) {
        let missing = weighColocations(of: resource)
        guard resources[resource].enabled else {
            verdicts[resource] = .disabled
            return
        }
        if let choice = choose(resource) {
            settle(resource, on: choice.node, because: choice.reason)
        } else if let node = refuge(of: resource) {
            settle(resource, on: node, because: .staysDespiteFailures)
        } else if let missing {
            verdicts[resource] = .withoutPrimary(resources[missing].name)
        } else {
            verdicts[resource] = .noUsableNode
        }
    }

    private mutating func settle(_ resource: Int, on node: Int, because reason: ChoiceReason) {
        verdicts[resource] = .placed(nodes[node].id, because: reason)
        placed[resource] = node
        load[node] += 1
    }
}
