internal import AdminAPI
internal import ClusterModel
internal import FoundationEssentials
public import Lab
internal import LinuxIO

/// A cluster in a lab on a machine whose processors are all busy: nobody may be given up who lives.
public struct Soak {
    /// What the user chose.
    public struct Settings: Sendable {
        /// What to build; the lab must not be there yet.
        public var specification: LabSpecification
        /// How long the processors are busy, for each priority.
        public var minutes = 10.0
        /// How the agents run, one after the other.
        public var priorities = SoakPriority.allCases
        /// Stops each agent at random as well, for up to 80% of the time after which a node is lost.
        public var pauses = false
        /// Decides who is stopped when.
        public var seed: UInt64 = 1
        /// How long idle programs are watched, in seconds.
        public var idleSeconds = 20

        /// The usual soak of a lab.
        public init(specification: LabSpecification) { self.specification = specification }
    }

    /// More minutes are refused: the burners' own time-out must stay a number.
    public static let mostMinutes = 10_000.0
    /// The time between two lines about how it goes.
    private static let lookInterval = Duration.seconds(30)

    private let settings: Settings
    private let tell: (String) -> Void
    private let isInterrupted: () -> Bool

    /// Prepares a soak; see `Tour`.
    public init(_ settings: Settings, isInterrupted: @escaping () -> Bool, tell: @escaping (String) -> Void) {
        self.settings = settings
        self.isInterrupted = isInterrupted
        self.tell = tell
    }

    /// Goes through it, and removes the lab again.
    ///
    /// - Returns: Whether the verdict is good.
    public func run() throws -> Bool {
        tell("== a lab: three controllers, a client, three networks, a BMC for each controller")
        let lab = try Lab.up(settings.specification, isInterrupted: isInterrupted, progress: tell)
        defer { do { try Lab.down(settings.specification.name, progress: tell) } catch { tell("\(error)") } }
        let stage = Stage(lab: lab, tell: tell, isInterrupted: isInterrupted)
        try stage.setUp()
        _ = try stage.waitUntilHealthy()
        var report = SoakReport()
        tell("\n== nothing happens for \(settings.idleSeconds) s")
        report.idle = try idle(stage)
        tell(report.idleTable)
        for priority in settings.priorities {
            tell(
                "\n== all processors busy for \(SoakPeriod.tenths(settings.minutes)) min, \(priority.rawValue) priority"
            )
            try setPriority(priority, stage)
            report.periods.append(try burn(priority, stage))
        }
        return conclude(report)
    }

    private func conclude(_ report: SoakReport) -> Bool {
        tell("\n" + report.table)
        let objections = report.objections
        guard objections.isEmpty else {
            tell("\nVERDICT: NOT GOOD\n" + objections.map { "  \($0)" }.joined(separator: "\n"))
            return false
        }
        let leases = settings.pauses ? "" : ", no lease ended"
        tell("\nVERDICT: GOOD: no peer given up, no other leader\(leases), nothing moved")
        return true
    }

    private func idle(_ stage: Stage) throws -> [IdleUse] {
        func processorTimes() -> [Double] {
            stage.lab.hosts.map { HostProcesses(on: $0).processorTime(of: "havend") }
        }
        let before = processorTimes()
        let began = Clock.monotonic()
        try rest(.seconds(settings.idleSeconds), stage)
        let after = processorTimes()
        let seconds = Self.seconds(Clock.monotonic() - began)
        return zip(stage.lab.hosts, zip(before, after)).map { host, times in
            let processes = HostProcesses(on: host)
            return IdleUse(
                host: host.name,
                agentProcessor: (times.1 - times.0) / seconds * 100,
                agentMemory: processes.memory(of: "havend"),
                proxyMemory: processes.memory(of: "haven-proxy")
            )
        }
    }

    /// Restarts agents that run otherwise, one after the other, as an operator would.
    private func setPriority(_ priority: SoakPriority, _ stage: Stage) throws {
        let options = priority == .realtime ? "" : "--no-realtime"
        for host in stage.hosts {
            if stage.status(seenBy: host)?.agent?.isRealtime == (priority == .realtime) { continue }
            try stage.run(["tee", "/etc/default/havend"], on: host, input: "HAVEND_OPTIONS=\"\(options)\"\n")
            try stage.type(["haven", "cluster", "stop"], on: host)
            try stage.type(["haven", "cluster", "start"], on: host)
            _ = try stage.waitUntilHealthy()
        }
    }

    private func burn(_ priority: SoakPriority, _ stage: Stage) throws -> SoakPeriod {
        let before = try stage.waitUntilHealthy()
        let agents = try stage.hosts.map { host in
            guard let agent = stage.status(seenBy: host)?.agent else { throw TourError("\(host) gives no status") }
            return agent
        }
        let processors = ProcessInfo.processInfo.activeProcessorCount
        // Their own time-out is for a soak that was killed.
        let burners = try Burners(
            executable: settings.specification.executable,
            count: processors,
            seconds: Int(settings.minutes * 60) + 60
        )
        let pauses = try settings.pauses ? beginPauses(stage) : nil
        defer { _ = pauses?.end() }
        let load = ProcessorLoad()
        let began = Clock.monotonic()
        let end = began + .milliseconds(Int64(settings.minutes * 60_000))
        while Clock.monotonic() < end {
            try rest(min(Self.lookInterval, end - Clock.monotonic()), stage)
            guard burners.areBurning else { throw TourError("a burner has ended before its time") }
            tellNews(since: agents, began, stage)
        }
        let seconds = Self.seconds(Clock.monotonic() - began)
        let records = zip(stage.hosts, agents).map { host, before in
            SoakRecord(host: host, before: before, after: stage.status(seenBy: host)?.agent)
        }
        let tallies = pauses?.end()
        let busy = ProcessorLoad().busyShare(since: load) * Double(processors)
        burners.end()
        let after = try stage.waitUntilHealthy()
        let moved = before.resources.compactMap { resource -> String? in
            let (from, to) = (resource.node, stage.place(of: resource.name, in: after))
            return from == to ? nil : "\(resource.name) \(from ?? "-") -> \(to ?? "-")"
        }
        var period = SoakPeriod(
            priority: priority,
            seconds: seconds,
            busyProcessors: busy,
            processors: processors,
            records: records,
            leaders: (before.quorum.leader, after.quorum.leader),
            moved: moved
        )
        if let tallies {
            period.pauses = stage.hosts.map { host in
                let tally = tallies[host] ?? Pauses.Tally()
                return SoakPause(host: host, count: tally.count, longest: tally.longest.milliseconds)
            }
        }
        return period
    }

    private func beginPauses(_ stage: Stage) throws -> Pauses {
        guard let first = stage.hosts.first else { throw TourError("a lab without hosts") }
        let text = try stage.run(["haven", "property", "show", "--derived", "--json"], on: first)
        let timing = try JSONDecoder().decode(TimingView.self, from: Data(text.utf8))
        let limit = "\(Pauses.mostPercent)% of \(timing.lostAfter)"
        tell("agents are stopped at random for up to \(limit), seed \(settings.seed)")
        return Pauses(hosts: stage.lab.hosts, lostAfter: timing.lostAfter.duration, seed: settings.seed)
    }

    private func tellNews(since agents: [AgentView], _ began: Instant, _ stage: Stage) {
        let news = zip(stage.hosts, agents).map { host, before in
            let record = SoakRecord(host: host, before: before, after: stage.status(seenBy: host)?.agent)
            guard let lost = record.growth(of: \.peersLost), let stalls = record.growth(of: \.stallCount) else {
                return "\(host): no answer"
            }
            return "\(host): \(stalls) stalls, \(lost) peers lost"
        }
        tell("  after \(Int(Self.seconds(Clock.monotonic() - began))) s: " + news.joined(separator: "; "))
    }

    private func rest(_ time: Duration, _ stage: Stage) throws {
        let end = Clock.monotonic() + time
        while Clock.monotonic() < end {
            try stage.checkInterruption()
            Pause.until(min(end, Clock.monotonic() + Stage.lookInterval))
        }
    }

    private static func seconds(_ time: Duration) -> Double { Double(time.milliseconds) / 1000 }
}
