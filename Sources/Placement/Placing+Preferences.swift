import ClusterModel

extension Placing {
    /// Adds location constraints; what they name and does not exist is passed over.
    mutating func weighLocations() {
        let byName = Dictionary(
            nodes.enumerated().map { ($0.element.name, $0.offset) },
            uniquingKeysWith: { old, _ in old }
        )
        for constraint in input.configuration.locations {
            guard let resource = graph.positions[constraint.resource], let node = byName[constraint.node] else {
                continue
            }
            let reason = PlacementReason.location(id: constraint.id, constraint.score)
            table.add(constraint.score, resource, node, because: reason)
        }
    }

    /// Adds what a resource's present node is worth to it.
    mutating func weighStickiness() {
        for resource in resources.indices {
            let stickiness = resources[resource].stickiness ?? input.configuration.properties.resourceStickiness
            guard stickiness.value != 0, let node = currentNode(of: resource) else { continue }
            table.add(stickiness, resource, node, because: .stickiness(stickiness))
        }
    }

    /// Adds operators' moves; a ban of the target is stronger.
    mutating func weighMoves() {
        for resource in resources.indices {
            guard let target = input.moves[resources[resource].name], let node = nodePositions[target] else { continue }
            table.add(.infinity, resource, node, because: .ordered)
        }
    }
}
