import ClusterModel
import Recovery
import Testing

/// Counting failures, forgetting them, and the small duties of a leader.
@Suite
struct CoreFailureTests {
    private static func running() -> CoreScript {
        var script = CoreScript(Clusters.three().with(Clusters.process("app")), after: .give("app", to: 2))
        script.report(1)
        script.report(3)
        script.report(2, [.running("app", 1)])
        return script
    }

    private static func failure(_ number: Int) -> Change {
        .failure(resource: "app", node: NodeID(2), reason: "r", stopFailed: false, epoch: 1, number: number)
    }

    @Test
    func `Each failure is counted once, by any number of reports and leaders`() {
        var script = Self.running()
        script.report(2, [.running("app", 1, failures: 2)])
        #expect(script.proposed == [Self.failure(1), Self.failure(2)])
        let state = script.state
        script.commit()
        script.report(2, [.running("app", 1, failures: 2)])
        #expect(script.proposed.isEmpty)
        // A leader that proposes them again, because it did not know, changes nothing.
        _ = script.state.apply(Command(change: Self.failure(2), proposedAt: 0))
        #expect(script.state.failures["app"]?[NodeID(2)]?.count == 2)
        #expect(state.failures.isEmpty)
    }

    @Test
    func `Failures of another epoch or of what is not assigned there are not counted`() {
        var script = Self.running()
        script.report(3, [.running("app", 1, failures: 2)])
        #expect(script.proposed.isEmpty)
        script.report(2, [.running("app", 0, failures: 2)])
        #expect(script.proposed.isEmpty)
    }

    @Test
    func `At the third failure the resource is moved`() {
        var script = Self.running()
        script.report(2, [.running("app", 1, failures: 3)])
        script.commit()
        #expect(script.orders(2).isEmpty)
        #expect(script.sheets[NodeID(2)]?.sequence == 2)
    }

    @Test
    func `Failures expire ten minutes after the newest, by the wall clock`() {
        var script = Self.running()
        script.report(2, [.running("app", 1, failures: 1)])
        script.commit()
        let cleanup = Change.cleanup(resource: "app", node: NodeID(2))
        script.wait(599_000)
        #expect(!script.proposed.contains(cleanup))
        script.wait(1000)
        #expect(script.proposed.contains(cleanup))
        // A clock that jumped does as well as one that ran.
        var jumped = Self.running()
        jumped.report(2, [.running("app", 1, failures: 1)])
        jumped.commit()
        jumped.give(.wallClock(700_000))
        #expect(jumped.proposed.contains(cleanup))
    }

    @Test
    func `A failed start pauses, unless an operator cleans up`() {
        var script = Self.running()
        let failed = ResourceReport(resource: "app", epoch: 1, state: .failed, failures: 1, reason: "r")
        script.report(2, [failed])
        script.commit()
        #expect(script.core.conditions == [.blocked("app", .pausesAfterFailure(NodeID(2)))])
        var cleaned = script
        cleaned.apply(.cleanup(resource: "app", node: nil))
        #expect(cleaned.proposed == [.give("app", to: 2)])
        script.wait(1000)
        #expect(script.proposed == [.give("app", to: 2)])
    }

    @Test
    func `A failed stop does not expire`() {
        var script = Self.running()
        script.apply(.failure(resource: "app", node: NodeID(2), reason: "", stopFailed: true))
        script.give(.wallClock(100_000_000))
        #expect(!script.proposed.contains { if case .cleanup = $0 { true } else { false } })
    }

    @Test
    func `A new incarnation is announced, and used only then`() {
        var script = Self.running()
        script.alive(3, incarnation: 4)
        #expect(script.proposed == [.announce(node: NodeID(3), incarnation: 4)])
    }

    /// A departure on record says that nothing runs there, whoever started it.
    @Test
    func `A leaving node that has not looked yet is not let go`() {
        var script = CoreScript(Clusters.three().with(Clusters.process("app")))
        script.report(1)
        script.report(3)
        script.report(2, probed: false, leaving: true)
        #expect(script.proposed.isEmpty)
        script.report(2, [.down("app", 0)], leaving: true)
        #expect(script.proposed.contains(.left(node: NodeID(2), incarnation: 1)))
    }

    @Test
    func `A leaving node is not let go while something is being given to it`() {
        var script = CoreScript(Clusters.three().with(Clusters.process("app")))
        script.report(1)
        script.report(2)
        script.report(3)
        guard case .assign(let given)? = script.proposed.first, let node = given.first?.node else {
            Issue.record("nothing is given to anybody: \(script.proposed)")
            return
        }
        script.report(node.rawValue, leaving: true)
        #expect(!script.proposed.contains(.left(node: node, incarnation: 1)))
    }

    @Test
    func `A leaving node is let go when it has nothing left`() {
        var script = Self.running()
        script.report(2, [.running("app", 1)], leaving: true)
        #expect(script.orders(2).isEmpty)
        script.report(2, [.down("app", 1)], leaving: true)
        script.commit()
        #expect(script.proposed == [.left(node: NodeID(2), incarnation: 1)])
    }

    @Test
    func `A move to where the resource cannot go is given up`() {
        var script = Self.running()
        var wanted = script.state.configuration
        wanted.nodes[2].standby = true
        script.apply(.configure(expected: 0, wanted), .move(resource: "app", to: NodeID(3)))
        #expect(script.effects.contains(.notice(.moveAbandoned("app", to: NodeID(3)))))
        #expect(script.proposed == [.moveEnded(resource: "app")])
        #expect(script.orders(2) == ["app@1"])
    }

    @Test
    func `A node that still looks for what runs gets no lease and no orders`() {
        var script = Self.running()
        script.alive(3, incarnation: 2)
        script.report(3, [], incarnation: 2, probed: false)
        #expect(script.effects.contains(.denyLease([NodeID(3)])))
        script.report(3, [], incarnation: 2)
        #expect(script.effects.contains(.denyLease([])))
    }
}
