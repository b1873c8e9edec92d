import ClusterModel

extension Placing {
    /// Adds to every resource what those that follow it prefer, weighed by their colocation, last followers first, so
    /// that a wish travels along a whole chain.
    ///
    /// A wish that would leave the resource nowhere to run is passed over.
    mutating func weighFollowers() {
        for resource in graph.order.reversed() {
            for edge in graph.followers[resource] where resources[edge.resource].enabled {
                let wishes = table.row(edge.resource).map { Self.weigh($0, by: edge.score) }
                guard wishes.contains(where: { $0.value != 0 }) else { continue }
                let name = resources[edge.resource].name
                _ = table.addUnlessItStops(wishes, to: resource) { .follower(name, $0) }
            }
        }
    }

    /// A follower's score as its primary sees it: the colocation's share of INFINITY.
    ///
    /// What a follower must avoid is no wish of it to be apart from its primary there.
    private static func weigh(_ score: Score, by colocation: Score) -> Score {
        if colocation.value < 0 && score.value < 0 { return Score(0) }
        let product = Int64(score.value) * Int64(colocation.value)
        let half = Int64(Score.infinity.value) / 2
        return Score(Int((product + (product < 0 ? -half : half)) / Int64(Score.infinity.value)))
    }

    /// Adds what a resource follows, now that it has been placed.
    ///
    /// - Returns: A resource that it must run with and that runs nowhere.
    mutating func weighColocations(of resource: Int) -> Int? {
        var missing: Int?
        for edge in graph.primaries[resource] {
            guard let target = placed[edge.with] else {
                guard edge.score == .infinity else { continue }
                missing = missing ?? edge.with
                add(edge, to: resource) { _ in .minusInfinity }
                continue
            }
            switch edge.score {
            case .infinity: add(edge, to: resource) { $0 == target ? .infinity : .minusInfinity }
            case .minusInfinity: add(edge, to: resource) { $0 == target ? .minusInfinity : Score(0) }
            default:
                let additions = nodes.indices.map { $0 == target ? edge.score : Score(0) }
                let with = resources[edge.with].name
                _ = table.addUnlessItStops(additions, to: resource) { .colocation(id: edge.id, with: with, $0) }
            }
        }
        return missing
    }

    private mutating func add(_ edge: ColocationGraph.Edge, to resource: Int, score: (Int) -> Score) {
        for node in nodes.indices {
            let value = score(node)
            guard value.value != 0 else { continue }
            let reason = PlacementReason.colocation(id: edge.id, with: resources[edge.with].name, value)
            table.add(value, resource, node, because: reason)
        }
    }
}
