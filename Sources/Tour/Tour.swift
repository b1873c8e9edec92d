internal import AdminAPI
public import ClusterModel
internal import FoundationEssentials
public import Lab
internal import LinuxIO

/// The guided tour: a cluster in a lab, what can happen to it, and what its clients see of that.
public struct Tour {
    /// What the user chose.
    public struct Settings: Sendable {
        /// What to build; the lab must not be there yet.
        public var specification: LabSpecification
        /// How often everything is done.
        public var runs = 1
        /// The cluster's profile.
        public var profile = TimingProfile.lan
        /// Leaves the lab running afterwards.
        public var keeps = false
        /// Where the figures go; nil for nowhere.
        public var report: String?

        /// The usual tour through a lab.
        public init(specification: LabSpecification) { self.specification = specification }
    }

    /// More runs are refused: each takes a minute or two.
    public static let mostRuns = 100

    private let settings: Settings
    private let tell: (String) -> Void
    private let isInterrupted: () -> Bool

    /// Prepares a tour.
    ///
    /// - Parameters:
    ///   - settings: What the user chose.
    ///   - isInterrupted: Asked often; once true it must stay so.
    ///   - tell: Prints a line at once.
    public init(_ settings: Settings, isInterrupted: @escaping () -> Bool, tell: @escaping (String) -> Void) {
        self.settings = settings
        self.isInterrupted = isInterrupted
        self.tell = tell
    }

    /// Goes through it, and removes the lab again unless it is to be kept.
    ///
    /// - Returns: Whether the verdict is good.
    public func run() throws -> Bool {
        tell("== a lab: three controllers, a client, three networks, a BMC for each controller")
        let lab = try Lab.up(settings.specification, isInterrupted: isInterrupted, progress: tell)
        let directory = "/tmp/haven-tour-\(Clock.wallMilliseconds())"
        defer {
            if settings.keeps && !isInterrupted() {
                tell("the lab stays; what the clients saw is in \(directory). Look around with: haven lab status")
            } else {
                try? FileManager.default.removeItem(atPath: directory)
                do { try Lab.down(settings.specification.name, progress: tell) } catch { tell("\(error)") }
            }
        }
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let stage = Stage(lab: lab, tell: tell, isInterrupted: isInterrupted)
        try stage.setUp()
        try stage.use(settings.profile)
        let view = try stage.waitUntilHealthy()
        tell(
            "\nthe cluster is healthy: leader \(view.quorum.leader ?? "-"), "
                + "\(Stage.addressResource) on \(stage.place(of: Stage.addressResource, in: view) ?? "-")"
        )
        var report = TourReport()
        do {
            try measure(stage, directory, &report)
        } catch {
            if !report.results.isEmpty { tell("\n" + report.table) }
            throw error
        }
        return try conclude(report)
    }

    private func measure(_ stage: Stage, _ directory: String, _ report: inout TourReport) throws {
        let clients = try Clients(stage, directory: directory)
        defer { clients.end() }
        try clients.waitUntilAnswered(clients.serving, after: Clock.monotonic())
        var itinerary = Itinerary(stage: stage, clients: clients, previousEnd: Clock.monotonic())
        for run in 1...settings.runs {
            for step in StepName.allCases {
                tell("\n== \(settings.runs > 1 ? "run \(run) of \(settings.runs): " : "")\(step.title)")
                report.results.append(try itinerary.perform(step))
            }
        }
    }

    private func conclude(_ report: TourReport) throws -> Bool {
        tell("\n" + report.table)
        if let path = settings.report {
            try Data(try report.json().utf8).write(to: URL(fileURLWithPath: path))
            tell("\nwritten: \(path)")
        }
        let objections = report.objections
        guard objections.isEmpty else {
            tell("\nVERDICT: NOT GOOD\n" + objections.map { "  \($0)" }.joined(separator: "\n"))
            return false
        }
        tell(
            "\nVERDICT: GOOD: never two owners of \(Stage.address), sessions kept unless their server died, "
                + "no wrong answer"
        )
        return true
    }
}
