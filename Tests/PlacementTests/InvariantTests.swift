import ClusterModel
import Placement
import Testing

/// What must be true of every plan, checked on random situations by definitions that share nothing with the code.
@Suite
struct InvariantTests {
    @Test(arguments: 0..<UInt64(300))
    func `Random plans keep every mandatory rule, repeat exactly, and stay once carried out`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let situation = Self.randomSituation(&random)
        let plan = situation.plan
        #expect(plan == situation.plan)
        for decision in plan.decisions {
            guard let node = decision.node else { continue }
            Self.check(decision.resource, on: node, plan, situation.input)
        }
        #expect(
            Self.carriedOut(situation).places == situation.places,
            "seed \(seed): a plan that was carried out changed"
        )
    }

    private static func check(
        _ resource: ResourceName,
        on node: NodeID,
        _ plan: PlacementPlan,
        _ input: PlacementInput
    ) {
        let configuration = input.configuration
        #expect(configuration.resource(named: resource)?.enabled == true)
        #expect(configuration.node(node)?.standby == false)
        if input.nodes[node] != .available {
            #expect(input.nodes[node] == .keepsOnly && input.current[resource]?.node == node)
        }
        for rule in configuration.locations where rule.resource == resource && rule.score == .minusInfinity {
            #expect(configuration.node(named: rule.node)?.id != node)
        }
        for rule in configuration.colocations where rule.resource == resource {
            // Circles cannot all be kept; the random situations have none.
            if rule.score == .infinity { #expect(plan.node(of: rule.with) == node) }
            if rule.score == .minusInfinity { #expect(plan.node(of: rule.with) != node) }
        }
    }

    /// The situation after the plan has been carried out and its moves have ended.
    private static func carriedOut(_ situation: Situation) -> Situation {
        let plan = situation.plan
        return situation.changed { input in
            input.current = [:]
            for decision in plan.decisions {
                if let node = decision.node {
                    input.current[decision.resource] = CurrentPlace(node: node, active: true)
                }
            }
        }
    }

    private static func randomSituation(_ random: inout SeededGenerator) -> Situation {
        let names = (0..<Int.random(in: 1...8, using: &random)).map { "r\($0)" }
        var situation = Situation(nodes: .random(in: 1...4, using: &random), names)
        let scores = [Score.infinity, .minusInfinity, Score(50), Score(-50), Score(200)]
        for (position, name) in names.enumerated() {
            let node = UInt8.random(in: 1...UInt8(situation.input.configuration.nodes.count), using: &random)
            let score = scores[Int.random(in: 0..<scores.count, using: &random)]
            switch Int.random(in: 0..<8, using: &random) {
            case 0, 1: situation = situation.on(name, node)
            case 2: situation = situation.location(name, node, score)
            case 3: situation = situation.failed(name, node, .random(in: 1...4, using: &random))
            case 4: situation = situation.disabled(name)
            case 5, 6:
                guard position > 0 else { continue }
                // Only to earlier names: no circles.
                let with = names[Int.random(in: 0..<position, using: &random)]
                situation = situation.colocation(name, with: with, score)
            default: situation = situation.standby(node)
            }
        }
        return situation
    }

    @Test
    func `A chain of ten thousand is placed without recursion`() {
        let names = (0..<10_000).map { "r\($0)" }
        let situation = Situation(names).changed { input in
            input.configuration.colocations = (1..<names.count).map {
                ColocationConstraint(id: "c\($0)", resource: names[$0 - 1], with: names[$0], score: .infinity)
            }
        }
        let places = situation.location("r0", 3, 1).places
        #expect(places.allSatisfy { $0 == 3 })
    }
}
