import ClusterModel
import Recovery
import Testing

/// When a leader gives a resource to a node, and when it takes it back (RULES 4.3-d, F6, F10).
@Suite
struct CoreAssignmentTests {
    private static let configuration = Clusters.three().with(Clusters.address("vip"), Clusters.process("app"))

    /// `app` runs on node 2 under epoch 1, ordered by this leader.
    private static func running(_ configuration: ClusterConfiguration = configuration) -> CoreScript {
        var configuration = configuration
        configuration.resources.removeAll { $0.name == "vip" }
        var script = CoreScript(configuration, after: .give("app", to: 2))
        script.report(1)
        script.report(3)
        script.report(2, [.running("app", 1)])
        return script
    }

    private static func standby(_ script: inout CoreScript, _ node: Int) {
        var wanted = script.state.configuration
        wanted.nodes[node - 1].standby = true
        script.apply(.configure(expected: script.state.version, wanted))
    }

    @Test
    func `An order goes out only after it was applied from the log`() {
        var script = CoreScript(Self.configuration)
        script.report(1)
        script.report(2)
        #expect(script.proposed.isEmpty)
        script.report(3)
        let proposed = script.proposed
        #expect(
            proposed == [
                .assign([
                    NewAssignment(resource: "vip", node: NodeID(1), incarnation: 1),
                    NewAssignment(resource: "app", node: NodeID(2), incarnation: 1),
                ])
            ]
        )
        script.wait(100)
        #expect(script.orders(1).isEmpty && script.orders(2).isEmpty)
        script.apply(proposed[0])
        #expect(script.orders(1) == ["vip@1"] && script.orders(2) == ["app@2"])
    }

    @Test
    func `A proposal is made once, and again only when it must be lost`() {
        var script = CoreScript(Self.configuration)
        script.settle()
        #expect(!script.proposed.isEmpty)
        script.wait(1999)
        #expect(script.proposed.isEmpty)
        script.wait(1)
        #expect(!script.proposed.isEmpty)
    }

    @Test
    func `A new leader keeps what runs where it runs`() {
        let script = Self.running()
        #expect(script.orders(2) == ["app@1"])
        #expect(script.proposed.isEmpty)
    }

    @Test
    func `A move waits for the stop, then release and assignment go together`() {
        var script = Self.running()
        Self.standby(&script, 2)
        #expect(script.orders(2).isEmpty)
        script.report(2, [.running("app", 1)], answering: 1)
        script.report(2, [.down("app", 1, .stopping)])
        #expect(script.proposed.isEmpty)
        script.report(2, [.down("app", 1)])
        #expect(script.proposed == [.release(resource: "app", epoch: 1), .give("app", to: 1)])
    }

    @Test
    func `An order that never arrived counts as taken back only when a later sheet is answered`() {
        var script = Self.running()
        // The node knows nothing of the resource: its sheet was lost.
        script.report(2, [], answering: 0)
        #expect(script.proposed.isEmpty)
        Self.standby(&script, 2)
        script.report(2, [], answering: 1)
        #expect(script.proposed.isEmpty)
        script.report(2, [], answering: 2)
        #expect(script.proposed == [.release(resource: "app", epoch: 1), .give("app", to: 1)])
    }

    @Test
    func `A sheet that was sent before a node was lost takes nothing back`() {
        var script = Self.running()
        script.lost(2, leaseOverIn: 10_000)
        script.apply(.fenceOrdered(node: NodeID(2), incarnation: 1, reason: ""))
        script.report(2, [], answering: 1)
        script.alive(2, lease: false)
        // The node came back and says that it follows the sheet that still held the order.
        script.report(2, [], answering: 1)
        #expect(!script.proposed.contains { if case .release = $0 { true } else { false } })
    }

    @Test
    func `A report of an earlier session or an older number says nothing`() {
        var script = Self.running()
        Self.standby(&script, 2)
        script.give(
            .report(
                NodeReport(
                    node: NodeID(2),
                    incarnation: 1,
                    session: CoreScript.session(2, 9),
                    sequence: 99,
                    sheetTerm: 7,
                    sheetSequence: 2,
                    probed: true,
                    resources: [.down("app", 1)]
                )
            )
        )
        #expect(script.proposed.isEmpty)
    }

    @Test
    func `What requires a lease follows when the lease and grace are over, not before`() {
        var script = CoreScript(Clusters.three().with(Clusters.address("vip")), after: .give("vip", to: 2))
        script.report(1)
        script.report(3)
        script.report(2, [.running("vip", 1)])
        script.lost(2, leaseOverIn: 50)
        script.wait(149)
        #expect(!script.proposed.contains(.release(resource: "vip", epoch: 1)))
        script.wait(1)
        #expect(script.proposed == [.release(resource: "vip", epoch: 1), .give("vip", to: 1)])
    }

    @Test(arguments: [nil, .nothing, .watchdog] as [SelfFence?])
    func `What a watchdog ends has its time from the end of the lease on`(selfFence: SelfFence?) {
        var configuration = Self.configuration
        configuration.properties.stonithEnabled = false
        configuration.properties.selfFence = selfFence
        configuration.properties.watchdogTimeout = 4000
        var script = CoreScript(configuration, after: .give("app", to: 2))
        script.report(1)
        script.report(3)
        script.report(2, [.running("app", 1)])
        script.lost(2, leaseOverIn: 50)
        let wait = selfFence == .watchdog ? 5000 : 0
        script.wait(Int64(149 + wait))
        #expect(!script.proposed.contains(.release(resource: "app", epoch: 1)))
        script.wait(1)
        #expect(script.proposed.contains(.release(resource: "app", epoch: 1)))
    }

    @Test
    func `A restarted agent frees what it had only after it has looked, knowing the present configuration`() {
        var script = Self.running()
        script.alive(2, incarnation: 2)
        script.apply(.announce(node: NodeID(2), incarnation: 2))
        script.report(2, [], incarnation: 2, probed: false)
        #expect(!script.proposed.contains(.release(resource: "app", epoch: 1)))
        script.report(2, [.down("app", 0, .stopping)], incarnation: 2)
        #expect(!script.proposed.contains(.release(resource: "app", epoch: 1)))
        script.report(2, [], incarnation: 2)
        #expect(
            script.proposed == [
                .release(resource: "app", epoch: 1), .give("app", to: 2, incarnation: 2),
            ]
        )
    }

    @Test
    func `What runs astray is not started elsewhere meanwhile`() {
        var script = CoreScript(Self.configuration)
        script.report(1)
        script.report(2)
        script.report(3, [.running("app", 0)])
        #expect(script.proposed == [.give("vip", to: 1)])
        #expect(script.core.conditions.contains(.blocked("app", .strays(NodeID(3)))))
        script.report(3)
        #expect(script.proposed.contains(.give("app", to: 2)))
    }

    @Test
    func `What must be apart is assigned only when the other has left`() {
        var script = Self.running(Self.configuration.with(Clusters.process("rival")))
        var wanted = script.state.configuration.colocated("rival", with: "app", .minusInfinity)
        script.apply(.configure(expected: script.state.version, wanted))
        script.apply(.give("rival", to: 1))
        script.report(1, [.running("rival", 2)])
        // Now each shall be where the other is.
        wanted = wanted.located("app", on: "n1", .infinity).located("rival", on: "n2", .infinity)
        script.apply(.configure(expected: script.state.version, wanted))
        script.report(1, [.down("rival", 2)])
        #expect(script.proposed == [.release(resource: "rival", epoch: 2)])
        #expect(script.core.conditions.contains(.blocked("rival", .waitsForResource("app"))))
    }

    @Test
    func `A primary does not start while its follower is still elsewhere`() {
        let configuration = Self.configuration.with(Clusters.process("web")).colocated("web", with: "app", .infinity)
        var script = Self.running(configuration)
        script.apply(.give("web", to: 2))
        script.report(2, [.running("app", 1), .running("web", 2)])
        Self.standby(&script, 2)
        script.report(2, [.down("app", 1), .down("web", 2, .stopping)])
        #expect(script.proposed == [.release(resource: "app", epoch: 1)])
        script.report(2, [.down("app", 1), .down("web", 2)])
        #expect(
            script.proposed.last
                == .assign([
                    NewAssignment(resource: "app", node: NodeID(1), incarnation: 1),
                    NewAssignment(resource: "web", node: NodeID(1), incarnation: 1),
                ])
        )
    }

    @Test
    func `A resource that stopped by the end of a lease is given to the same node anew`() {
        var script = Self.running()
        script.report(2, [.down("app", 1)])
        #expect(script.proposed == [.give("app", to: 2)])
    }

    @Test
    func `A node without a lease keeps its resources for a second, then loses them`() {
        var script = Self.running()
        script.alive(2, lease: false)
        script.report(2, [.down("app", 1)])
        #expect(script.proposed == [.give("app", to: 2)])
        script.commit()
        script.wait(1000)
        #expect(script.orders(2).isEmpty)
        // It cannot start what it was given, but it can promise that it never will.
        script.report(2, [.down("app", 1)])
        #expect(script.proposed == [.release(resource: "app", epoch: 2), .give("app", to: 1)])
    }

    /// A deaf node counts as lost as soon as it is given anything, and as heard again when it has nothing: given it anew,
    /// a resource would go to and fro for ever.
    @Test
    func `A node without a lease is given nothing again because it was lost in between`() {
        var script = Self.running(Clusters.three(fencing: false).with(Clusters.process("app")))
        script.alive(2, lease: false)
        script.wait(1000)
        script.lost(2)
        script.wait(100)
        #expect(script.proposed == [.release(resource: "app", epoch: 1), .give("app", to: 1)])
        script.commit()
        script.report(1, [.running("app", 2)])
        script.apply(.move(resource: "app", to: NodeID(2)))
        script.alive(2, lease: false)
        script.report(2, [.down("app", 1)])
        #expect(!script.proposed.contains(.give("app", to: 2)))
        #expect(script.orders(1).count == 1)
    }

    @Test
    func `Sheets are repeated until they are answered, and at once to a node that refused one`() {
        var script = CoreScript(Self.configuration)
        // The first was made before any report was heard.
        script.report(1, [], answering: 0)
        #expect(script.sheets[NodeID(1)]?.answers == 1)
        script.report(1, [], answering: 0)
        #expect(script.effects.isEmpty)
        script.wait(10)
        #expect(script.sheets[NodeID(1)]?.answers == 2)
        script.report(1)
        script.wait(190)
        let targets = script.effects.compactMap { if case .send(_, let node) = $0 { node } else { nil } }
        #expect(targets == [NodeID(2), NodeID(3)])
    }

    @Test
    func `A deleted resource is stopped and released before it is forgotten`() {
        var script = Self.running()
        var wanted = script.state.configuration
        wanted.resources = []
        script.apply(.configure(expected: script.state.version, wanted))
        #expect(script.orders(2).isEmpty)
        script.report(2, [.down("app", 1)])
        #expect(script.proposed == [.release(resource: "app", epoch: 1)])
    }
}
