import AdminAPI
import ClusterModel
import Testing

@testable import Tour

@Suite
struct SoakReportTests {
    private func agent(_ change: (inout AgentView) -> Void = { _ in }) -> AgentView {
        var view = AgentView(node: "ctl1", incarnation: 3, uptime: 5_000, isRealtime: true)
        view.peersSuspected = 4
        view.peersLost = 2
        view.leaderChanges = 1
        view.assignments = 7
        change(&view)
        return view
    }

    private func period(after: AgentView?, _ change: (inout SoakPeriod) -> Void = { _ in }) -> SoakPeriod {
        var period = SoakPeriod(
            priority: .realtime,
            seconds: 600,
            busyProcessors: 1.96,
            processors: 2,
            records: [SoakRecord(host: "ctl1", before: agent(), after: after)],
            leaders: ("ctl2", "ctl2"),
            moved: []
        )
        change(&period)
        return period
    }

    @Test
    func `Counters that did not grow are a good record, whatever happened before`() {
        #expect(period(after: agent()).objections == [])
    }

    @Test
    func `A peer that was silent for a moment and came back spoils nothing`() {
        #expect(period(after: agent { $0.peersSuspected += 3 }).objections == [])
    }

    static let bad: [(change: @Sendable (inout AgentView) -> Void, text: String)] = [
        ({ $0.peersLost += 1 }, "ctl1 gave a peer up that lived once"),
        ({ $0.leaderChanges += 2 }, "ctl1 got another leader 2 times"),
        ({ $0.leasesEnded += 1 }, "ctl1 lost its lease once"),
        ({ $0.assignments += 1 }, "ctl1 learned that a resource was given to a node once"),
        ({ $0.incarnation += 1 }, "the agent of ctl1 was started again"),
        (
            { $0.isRealtime = false },
            "the agent of ctl1 does not run as it should: without real-time priority (does this machine allow it?)"
        ),
    ]

    @Test
    func `Where agents are stopped on purpose leases may end, and still nobody may be given up`() {
        func objections(_ change: @escaping (inout AgentView) -> Void, stopped: Int = 9) -> [String] {
            period(after: agent(change)) {
                $0.pauses = [SoakPause(host: "ctl1", count: stopped, longest: 480)]
            }.objections
        }
        #expect(objections { $0.leasesEnded += 4 } == [])
        #expect(objections { $0.assignments += 4 } == [])
        #expect(objections { $0.peersLost += 1 } == ["realtime priority: ctl1 gave a peer up that lived once"])
        #expect(objections { $0.leaderChanges += 1 } == ["realtime priority: ctl1 got another leader once"])
        #expect(objections({ _ in }, stopped: 0) == ["realtime priority: the agent of ctl1 was never stopped"])
        let paused = period(after: agent()) { $0.pauses = [SoakPause(host: "ctl1", count: 9, longest: 480)] }
        var report = SoakReport()
        report.periods = [paused]
        #expect(report.table.hasSuffix("agents stopped on purpose (realtime): ctl1 9 times, up to 480 ms"))
    }

    @Test(arguments: 0..<bad.count)
    func `What no load may bring about is told`(index: Int) {
        let after = agent(Self.bad[index].change)
        #expect(period(after: after).objections == ["realtime priority: \(Self.bad[index].text)"])
    }

    @Test
    func `An agent that gives no answer, another leader and a moved resource are told`() {
        let bad = period(after: nil) {
            $0.leaders.after = nil
            $0.moved = ["VirtualIP ctl1 -> ctl2"]
        }
        #expect(
            bad.objections == [
                "realtime priority: the agent of ctl1 gives no answer",
                "realtime priority: the leader changed from ctl2 to -",
                "realtime priority: moved: VirtualIP ctl1 -> ctl2",
            ]
        )
    }

    @Test
    func `Processors that were mostly idle prove nothing`() {
        let idle = period(after: agent()) { $0.busyProcessors = 1.8 }
        #expect(idle.objections == ["realtime priority: only 1.8 of 2 processors were kept busy"])
    }

    @Test
    func `The longest stall is one of the period, listed or the longest ever`() {
        func longest(_ before: AgentView, _ after: AgentView) -> Int64 {
            SoakRecord(host: "ctl1", before: before, after: after).longestStall
        }
        let before = agent {
            $0.longestStall = 900
            $0.stalls = [.init(uptime: 100, length: 900)]
        }
        #expect(longest(before, before) == 0)
        let short = agent {
            $0.longestStall = 900
            $0.stalls = [.init(uptime: 100, length: 900), .init(uptime: 6_000, length: 70)]
        }
        #expect(longest(before, short) == 70)
        #expect(longest(before, agent { $0.longestStall = 950 }) == 950)
    }

    @Test
    func `Idle programs that take more than promised are told`() {
        var report = SoakReport()
        report.idle = [
            IdleUse(host: "ctl1", agentProcessor: 1.9, agentMemory: 59, proxyMemory: 19),
            IdleUse(host: "ctl2", agentProcessor: 2, agentMemory: 61, proxyMemory: 20),
        ]
        #expect(
            report.objections == [
                "ctl2: the idle agent takes 2.0% of a processor, not below 2.0% of a processor",
                "ctl2: the idle agent takes 61.0 MB, not below 60.0 MB",
                "ctl2: the idle proxy takes 20.0 MB, not below 20.0 MB",
            ]
        )
    }

    @Test
    func `The table has a row for every host of every period`() {
        var report = SoakReport()
        report.periods = [period(after: agent { $0.stallCount = 2 }), period(after: nil)]
        let lines = report.table.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(
            lines[1].split(separator: " ") == ["realtime", "10.0", "2.0", "ctl1", "0", "0", "0", "0", "0", "2", "0"]
        )
        #expect(lines[2].contains("-"))
    }
}
