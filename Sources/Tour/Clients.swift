internal import ClusterModel
internal import FoundationEssentials
internal import Lab
internal import LinuxIO

/// Everything that watches the cluster from outside while the tour does something to it.
final class Clients {
    let web: ProbeLog
    let stream: ProbeLog
    let solo: ProbeLog
    let sessions: ProbeLog
    let questions: ProbeLog
    let watch: OwnerWatch
    private let stage: Stage

    /// How many sessions are held.
    static let sessionCount = 6
    /// How long clients must be answered without a break until a fault counts as over.
    private static let calm = Duration.milliseconds(600)
    /// How long they may take for that, with a fence before it.
    private static let patience = Duration.seconds(60)

    /// Starts all of them; what they write goes into a directory.
    init(_ stage: Stage, directory: String) throws {
        self.stage = stage
        func probe(_ name: String, _ port: UInt16, _ words: [String] = []) throws -> ProbeLog {
            let endpoint = "\(Stage.address):\(port)"
            return try ProbeLog(name, stage.lab, ["probe", endpoint] + words, directory: directory)
        }
        web = try probe("web", Stage.webPort)
        stream = try probe("stream", Stage.streamPort)
        solo = try probe("solo", Stage.soloPort)
        sessions = try probe("sessions", Stage.webPort, ["--sessions", "\(Self.sessionCount)"])
        questions = try ProbeLog("arp", stage.lab, ["owners", Stage.address], directory: directory)
        watch = OwnerWatch(stage.lab, address: Stage.address)
        watch.begin()
    }

    /// Ends all of them.
    func end() {
        watch.end()
        for probe in all { probe.end() }
    }

    private var all: [ProbeLog] { [web, stream, solo, sessions, questions] }
    /// What asks services, all of them.
    var serving: [ProbeLog] { [web, stream, solo] }

    /// Reads what they wrote since the last call.
    func read() throws { for probe in all { try probe.read() } }

    /// Waits until services have answered without a break for a while, all of it after a moment.
    func waitUntilAnswered(_ probes: [ProbeLog], after moment: Instant) throws {
        let names = probes.map(\.name).joined(separator: ", ")
        try stage.wait(for: "answers of \(names)", patience: Self.patience, interval: .milliseconds(50)) {
            try read()
            let since = Clock.monotonic() - Self.calm
            return since > moment && probes.allSatisfy { $0.isGood(since: since.nanoseconds) }
        }
    }

    /// What they saw.
    ///
    /// - Parameters:
    ///   - step: Which step it was.
    ///   - start: When the step before ended: wrong answers and owners are counted from then on.
    ///   - fault: When something was done to the cluster.
    ///   - end: Until when.
    ///   - victim: The host whose server was made unreachable; nil for none.
    /// - Returns: All but the fence and what moved.
    func result(_ step: StepName, start: Instant, fault: Instant, end: Instant, victim: String?) -> StepResult {
        let (start, fault, end) = (start.nanoseconds, fault.nanoseconds, end.nanoseconds)
        var result = StepResult(step)
        func outage(_ probe: ProbeLog) -> Double {
            Outage.longest(in: probe.records(from: fault, to: end), from: fault, to: end)?.milliseconds ?? 0
        }
        result.web = outage(web)
        result.further = Outage.all(in: web.records(from: fault, to: end), from: fault, to: end).map(\.milliseconds)
            .sorted(by: >).dropFirst().map(\.self)
        result.stream = outage(stream)
        result.solo = outage(solo)
        result.doubleOwner = max(
            watch.doubleMilliseconds(from: start, to: end),
            questions.doubleMilliseconds(from: start, to: end)
        )
        for probe in serving + [sessions] {
            for record in probe.records where record.ended >= start && record.ended < end {
                switch record.outcome {
                case .wrong(let reason): result.wrong.append("\(probe.name) \(reason)")
                case .moved(let from, _):
                    if from == victim { result.movedSessions += 1 } else { result.lostSessions += 1 }
                case .good, .none: break
                }
            }
        }
        return result
    }

    /// Whose servers gave the newest answers, about half a second long.
    func hostsThatAnswered(after moment: Instant) -> [String] {
        Set(web.records.suffix(50).filter { $0.ended > moment.nanoseconds }.compactMap(\.host)).sorted()
    }

    /// The hardware addresses that answered the last question, for people.
    var newestAnswer: String {
        questions.answers.last.map { $0.owners.isEmpty ? "nobody" : $0.owners.joined(separator: " and ") } ?? "nobody"
    }
}
