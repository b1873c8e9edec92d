import ClusterModel
import Placement
import Testing

@Suite
struct PreferenceTests {
    @Test
    func `Resources without preferences spread over the nodes, lowest number first`() {
        #expect(Situation("a", "b", "c", "d").places == [1, 2, 3, 1])
    }

    @Test
    func `What runs is counted before what does not`() {
        #expect(Situation("new", "old").on("old", 1).places == [2, 1])
    }

    @Test
    func `The highest sum of scores wins, and a location must beat stickiness`() {
        #expect(Situation("a").location("a", 2, 50).location("a", 3, 30).location("a", 3, 21).places == [3])
        #expect(Situation("a").on("a", 1).location("a", 2, 99).places == [1])
        #expect(Situation("a").on("a", 1).location("a", 2, 101).places == [2])
    }

    @Test
    func `A resource's own stickiness replaces the cluster's`() {
        let situation = Situation("a").on("a", 1).location("a", 2, 10)
        #expect(situation.changed { $0.configuration.resources[0].stickiness = Score(5) }.places == [2])
        #expect(situation.changed { $0.configuration.properties.resourceStickiness = Score(0) }.places == [2])
    }

    @Test
    func `-INFINITY wins over INFINITY, and a negative sum means not here`() {
        #expect(Situation("a").location("a", 1, .infinity).location("a", 1, .minusInfinity).places == [2])
        #expect(Situation(nodes: 1, "a").location("a", 1, -1).places == [0])
        #expect(Situation(nodes: 1, "a").location("a", 1, -1).location("a", 1, 1).places == [1])
    }

    @Test
    func `Standby, loss and a disabled resource leave it nowhere, each with its reason`() {
        let plan = Situation(nodes: 2, "a").standby(1).without(2).plan
        #expect(plan.decision(for: "a")?.verdict == .noUsableNode)
        #expect(plan.decision(for: "a")?.candidates.map(\.reasons) == [[.standby], [.unavailable(.lost)]])
        #expect(Situation("a").disabled("a").plan.decision(for: "a")?.verdict == .disabled)
    }

    @Test
    func `A node that keeps only what it has keeps it and takes nothing new`() {
        let situation = Situation(nodes: 2, "a", "b").on("a", 1).without(1, .keepsOnly)
        #expect(situation.places == [1, 2])
        #expect(situation.without(2).places == [1, 0])
    }

    @Test
    func `A node that is not spoken of takes nothing`() {
        #expect(Situation(nodes: 2, "a").changed { $0.nodes[NodeID(1)] = nil }.places == [2])
    }

    @Test
    func `An operator's move beats preferences and yields to bans`() {
        #expect(Situation("a").on("a", 1).location("a", 1, 5000).moving("a", to: 3).places == [3])
        #expect(Situation("a").on("a", 1).moving("a", to: 3).standby(3).places == [1])
    }

    @Test
    func `Three failures ban a node, two do not`() {
        #expect(Situation("a").on("a", 1).failed("a", 1, 2).places == [1])
        #expect(Situation("a").on("a", 1).failed("a", 1, 3).places == [2])
        #expect(Situation("a").on("a", 1, active: false).failed("a", 1, 1, stop: true).places == [2])
    }

    @Test
    func `What runs in spite of its failures stays if nobody else can take it`() {
        let banned = Situation(nodes: 2, "a").on("a", 1).failed("a", 1, 5).failed("a", 2, 3)
        #expect(banned.plan.decision(for: "a")?.verdict == .placed(NodeID(1), because: .staysDespiteFailures))
        #expect(banned.on("a", 1, active: false).places == [0])
        #expect(banned.standby(1).places == [0])
        #expect(banned.location("a", 1, .minusInfinity).places == [0])
    }

    @Test
    func `The reason of a choice is what it took to make it`() {
        func reason(_ situation: Situation) -> PlacementVerdict? { situation.plan.decision(for: "a")?.verdict }
        #expect(reason(Situation("a")) == .placed(NodeID(1), because: .lowestNumber))
        #expect(reason(Situation(nodes: 1, "a")) == .placed(NodeID(1), because: .onlyUsableNode))
        #expect(reason(Situation("a").location("a", 2, 1)) == .placed(NodeID(2), because: .highestScore))
        #expect(reason(Situation("b", "c", "a").on("b", 1).on("c", 2)) == .placed(NodeID(3), because: .fewestResources))
        let still = Situation("a").on("a", 2).changed { $0.configuration.properties.resourceStickiness = Score(0) }
        #expect(reason(still) == .placed(NodeID(2), because: .alreadyThere))
    }

    @Test
    func `Constraints that name nothing known are passed over`() {
        let situation = Situation("a").location("x", 2, 100).colocation("a", with: "x", .infinity)
            .colocation("x", with: "a", .minusInfinity).colocation("a", with: "a", .minusInfinity)
        #expect(situation.places == [1])
    }
}
