import ClusterModel

extension Placing {
    /// The best node that is not forbidden: highest score, then fewest resources, then the present one, then the
    /// lowest number (Pacemaker's order).
    func choose(_ resource: Int) -> (node: Int, reason: ChoiceReason)? {
        let current = currentNode(of: resource)
        var usable = 0
        var best: Int?
        var reason = ChoiceReason.onlyUsableNode
        for node in nodes.indices where table.score(resource, node).value >= 0 {
            usable += 1
            guard let leader = best else {
                best = node
                continue
            }
            let (winner, why) = better(leader, node, for: resource, current: current)
            // The weakest distinction that the winner ever needed is the one worth telling.
            reason = winner == leader ? max(reason, why) : why
            best = winner
        }
        return best.map { ($0, usable == 1 ? .onlyUsableNode : reason) }
    }

    private func better(
        _ left: Int,
        _ right: Int,
        for resource: Int,
        current: Int?
    ) -> (winner: Int, reason: ChoiceReason) {
        let scores = (table.score(resource, left), table.score(resource, right))
        if scores.0 != scores.1 { return (scores.0 > scores.1 ? left : right, .highestScore) }
        if load[left] != load[right] { return (load[left] < load[right] ? left : right, .fewestResources) }
        if left == current || right == current { return (left == current ? left : right, .alreadyThere) }
        return (left, .lowestNumber)
    }
}

extension ChoiceReason: Comparable {
    /// Orders from the strongest distinction to the weakest.
    public static func < (left: ChoiceReason, right: ChoiceReason) -> Bool { left.strength < right.strength }

    private var strength: Int {
        switch self {
        case .onlyUsableNode: 0
        case .highestScore: 1
        case .fewestResources: 2
        case .alreadyThere: 3
        case .lowestNumber: 4
        case .staysDespiteFailures: 5
        }
    }
}
