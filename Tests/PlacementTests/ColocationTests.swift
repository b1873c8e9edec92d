import ClusterModel
import Placement
import Testing

@Suite
struct ColocationTests {
    @Test
    func `A follower goes where its primary is, against its own wish`() {
        let situation = Situation("vip", "app").colocation("vip", with: "app", .infinity)
        #expect(situation.location("app", 2, 100).places == [2, 2])
        #expect(situation.location("app", 2, 100).location("vip", 3, 50).places == [2, 2])
    }

    @Test
    func `A primary heeds its follower's wishes where it has none`() {
        #expect(
            Situation("vip", "app").colocation("vip", with: "app", .infinity).location("vip", 3, 50).places == [3, 3]
        )
    }

    @Test
    func `Wishes travel along a chain`() {
        let chain = Situation("a", "b", "c").colocation("a", with: "b", .infinity).colocation("b", with: "c", .infinity)
        #expect(chain.location("a", 3, 1).places == [3, 3, 3])
        #expect(chain.moving("a", to: 2).places == [2, 2, 2])
        #expect(chain.failed("a", 1, 3).places == [2, 2, 2])
        #expect(chain.on("a", 2).on("b", 2).on("c", 2).places == [2, 2, 2])
    }

    @Test
    func `A follower that cannot run anywhere does not stop its primary`() {
        var situation = Situation(nodes: 2, "vip", "app").colocation("vip", with: "app", .infinity)
        situation = situation.location("vip", 1, .minusInfinity).location("vip", 2, .minusInfinity)
        #expect(situation.places == [0, 1])
    }

    @Test
    func `Without its primary a follower runs nowhere, and says so`() {
        let situation = Situation("vip", "app").colocation("vip", with: "app", .infinity).disabled("app")
        #expect(situation.plan.decision(for: "vip")?.verdict == .withoutPrimary("app"))
        #expect(Situation("vip", "app").colocation("vip", with: "app", Score(100)).disabled("app").places == [1, 0])
    }

    @Test
    func `A disabled follower has no say`() {
        let situation = Situation("vip", "app").colocation("vip", with: "app", .infinity).location("vip", 3, 50)
        #expect(situation.disabled("vip").places == [0, 1])
    }

    @Test
    func `Opponents part, and stop rather than meet`() {
        let situation = Situation(nodes: 2, "a", "b").colocation("a", with: "b", .minusInfinity)
        #expect(Set(situation.places) == [1, 2])
        #expect(situation.without(2).places == [0, 1])
    }

    @Test
    func `Advice is followed, and dropped where it would stop the resource`() {
        #expect(Situation("a", "b").colocation("a", with: "b", Score(10)).location("b", 3, 5).places == [3, 3])
        #expect(
            Situation("a", "b").colocation("a", with: "b", Score(-10)).location("a", 1, 5).location("b", 1, 5).places
                == [2, 1]
        )
        #expect(Situation(nodes: 1, "a", "b").colocation("a", with: "b", Score(-10)).places == [1, 1])
    }

    @Test
    func `Where two must run together the one that is placed first decides`() {
        let both = Situation("a", "b").location("a", 1, 10).location("b", 2, 20)
        #expect(both.colocation("a", with: "b", .infinity).places == [2, 2])
        #expect(both.colocation("b", with: "a", .infinity).places == [2, 2])
        #expect(both.colocation("b", with: "a", .infinity).location("a", 1, 20).places == [1, 1])
    }

    @Test
    func `Circles are opened the same way whatever runs where`() {
        let circle = Situation("a", "b", "c").colocation("a", with: "b", .infinity)
            .colocation("b", with: "c", .infinity).colocation("c", with: "a", .infinity)
        #expect(circle.places == [1, 1, 1])
        #expect(circle.on("a", 2).on("b", 2).on("c", 2).places == [2, 2, 2])
        let mixed = Situation("vip", "app").colocation("vip", with: "app", .infinity)
            .colocation("app", with: "vip", Score(20))
        #expect(mixed.on("app", 3).places == [3, 3])
        #expect(mixed.on("vip", 2).places == [2, 2])
        let graph = ColocationGraph(mixed.input.configuration, first: ["vip"])
        #expect(graph.mandatoryPrimaries(of: "vip") == ["app"])
        #expect(graph.namesInOrder == ["app", "vip"])
    }

    @Test
    func `A requirement is as strict as anything it must run with`() {
        let address = IPAddress(bytes: [10, 0, 0, 1]).map { VirtualIP(address: $0, prefixLength: 24) }
        let situation = Situation("vip", "db", "x").changed { input in
            if let address { input.configuration.resources[0].kind = .virtualIP(address) }
            input.configuration.resources[2].requires = .nothing
        }
        func requirement(_ situation: Situation, _ resource: ResourceName) -> Requirement? {
            ColocationGraph(situation.input.configuration).effectiveRequirement(of: resource)
        }
        #expect(requirement(situation, "vip") == .lease)
        #expect(requirement(situation.colocation("vip", with: "db", Score(500)), "vip") == .lease)
        #expect(requirement(situation.colocation("vip", with: "db", .minusInfinity), "vip") == .lease)
        #expect(requirement(situation.colocation("vip", with: "db", .infinity), "vip") == .fencing)
        #expect(requirement(situation.colocation("db", with: "vip", .infinity), "vip") == .lease)
        let chain = situation.colocation("x", with: "vip", .infinity).colocation("vip", with: "db", .infinity)
        #expect(requirement(chain, "x") == .fencing)
        #expect(requirement(chain, "gone") == nil)
    }
}
