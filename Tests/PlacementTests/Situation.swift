import ClusterModel
import Placement

/// A situation in few words: `Situation(nodes: 3, "a", "b").on("a", 1).location("a", 2, 50).plan`.
struct Situation {
    var input: PlacementInput

    init(nodes: Int = 3, _ resources: ResourceName...) {
        self.init(nodes: nodes, resources)
    }

    init(nodes: Int = 3, _ resources: [ResourceName]) {
        var configuration = ClusterConfiguration(
            name: "test",
            nodes: (1...nodes).map { Node(id: NodeID(UInt8($0)), name: "n\($0)", addresses: []) }
        )
        configuration.resources = resources.map {
            Resource(name: $0, kind: .process(ProcessSpecification(command: ["/bin/true"])))
        }
        let available = configuration.nodes.map { ($0.id, NodeAvailability.available) }
        input = PlacementInput(configuration: configuration, nodes: Dictionary(uniqueKeysWithValues: available))
    }

    var plan: PlacementPlan { PlacementPlan(for: input) }

    /// The numbers of nodes by resource, in the order of the configuration; 0 for nowhere.
    var places: [UInt8] { plan.decisions.map { $0.node?.rawValue ?? 0 } }

    func changed(_ change: (inout PlacementInput) -> Void) -> Situation {
        var result = self
        change(&result.input)
        return result
    }

    func on(_ resource: ResourceName, _ node: UInt8, active: Bool = true) -> Situation {
        changed { $0.current[resource] = CurrentPlace(node: NodeID(node), active: active) }
    }

    func without(_ node: UInt8, _ availability: NodeAvailability = .unavailable(.lost)) -> Situation {
        changed { $0.nodes[NodeID(node)] = availability }
    }

    func standby(_ node: UInt8) -> Situation {
        changed { $0.configuration.nodes[Int(node) - 1].standby = true }
    }

    func location(_ resource: ResourceName, _ node: UInt8, _ score: Score) -> Situation {
        changed {
            let id = "l\($0.configuration.locations.count)"
            let new = LocationConstraint(id: id, resource: resource, node: "n\(node)", score: score)
            $0.configuration.locations.append(new)
        }
    }

    func location(_ resource: ResourceName, _ node: UInt8, _ score: Int) -> Situation {
        location(resource, node, Score(score))
    }

    func colocation(_ resource: ResourceName, with: ResourceName, _ score: Score) -> Situation {
        changed {
            let id = "c\($0.configuration.colocations.count)"
            let new = ColocationConstraint(id: id, resource: resource, with: with, score: score)
            $0.configuration.colocations.append(new)
        }
    }

    func disabled(_ resource: ResourceName) -> Situation {
        changed { input in
            for index in input.configuration.resources.indices
            where input.configuration.resources[index].name == resource {
                input.configuration.resources[index].enabled = false
            }
        }
    }

    func failed(_ resource: ResourceName, _ node: UInt8, _ count: Int, stop: Bool = false) -> Situation {
        changed {
            let record = FailureRecord(count: count, reason: "", recordedAt: 0, stopFailed: stop)
            $0.failures[resource, default: [:]][NodeID(node)] = record
        }
    }

    func moving(_ resource: ResourceName, to node: UInt8) -> Situation {
        changed { $0.moves[resource] = NodeID(node) }
    }
}
