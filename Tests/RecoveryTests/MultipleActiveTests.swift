import ClusterModel
import Recovery
import Testing

/// What is done about a resource that is found running where nobody ordered it to (Pacemaker's multiple-active).
@Suite
struct MultipleActiveTests {
    private static let two = NodeID(2)
    private static let three = NodeID(3)

    private static func configuration(_ policy: MultipleActive?) -> ClusterConfiguration {
        var configuration = Clusters.three().with(Clusters.process("app")).located("app", on: "n2", Score(500))
        configuration.resources[0].multipleActive = policy
        return configuration
    }

    private static func found(_ state: ResourceRunState, epoch: Epoch = 0) -> ResourceReport {
        var report = ResourceReport(resource: "app", epoch: epoch, state: state)
        report.found = true
        return report
    }

    /// `app` runs on node 2 under epoch 1, and node 3, started anew, has found it as well.
    private static func double(_ policy: MultipleActive?, _ state: ResourceRunState = .stopping) -> CoreScript {
        var script = CoreScript(configuration(policy), after: .give("app", to: 2))
        script.report(1)
        script.report(2, [.running("app", 1)])
        script.report(3, [found(state)])
        return script
    }

    private static let note = Change.found(resource: "app", node: three, incarnation: 1, besides: two)

    @Test(arguments: [nil, .stopStart] as [MultipleActive?])
    func `By default all instances are stopped, then one is started`(policy: MultipleActive?) {
        var script = Self.double(policy)
        #expect(script.proposed == [Self.note])
        #expect(script.orders(2) == ["app@1"])
        script.commit()
        #expect(script.orders(2).isEmpty)
        script.report(2, [.down("app", 1)])
        // Not before the other instance is gone as well.
        #expect(!script.proposed.contains(.give("app", to: 2)))
        script.report(3, [Self.found(.stopped)])
        #expect(script.proposed.contains(.give("app", to: 2)))
        script.commit()
        #expect(script.orders(2) == ["app@2"])
        script.report(2, [.running("app", 2)])
        script.wait(5000)
        #expect(script.proposed.isEmpty && script.orders(2) == ["app@2"])
        #expect(script.core.conditions.isEmpty)
    }

    @Test
    func `A new leader knows what was found and when, and stops nothing a second time`() {
        var script = Self.double(nil)
        script.commit()
        script.report(2, [.down("app", 1)])
        script.report(3, [Self.found(.stopped)])
        script.commit()
        let state = script.state
        var next = CoreScript(state.configuration)
        next.state = state
        next.give(.applied(state))
        next.report(1)
        next.report(2, [.running("app", 2)])
        next.report(3, [Self.found(.stopped)])
        #expect(next.proposed.isEmpty && next.orders(2) == ["app@2"])
    }

    @Test
    func `With stop_only all are stopped and stay so until an operator cleans up`() {
        var script = Self.double(.stopOnly)
        script.commit()
        #expect(script.orders(2).isEmpty)
        script.report(3, [Self.found(.stopped)])
        script.report(2, [.down("app", 1)])
        #expect(script.proposed == [.release(resource: "app", epoch: 1)])
        script.commit()
        script.wait(10_000)
        #expect(script.proposed.isEmpty)
        #expect(script.core.conditions == [.blocked("app", .multipleActive(Self.three))])
        // A leader that does not know yet can give it to nobody.
        var late = script.state
        _ = late.apply(Command(change: .give("app", to: 2), proposedAt: 0))
        #expect(late.assignments["app"] == nil)
        script.apply(.cleanup(resource: "app", node: nil))
        #expect(script.proposed == [.give("app", to: 2)])
    }

    @Test
    func `With stop_unexpected only the instance that nobody ordered is stopped`() {
        var script = Self.double(.stopUnexpected)
        script.commit()
        #expect(script.orders(2) == ["app@1"])
        script.report(3, [Self.found(.stopped)])
        script.wait(5000)
        #expect(script.proposed.isEmpty && script.orders(2) == ["app@1"])
    }

    @Test
    func `With block nothing is done to any of them until one is left`() {
        var script = Self.double(.block, .running)
        script.commit()
        #expect(script.orders(2) == ["app@1"])
        #expect(script.sheets[Self.three]?.leave == ["app"])
        #expect(script.core.conditions == [.blocked("app", .multipleActive(Self.three))])
        // Not even when it should be elsewhere.
        var wanted = script.state.configuration
        wanted.nodes[1].standby = true
        script.apply(.configure(expected: script.state.version, wanted))
        #expect(script.orders(2) == ["app@1"])
        wanted.nodes[1].standby = false
        script.apply(.configure(expected: script.state.version, wanted))
        script.report(3, [])
        #expect(script.core.conditions.isEmpty && script.orders(2) == ["app@1"])
        #expect(script.sheets[Self.three]?.leave == nil)
    }

    @Test
    func `One instance alone is not active twice`() {
        var script = CoreScript(Self.configuration(.block))
        script.report(1)
        script.report(2)
        script.report(3, [Self.found(.running)])
        let alone = Change.found(resource: "app", node: Self.three, incarnation: 1, besides: nil)
        #expect(script.proposed == [alone])
        script.commit()
        #expect(script.state.strays?["app"]?.double == nil)
        #expect(script.sheets[Self.three]?.leave == nil)
        script.report(3, [Self.found(.stopped)])
        #expect(script.proposed == [.give("app", to: 2)])
        // Given to a node later, it has not been active twice for having been found before.
        script.commit()
        script.wait(3000)
        #expect(script.orders(2) == ["app@1"] && script.proposed.isEmpty)
    }

    @Test
    func `A second instance whose stop fails costs its node the power; a lone one does not`() {
        var script = Self.double(nil)
        script.commit()
        script.report(3, [Self.found(.unknown)])
        #expect(script.proposed.contains { if case .fenceOrdered(Self.three, _, _) = $0 { true } else { false } })
        var alone = CoreScript(Self.configuration(nil))
        alone.report(1)
        alone.report(2)
        alone.report(3, [Self.found(.unknown)])
        #expect(!alone.proposed.contains { if case .fenceOrdered = $0 { true } else { false } })
        #expect(alone.core.conditions.contains(.blocked("app", .strays(Self.three))))
    }

    // MARK: The node

    private static func executor(_ policy: MultipleActive?) -> ExecutorScript {
        var script = ExecutorScript(Clusters.three())
        var configuration = Clusters.three().with(Clusters.process("app"))
        configuration.resources[0].multipleActive = policy
        script.give(.configuration(configuration, version: 2))
        script.end("probe app")
        return script
    }

    @Test
    func `A node says what it found, stops it, and forgets it when it is given the resource`() {
        var script = Self.executor(nil)
        #expect(script.pending == ["stop app"])
        #expect(script.report?.resources == [Self.found(.stopping)])
        script.end("stop app")
        #expect(script.report?.resources == [Self.found(.stopped)])
        script.lease(for: 1_000_000)
        script.order(["app": 3], 1, version: 2)
        #expect(script.pending == ["start app"])
        script.end("start app")
        #expect(script.report?.resources.first?.found == nil && script.states == ["app@3 running"])
    }

    @Test
    func `With block a node leaves what it found until the leader has spoken, and looks at it`() {
        var script = Self.executor(.block)
        #expect(script.pending.isEmpty)
        #expect(script.report?.resources == [Self.found(.running)])
        script.lease(for: 1_000_000)
        var sheet = OrderSheet(term: 1, sequence: 1, session: ExecutorScript.session, version: 2, run: [])
        sheet.answers = script.report?.sequence ?? 0
        sheet.leave = ["app"]
        var alone = script
        script.give(.sheet(sheet, from: NodeID(2)))
        #expect(script.pending.isEmpty)
        script.wait(10_000)
        #expect(script.pending == ["probe app"])
        script.end("probe app")
        #expect(script.pending.isEmpty && script.report?.resources == [Self.found(.running)])
        script.wait(10_000)
        script.end("probe app", .notRunning)
        #expect(script.states.isEmpty)
        sheet.leave = nil
        alone.give(.sheet(sheet, from: NodeID(2)))
        #expect(alone.pending == ["stop app"])
    }
}
