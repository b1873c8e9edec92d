import ClusterModel
import Recovery
import Testing

/// How a node takes care of what it was given.
@Suite
struct ExecutorResourceTests {
    private static let configuration = Clusters.three().with(Clusters.address("vip"), Clusters.process("app"))

    private static func running(_ configuration: ClusterConfiguration = configuration) -> ExecutorScript {
        var script = ExecutorScript(configuration)
        script.lease(for: 1_000_000)
        script.order(["app": 5, "vip": 6], 1)
        script.end("start app")
        script.end("start vip")
        return script
    }

    /// The death of the process that the newest start left running.
    private static func kill(_ script: inout ExecutorScript, startedBy: UInt64) {
        script.give(.processExited("app", startedBy: startedBy, reason: "exit 1"))
    }

    @Test
    func `What runs when the agent starts is stopped before anything is said to be clean`() {
        var script = ExecutorScript(Clusters.three())
        script.give(.configuration(Self.configuration, version: 2))
        script.end("probe app", .succeeded)
        #expect(script.report?.version == 1)
        script.end("probe vip", .failed("no interface"))
        #expect(script.pending == ["stop app", "stop vip"])
        #expect(script.states == ["app@0 stopping", "vip@0 stopping"])
        script.end("stop app")
        script.end("stop vip")
        // What ran for certain is told even after it was stopped; of the other nothing is known but that it is gone.
        #expect(script.states == ["app@0 stopped"])
        #expect(script.report?.version == 2)
    }

    @Test
    func `A probe of all at once answers for those it names`() {
        var executor = NodeExecutor(node: NodeID(1), incarnation: 1, session: ExecutorScript.session)
        var effects: [ExecutorEffect] = []
        executor.receive(.probeFinished(["app": true]), now: .zero, into: &effects)
        #expect(!effects.contains { if case .run = $0 { true } else { false } })
    }

    @Test
    func `A process that dies is restarted at once, then after half a second, then after one`() {
        var script = Self.running()
        var start: UInt64 = 0
        for (number, pause) in [(1, 0), (2, 500), (3, 1000)] as [(Int, Int64)] {
            start = script.starts["app"] ?? 0
            Self.kill(&script, startedBy: start)
            #expect(script.pending == ["stop app"])
            #expect(script.states == ["app@5 starting \(number)", "vip@6 running"])
            script.end("stop app")
            if pause > 0 {
                script.wait(pause - 1)
                #expect(script.pending.isEmpty)
                script.wait(1)
            }
            #expect(script.pending == ["start app"])
            script.end("start app")
        }
        // The death of an earlier start is no news.
        Self.kill(&script, startedBy: start)
        #expect(script.pending.isEmpty)
    }

    @Test
    func `A monitor that fails counts like a death, a cancelled one does not`() {
        var script = Self.running()
        script.wait(10_000)
        #expect(script.pending == ["monitor app", "monitor vip"])
        script.end("monitor vip")
        script.end("monitor app", .timedOut)
        #expect(script.pending == ["stop app"])
        #expect(script.states == ["app@5 starting 1", "vip@6 running"])
        #expect(script.report?.resources.first?.reason == "monitor: timed out")
        script.end("stop app")
        script.end("start app")
        script.wait(10_000)
        script.order(["vip": 6], 2)
        #expect(script.effects.contains { if case .cancel = $0 { true } else { false } })
        script.end("monitor app", .cancelled)
        script.end("stop app")
        #expect(script.states == ["app@5 stopped 1", "vip@6 running"])
    }

    @Test
    func `A start that fails is cleaned up and left to the leader`() {
        var script = ExecutorScript(Self.configuration)
        script.lease(for: 1_000_000)
        script.order(["app": 5], 1)
        script.end("start app", .failed("no such file"))
        #expect(script.states == ["app@5 stopping 1"])
        script.end("stop app")
        #expect(script.states == ["app@5 failed 1"])
        #expect(script.pending.isEmpty)
        script.order(["app": 6], 2)
        #expect(script.pending == ["start app"])
    }

    @Test
    func `A stop that fails is followed by a kill and a look; only then is the state unknown, and tried again`() {
        var script = Self.running()
        script.order(["vip": 6], 2)
        script.end("stop app", .timedOut)
        #expect(script.pending == ["kill app"])
        script.end("kill app")
        #expect(script.pending == ["probe app"])
        script.end("probe app", .succeeded)
        #expect(script.states == ["app@5 unknown 1", "vip@6 running"])
        script.wait(10_000)
        #expect(script.pending.contains("stop app"))
        #expect(script.states.first == "app@5 unknown 1")
        script.end("stop app")
        #expect(script.states.first == "app@5 stopped 1")
    }

    @Test
    func `An operation whose end got lost times out by itself, and its late end changes nothing`() {
        var script = ExecutorScript(Self.configuration)
        script.lease(for: 1_000_000)
        script.order(["app": 5], 1)
        let lost = script.open
        let timeout = Self.configuration.resources.first { $0.name == "app" }?.operations.startTimeout.count ?? 0
        script.wait(timeout + 14_999)
        #expect(script.pending == ["start app"])
        script.wait(1)
        #expect(script.effects.contains { if case .cancel = $0 { true } else { false } })
        #expect(script.pending == ["start app", "stop app"])
        #expect(script.states == ["app@5 stopping 1"])
        for operation in lost.values {
            script.give(.operationEnded("app", operation: operation.id, .succeeded))
            script.give(.operationEnded("app", operation: operation.id, .succeeded))
        }
        #expect(script.states == ["app@5 stopping 1"])
        script.end("stop app")
        #expect(script.states == ["app@5 failed 1"])
    }

    @Test
    func `A kill that worked after a failed stop is as good as a stop`() {
        var script = Self.running()
        script.order(["vip": 6], 2)
        script.end("stop app", .failed("stuck"))
        script.end("kill app", .failed("it had gone"))
        script.end("probe app", .notRunning)
        #expect(script.states.first == "app@5 stopped")
    }

    @Test
    func `What must run together is started in order and stopped in reverse`() {
        let configuration = Self.configuration.colocated("vip", with: "app", .infinity)
        var script = ExecutorScript(configuration)
        script.lease(for: 1_000_000)
        script.order(["app": 5, "vip": 6], 1)
        #expect(script.pending == ["start app"])
        script.end("start app")
        #expect(script.pending == ["start vip"])
        script.end("start vip")
        script.order([:], 2)
        #expect(script.pending == ["stop vip"])
        script.end("stop vip")
        #expect(script.pending == ["stop app"])
    }

    @Test
    func `A follower stays while what it follows is restarted in place`() {
        var script = Self.running(Self.configuration.colocated("vip", with: "app", .infinity))
        Self.kill(&script, startedBy: script.starts["app"] ?? 0)
        script.end("stop app")
        #expect(script.pending == ["start app"])
        #expect(script.states.last == "vip@6 running")
    }

    @Test
    func `Changed parameters restart under the same epoch, changed time-outs do not`() {
        var script = Self.running()
        var changed = Self.configuration
        changed.resources[1].operations.startTimeout = 99_000
        changed.resources[0].stickiness = Score(7)
        script.give(.configuration(changed, version: 2))
        #expect(script.pending.isEmpty)
        changed.resources[1].kind = .process(ProcessSpecification(command: ["/bin/other"]))
        script.give(.configuration(changed, version: 3))
        #expect(script.open["stop app"]?.resource.kind == Self.configuration.resources[1].kind)
        script.end("stop app")
        #expect(script.open["start app"]?.resource.kind == changed.resources[1].kind)
        #expect(script.open["start app"]?.timeout == .seconds(99))
        script.end("start app")
        #expect(script.states == ["app@5 running", "vip@6 running"])
    }

    @Test
    func `A resource deleted from the configuration is stopped as it was started, then forgotten`() {
        var script = Self.running()
        var without = Self.configuration
        without.resources.removeLast()
        script.give(.configuration(without, version: 2))
        #expect(script.pending.isEmpty)
        script.order(["vip": 6], 2, version: 2)
        #expect(script.open["stop app"]?.resource == Self.configuration.resources[1])
        script.end("stop app")
        #expect(script.states == ["vip@6 running"])
    }

    @Test
    func `A report is repeated every second, and numbered anew only when it differs`() {
        var script = Self.running()
        let number = script.report?.sequence
        script.report = nil
        script.wait(999)
        #expect(script.report == nil)
        script.wait(1)
        #expect(script.report?.sequence == number)
        script.give(.leave)
        #expect(script.report?.leaving == true)
        #expect(script.report?.sequence == number.map { $0 + 1 })
    }

    /// It has said that it has nothing, and its departure may be on its way into the log behind an older assignment.
    @Test
    func `A node that leaves starts nothing that it is ordered to run`() {
        var script = Self.running()
        script.give(.leave)
        script.order([:], 2)
        for _ in 0..<2 { for name in script.open.keys.sorted() where name.hasPrefix("stop") { script.end(name) } }
        #expect(script.states.allSatisfy { $0.hasSuffix("stopped") })
        script.order(["vip": 6, "app": 7], 3)
        #expect(!script.open.keys.contains { $0.hasPrefix("start") })
    }

    @Test
    func `Checks are bounded in number`() {
        let many = (0..<40).map { Clusters.process("p\($0)") }
        var configuration = Clusters.three()
        configuration.resources = many
        var script = ExecutorScript(Clusters.three())
        script.give(.configuration(configuration, version: 2))
        #expect(script.pending.count == ExecutorLimits.concurrentChecks)
        for _ in 0..<200 { if let next = script.pending.first { script.end(next, .notRunning) } }
        #expect(script.report?.version == 2)
    }
}
