import ClusterModel
import Recovery
import Testing

/// What is left to the operator is left alone (architecture S7).
@Suite
struct MaintenanceTests {
    private static let configuration = Clusters.three().with(Clusters.address("vip"), Clusters.process("app"))

    /// Ways to leave `app` on node 1 to the operator.
    static let ways: [@Sendable (inout ClusterConfiguration) -> Void] = [
        { $0.properties.maintenanceMode = true },
        { $0.nodes[0].maintenance = true },
        { $0.resources[1].managed = false },
    ]

    private static func kept(_ way: Int) -> ClusterConfiguration {
        var configuration = configuration
        ways[way](&configuration)
        return configuration
    }

    private static func running() -> ExecutorScript {
        var script = ExecutorScript(configuration)
        script.lease(for: 1_000_000)
        script.order(["app": 5, "vip": 6], 1)
        script.end("start app")
        script.end("start vip")
        return script
    }

    @Test(arguments: 0..<ways.count)
    func `A node neither stops nor monitors what is left to the operator, until that ends`(way: Int) {
        var script = Self.running()
        script.give(.configuration(Self.kept(way), version: 2))
        script.order(["vip": 6], 2, version: 2)
        script.wait(60_000)
        #expect(!script.pending.contains { $0.hasSuffix(" app") })
        script.give(.configuration(Self.configuration, version: 3))
        #expect(script.pending.contains("stop app"))
    }

    @Test(arguments: 0..<ways.count)
    func `A process that dies meanwhile is started again when the cluster looks after it again`(way: Int) {
        var script = Self.running()
        script.give(.configuration(Self.kept(way), version: 2))
        script.give(.processExited("app", startedBy: script.starts["app"] ?? 0, reason: "exit 1"))
        #expect(!script.pending.contains { $0.hasSuffix(" app") })
        script.give(.configuration(Self.configuration, version: 3))
        script.end("stop app")
        #expect(script.pending.contains("start app"))
    }

    @Test(arguments: 0..<ways.count)
    func `Nothing is started that is left to the operator`(way: Int) {
        var script = ExecutorScript(Self.kept(way))
        script.lease(for: 1_000_000)
        script.order(["app": 5], 1)
        #expect(script.pending.isEmpty)
        script.give(.configuration(Self.configuration, version: 2))
        #expect(script.pending == ["start app"])
    }

    @Test
    func `The end of the lease takes addresses in maintenance too, and after a while what only a fence may recover`() {
        var script = Self.running()
        script.give(.configuration(Self.kept(0), version: 2))
        script.give(.lease(until: nil, term: 1))
        #expect(script.pending == ["stop vip"])
        script.wait(4_999)
        #expect(script.pending == ["stop vip"])
        script.wait(1)
        #expect(script.pending == ["stop app", "stop vip"])
    }

    @Test
    func `A node that is told to leave stops what it runs, in maintenance too`() {
        var script = Self.running()
        script.give(.configuration(Self.kept(0), version: 2))
        script.give(.leave)
        script.order([:], 2, version: 2)
        #expect(script.pending == ["stop app", "stop vip"])
    }

    // The leader.

    /// `app` runs on node 2 under epoch 1.
    private static func led() -> CoreScript {
        var configuration = configuration
        configuration.resources.removeFirst()
        var script = CoreScript(configuration, after: .give("app", to: 2))
        script.report(1)
        script.report(3)
        script.report(2, [.running("app", 1)])
        return script
    }

    private static func change(_ script: inout CoreScript, _ change: (inout ClusterConfiguration) -> Void) {
        var wanted = script.state.configuration
        change(&wanted)
        script.apply(.configure(expected: script.state.version, wanted))
    }

    private static let ledWays: [@Sendable (inout ClusterConfiguration, Bool) -> Void] = [
        { $0.properties.maintenanceMode = $1 },
        { $0.nodes[1].maintenance = $1 },
        { $0.resources[0].managed = !$1 },
    ]

    @Test(arguments: 0..<3)
    func `A leader moves nothing that is left to the operator, until that ends`(way: Int) {
        var script = Self.led()
        Self.change(&script) { Self.ledWays[way](&$0, true) }
        Self.change(&script) { $0.nodes[1].standby = true }
        script.wait(60_000)
        #expect(script.orders(2) == ["app@1"] && script.proposed.isEmpty)
        Self.change(&script) { Self.ledWays[way](&$0, false) }
        #expect(script.orders(2).isEmpty)
    }

    @Test(arguments: 0..<2)
    func `A node in maintenance that is lost is not powered off before the maintenance ends`(way: Int) {
        let ordered = Change.fenceOrdered(node: NodeID(2), incarnation: 1, reason: "the node is lost")
        var script = Self.led()
        Self.change(&script) { Self.ledWays[way](&$0, true) }
        script.lost(2)
        script.wait(60_000)
        #expect(script.proposed.isEmpty && script.fenced.isEmpty)
        Self.change(&script) { Self.ledWays[way](&$0, false) }
        #expect(script.proposed.contains(ordered))
    }

    @Test
    func `A node in maintenance is given nothing, the others are`() {
        var script = CoreScript(Clusters.three().with(Clusters.process("app")))
        Self.change(&script) { configuration in
            for index in 0...1 { configuration.nodes[index].maintenance = true }
        }
        script.settle()
        #expect(script.proposed == [.give("app", to: 3)])
        var none = CoreScript(Clusters.three().with(Clusters.process("app")))
        Self.change(&none) { $0.properties.maintenanceMode = true }
        none.settle()
        none.wait(60_000)
        #expect(none.proposed.isEmpty)
    }

    @Test
    func `A node that leaves gives up what is left to the operator, and nobody else gets it`() {
        var script = Self.led()
        Self.change(&script) { $0.resources[0].managed = false }
        script.report(2, [.running("app", 1)], leaving: true)
        #expect(script.orders(2).isEmpty)
        script.report(2, [.down("app", 1)], leaving: true)
        script.commit()
        #expect(script.state.assignments.isEmpty && script.orders(1).isEmpty && script.orders(3).isEmpty)
    }
}
