import ClusterModel
import Recovery
import Testing

/// What runs on without a lease, because nobody starts it elsewhere before this node is verified off.
@Suite
struct ExecutorPatienceTests {
    private static let configuration = Clusters.three().with(Clusters.address("vip"), Clusters.process("app"))

    /// An address and a process that run under a lease of 480 ms.
    private static func running(_ configuration: ClusterConfiguration = configuration) -> ExecutorScript {
        var script = ExecutorScript(configuration)
        script.lease()
        script.order(["app": 5, "vip": 6], 1)
        script.end("start app")
        script.end("start vip")
        return script
    }

    @Test
    func `A process that only a fence frees runs on through an election, under the same epoch`() {
        var script = Self.running()
        script.wait(480)
        #expect(script.dropped == 1)
        #expect(script.pending == ["stop vip"])
        script.end("stop vip")
        script.wait(200)
        script.lease(for: 10_000, term: 2)
        script.order(["app": 5], 1, term: 2)
        #expect(script.pending.isEmpty)
        #expect(script.states == ["app@5 running", "vip@6 stopped"])
        script.wait(6000)
        #expect(script.pending.isEmpty)
    }

    @Test
    func `Patience ends`() {
        var script = Self.running()
        script.wait(480)
        script.end("stop vip")
        script.wait(4900)
        #expect(script.pending.isEmpty)
        script.wait(100)
        #expect(script.pending == ["stop app"])
        // A lease that comes now does not cancel it.
        script.lease(for: 10_000, term: 2)
        script.order(["app": 5], 1, term: 2)
        script.end("stop app")
        #expect(script.states == ["app@5 stopped", "vip@6 stopped"])
    }

    @Test(arguments: ["no fencing", "no device", "requires lease", "follows an address"])
    func `What the end of a lease frees stops with it`(why: String) {
        var configuration = Self.configuration
        switch why {
        case "no fencing": configuration.properties.stonithEnabled = false
        case "no device": configuration.fenceDevices.removeFirst()
        case "requires lease": configuration.resources[1].requires = .lease
        default: configuration = configuration.colocated("app", with: "vip", .infinity)
        }
        var script = ExecutorScript(configuration)
        script.lease()
        script.order(["app": 5, "vip": 6], 1)
        script.end("start vip")
        script.end("start app")
        #expect(script.states == ["app@5 running", "vip@6 running"])
        script.wait(480)
        #expect(script.pending.contains("stop app"))
    }

    @Test
    func `Without a lease nothing starts, not even again`() {
        var script = Self.running()
        script.wait(480)
        script.end("stop vip")
        guard let start = script.starts["app"] else { return #expect(Bool(false), "it was started") }
        script.give(.processExited("app", startedBy: start, reason: "signal 9"))
        script.end("stop app")
        #expect(script.pending.isEmpty)
        script.lease(for: 10_000, term: 2)
        #expect(script.pending.isEmpty)
        script.order(["app": 5], 1, term: 2)
        #expect(script.pending == ["start app"])
    }

    @Test
    func `Without a lease a sheet still takes back what it does not name`() {
        var script = Self.running()
        script.wait(480)
        script.end("stop vip")
        script.order([:], 1, term: 2)
        #expect(script.pending == ["stop app"])
    }

    @Test
    func `A configuration that switches fencing off ends patience`() {
        var script = Self.running()
        script.wait(480)
        script.end("stop vip")
        var configuration = Self.configuration
        configuration.properties.stonithEnabled = false
        script.give(.configuration(configuration, version: 2))
        #expect(script.pending == ["stop app"])
    }

    @Test
    func `A node that leaves has no patience`() {
        var script = Self.running()
        script.wait(480)
        script.end("stop vip")
        script.give(.leave)
        #expect(script.pending == ["stop app"])
    }

    /// The lost node may not know that fencing was switched off, and keep its process for as long as it has patience.
    @Test
    func `What was given out before fencing was switched off is recovered later than what was given out since`() {
        var state = ClusterState(configuration: Self.configuration)
        func apply(_ change: Change) { _ = state.apply(Command(change: change, proposedAt: 0)) }
        apply(.announce(node: NodeID(1), incarnation: 1))
        apply(.assign([NewAssignment(resource: "app", node: NodeID(1), incarnation: 1)]))
        #expect(state.requirementsEpoch == 0)
        var configuration = Self.configuration
        configuration.properties.resourceStickiness = Score(7)
        apply(.configure(expected: 0, configuration))
        #expect(state.requirementsEpoch == 0)
        configuration.properties.stonithEnabled = false
        apply(.configure(expected: 1, configuration))
        #expect(state.requirementsEpoch == 1)
        apply(.assign([NewAssignment(resource: "app", node: NodeID(1), incarnation: 1)]))
        #expect(state.assignments["app"]?.epoch == 2)
        #expect(state.requirementsEpoch == 1)
    }
}
