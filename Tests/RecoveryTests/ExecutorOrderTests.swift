import ClusterModel
import Recovery
import Testing

/// Which orders a node obeys (RULE 4.3-d).
@Suite
struct ExecutorOrderTests {
    private static let configuration = Clusters.three().with(Clusters.address("vip"), Clusters.process("app"))

    /// The same where nothing is ever fenced, so that the end of a lease frees a process too.
    private static let leased = Clusters.three(fencing: false).with(Clusters.address("vip"), Clusters.process("app"))

    private static func running() -> ExecutorScript {
        var script = ExecutorScript(configuration)
        script.lease(for: 10_000)
        script.order(["app": 5], 1)
        script.end("start app")
        return script
    }

    @Test
    func `An order under a lease starts, an order withdrawn stops`() {
        var script = Self.running()
        #expect(script.states == ["app@5 running"])
        script.order([:], 2)
        #expect(script.pending == ["stop app"])
        script.end("stop app")
        #expect(script.states == ["app@5 stopped"])
        #expect(script.report?.sheetSequence == 2)
    }

    @Test
    func `Nothing starts without a lease, before probing, or before the configuration is there`() {
        var script = ExecutorScript(Self.configuration)
        script.order(["app": 5], 1)
        #expect(script.pending.isEmpty)
        var unprobed = ExecutorScript(Clusters.three())
        unprobed.give(.configuration(Self.configuration, version: 2))
        unprobed.lease()
        unprobed.order(["app": 5], 1)
        #expect(unprobed.pending == ["probe app", "probe vip"])
        var early = ExecutorScript(Self.configuration)
        early.lease()
        early.order(["app": 5], 1, version: 7)
        #expect(early.pending.isEmpty)
        early.give(.configuration(Self.configuration, version: 7))
        #expect(early.pending == ["start app"])
    }

    @Test
    func `Orders for another session, of an older number or an older term change nothing`() {
        var script = Self.running()
        script.order([:], 9, session: Random128(high: 9, low: 9))
        script.order([:], 0)
        #expect(script.pending.isEmpty)
        #expect(script.executor.refusedSheets == 2)
        script.lease(for: 10_000, term: 3)
        script.order([:], 7, term: 2)
        #expect(script.pending.isEmpty)
        #expect(script.states == ["app@5 running"])
    }

    @Test
    func `A late copy of an order that was taken back starts nothing, even if it never arrived before`() {
        var script = ExecutorScript(Self.configuration)
        script.lease(for: 10_000)
        script.order([:], 2)
        script.order(["app": 5], 1)
        #expect(script.pending.isEmpty)
    }

    @Test
    func `An order taken back while there is no lease is refused under the next one`() {
        var script = ExecutorScript(Self.configuration)
        script.order([:], 2)
        #expect(script.report?.sheetSequence == 2)
        script.lease()
        script.order(["app": 5], 1)
        #expect(script.pending.isEmpty)
    }

    @Test
    func `An order from before the present lease is refused, because it may have been recovered elsewhere`() {
        var script = ExecutorScript(Self.configuration)
        script.lease()
        let early = script.report?.sequence
        script.wait(500)
        script.lease()
        script.order(["app": 5], 1, answers: early)
        #expect(script.pending.isEmpty)
        #expect(script.report?.sheetSequence == 0)
        script.order(["app": 5], 1)
        #expect(script.pending == ["start app"])
    }

    @Test
    func `Orders of a new leader wait for its lease, and then count`() {
        var script = Self.running()
        script.order([:], 1, term: 2)
        #expect(script.pending.isEmpty)
        script.lease(for: 10_000, term: 2)
        #expect(script.pending == ["stop app"])
    }

    @Test
    func `A deposed leader's order that comes late is refused by term`() {
        var script = ExecutorScript(Self.configuration)
        script.lease(for: 10_000, term: 2)
        script.order(["app": 5], 1, term: 1)
        #expect(script.pending.isEmpty)
        #expect(script.executor.refusedSheets == 1)
    }

    @Test
    func `An epoch that was stopped is never started again`() {
        var script = Self.running()
        script.order([:], 2)
        script.end("stop app")
        script.order(["app": 5], 3)
        script.order(["app": 4], 4)
        #expect(script.pending.isEmpty)
        script.order(["app": 6], 5)
        #expect(script.pending == ["start app"])
    }

    @Test
    func `A new epoch for what runs is taken over without a stop`() {
        var script = Self.running()
        script.order(["app": 8], 2)
        #expect(script.pending.isEmpty)
        #expect(script.states == ["app@8 running"])
    }

    @Test
    func `When the lease ends addresses go at once and the rest is stopped; a new lease does not cancel that`() {
        var script = ExecutorScript(Self.leased)
        script.lease()
        script.order(["app": 5, "vip": 6], 1)
        script.end("start app")
        script.end("start vip")
        script.wait(480)
        #expect(script.dropped == 1)
        #expect(script.pending == ["stop app", "stop vip"])
        script.lease()
        script.order(["app": 5, "vip": 6], 1)
        script.end("stop app")
        script.end("stop vip")
        #expect(script.pending.isEmpty)
        #expect(script.states == ["app@5 stopped", "vip@6 stopped"])
    }

    @Test
    func `An epoch is void with its lease even while a monitor delays the stop and the order is repeated`() {
        var script = ExecutorScript(Self.leased)
        script.lease(for: 10_100)
        script.order(["app": 5], 1)
        script.end("start app")
        script.wait(10_000)
        #expect(script.pending == ["monitor app"])
        script.wait(100)
        script.lease(for: 10_000)
        script.order(["app": 5], 2)
        script.end("monitor app", .cancelled)
        #expect(script.pending == ["stop app"])
    }

    @Test
    func `A lease that ended unnoticed counts as ended, whatever comes first`() {
        var script = ExecutorScript(Self.leased)
        script.lease()
        script.order(["app": 5], 1)
        script.end("start app")
        script.now = script.now + .seconds(2)
        script.lease()
        #expect(script.dropped == 1)
        #expect(script.pending == ["stop app"])
    }

    @Test
    func `A start under way when the lease ends is cut short and cleaned up`() {
        var script = ExecutorScript(Self.leased)
        script.lease()
        script.order(["app": 5], 1)
        script.wait(480)
        #expect(script.effects.contains { if case .cancel = $0 { true } else { false } })
        script.end("start app", .cancelled)
        #expect(script.pending == ["stop app"])
    }

    @Test
    func `What requires nothing runs on without a lease`() {
        var configuration = Self.configuration
        configuration.resources[1].requires = .nothing
        var script = ExecutorScript(configuration)
        script.lease()
        script.order(["app": 5], 1)
        script.end("start app")
        script.wait(480)
        #expect(script.dropped == 1)
        #expect(script.states == ["app@5 running"])
    }
}
