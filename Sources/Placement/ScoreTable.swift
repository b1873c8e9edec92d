import ClusterModel

/// The score of every node for every resource with what made it up; one flat array each, resource after resource.
struct ScoreTable {
    let nodes: [Node]
    private(set) var scores: [Score]
    private(set) var reasons: [[PlacementReason]]

    init(resources: Int, nodes: [Node]) {
        self.nodes = nodes
        scores = Array(repeating: Score(0), count: resources * nodes.count)
        reasons = Array(repeating: [], count: resources * nodes.count)
    }

    /// The scores of one resource, by position of node.
    func row(_ resource: Int) -> ArraySlice<Score> {
        scores[resource * nodes.count..<(resource + 1) * nodes.count]
    }

    func score(_ resource: Int, _ node: Int) -> Score { scores[resource * nodes.count + node] }

    mutating func add(_ score: Score, _ resource: Int, _ node: Int, because reason: PlacementReason) {
        let cell = resource * nodes.count + node
        scores[cell] = scores[cell] + score
        reasons[cell].append(reason)
    }

    /// Adds a whole row unless that would leave the resource without any node that it has now (Pacemaker's rule for
    /// advisory colocations and for the wishes of followers).
    ///
    /// - Returns: Whether it was added.
    mutating func addUnlessItStops(
        _ additions: [Score],
        to resource: Int,
        because reason: (Score) -> PlacementReason
    ) -> Bool {
        let row = row(resource)
        guard zip(row, additions).contains(where: { ($0 + $1).value >= 0 }) else { return false }
        for (node, addition) in additions.enumerated() where addition.value != 0 {
            add(addition, resource, node, because: reason(addition))
        }
        return true
    }

    func isUsable(_ resource: Int) -> Bool { row(resource).contains { $0.value >= 0 } }

    func candidates(of resource: Int) -> [Candidate] {
        nodes.indices.map { node in
            let cell = resource * nodes.count + node
            return Candidate(node: nodes[node].id, score: scores[cell], reasons: reasons[cell])
        }
    }
}
