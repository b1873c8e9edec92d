import ClusterModel
import Consensus
import Recovery

/// What a trial looks at.
public enum TrialMode: String, CaseIterable, Sendable {
    /// Faults all the time; S1 to S9 after every event.
    case safety
    /// Faults for a while; then they end for some nodes, which have to get everything going (L1, L2, L4, L5), and at
    /// last for all (L1, L3, L4).
    case liveness
    /// Faults as long as in `safety`, and then as in `liveness`.
    case both
}

/// One run of a whole cluster under a schedule of faults.
///
/// Seed and schedule say everything: without a schedule of its own a trial draws one from the seed, as it draws the size of
/// the cluster and whether it has fence devices.
public struct Trial: Sendable {
    /// Repeats the run.
    public let seed: UInt64
    /// Nodes of the cluster.
    public let nodes: Int
    /// What is looked at.
    public let mode: TrialMode
    /// What happens; may be replaced before the run.
    public var schedule: FaultSchedule
    /// How the cluster is made.
    public let options: ClusterOptions
    /// How long faults go on, in milliseconds.
    public let milliseconds: Int64

    /// How long a cluster starts up before the first fault.
    private static let prelude = Duration.seconds(2)
    /// How long faults go on where only what comes after them is looked at.
    private static let shortFaults: Int64 = 15_000

    /// Draws everything that is not given from the seed.
    ///
    /// - Parameters:
    ///   - seed: Repeats the run.
    ///   - nodes: How many; nil for one to five, mostly three and five.
    ///   - mode: What is looked at.
    ///   - seconds: How long faults go on.
    ///   - isMixed: Whether machines begin with different versions, and are upgraded; nil for one trial in three.
    public init(
        seed: UInt64,
        nodes: Int? = nil,
        mode: TrialMode = .both,
        seconds: Int64 = 60,
        isMixed: Bool? = nil
    ) {
        self.init(seed: seed, nodes: nodes, mode: mode, seconds: seconds, isMixed: isMixed, mistake: nil)
    }

    init(
        seed: UInt64,
        nodes: Int?,
        mode: TrialMode,
        seconds: Int64,
        isMixed: Bool? = nil,
        mistake: PlantedBug.Mistake?
    ) {
        var random = SeededGenerator(seed: seed ^ 0x7A1A_1000)
        self.seed = seed
        let drawn = [1, 2, 2, 3, 3, 3, 4, 4, 5, 5, 5, 5].randomElement(using: &random) ?? 3
        let count = nodes ?? drawn
        self.nodes = count
        self.mode = mode
        milliseconds = mode == .liveness ? min(seconds * 1000, Self.shortFaults) : seconds * 1000
        var options = ClusterOptions(
            // Two nodes without fencing go on alone in histories of their own.
            ClusterOptions.example(nodes: count, fencing: Int.random(in: 0..<8, using: &random) > (count == 2 ? 2 : 0))
        )
        options.checksDevices = Int.random(in: 0..<3, using: &random) == 0
        options.machines.transcriptLines = 0
        if Bool.random(using: &random) { options.machines.logEntries = Int.random(in: 12...80, using: &random) }
        let changesMembership = Int.random(in: 0..<3, using: &random) == 0
        if changesMembership { options.spares = Int.random(in: 1...3, using: &random) }
        if count == 2, !options.configuration.properties.stonithEnabled, Bool.random(using: &random) {
            options.configuration.properties.arbiter = ClusterSimulator.arbiterAddress.map { [$0] }
        }
        switch mistake {
        case .consensus(let plant): plant(&options.machines.faults)
        case .recovery(let plant): plant(&options.faults)
        case nil: break
        }
        // Drawn last, so that all other trials stay what they were.
        let drawnMixed = Int.random(in: 0..<3, using: &random) == 0
        let isMixed = isMixed ?? drawnMixed
        if isMixed { options.mixLevels(machines: count + options.spares, &random) }
        self.options = options
        // A half that counts a lie as proof of death decides beside the other (docs/safety.md, docs/quorum.md), and
        // nothing that rests on one history would mean anything. So controllers lie only where no voter's death is
        // ever counted: in odd clusters whose voter sets stay odd.
        let countsDeaths = count.isMultiple(of: 2) || options.checksDevices || count == 1 || changesMembership
        schedule = FaultSchedule.drawn(
            seed: seed,
            nodes: count + options.spares,
            milliseconds: milliseconds,
            excluded: {
                countsDeaths && $0.breaksPowerControl || !changesMembership && $0.changesMembership
                    || options.configuration.properties.arbiter == nil && $0 == .arbiterSilent
                    || !isMixed && $0 == .upgrade
            }
        )
    }

    /// Carries the trial out.
    ///
    /// - Parameters:
    ///   - lines: How many of the newest lines of its story to keep; none makes it much faster.
    ///   - messages: Whether the story tells of every message too.
    /// - Returns: What was done, and the first broken rule if one was.
    public func run(lines: Int = 0, messages: Bool = false) -> TrialReport {
        var options = options
        options.machines.transcriptLines = lines
        options.machines.isVerbose = messages
        var simulator = ClusterSimulator(options: options, seed: seed)
        var report = TrialReport()
        do {
            try run(&simulator, &report)
        } catch {
            report.failure = error
        }
        report.events = simulator.eventCount
        report.simulated = .nanoseconds(simulator.now)
        report.coverage = simulator.coverage
        report.starts = simulator.starts
        report.fences = simulator.fences
        report.story = simulator.takeTranscript()
        return report
    }

    private func run(_ simulator: inout ClusterSimulator, _ report: inout TrialReport) throws(SimulationFailure) {
        try simulator.run(for: Self.prelude)
        let start = simulator.now
        for fault in schedule.faults {
            let due = start + fault.at * 1_000_000
            if due > simulator.now { try simulator.run(for: .nanoseconds(due - simulator.now)) }
            if simulator.inject(fault) { report.injected[fault.kind, default: 0] += 1 }
        }
        let rest = start + milliseconds * 1_000_000 - simulator.now
        if rest > 0 { try simulator.run(for: .nanoseconds(rest)) }
        if mode != .safety { try checkRecovery(&simulator) }
    }
}

/// What a trial did, and what it found.
public struct TrialReport: Sendable {
    /// The first broken rule; nil when all held.
    public internal(set) var failure: SimulationFailure?
    /// Faults that took place, by kind.
    public internal(set) var injected: [FaultKind: Int] = [:]
    /// Events carried out.
    public internal(set) var events = 0
    /// How much time passed in the cluster.
    public internal(set) var simulated = Duration.zero
    /// Resources started, and power-offs asked for.
    public internal(set) var starts = 0
    /// See `starts`.
    public internal(set) var fences = 0
    /// States that were seen.
    public internal(set) var coverage = Coverage()
    /// The newest lines, if they were wanted.
    public internal(set) var story: [String] = []

    /// Nothing done yet.
    public init() {}

    /// Adds what another trial did; its story and its failure stay with it.
    public mutating func add(_ other: TrialReport) {
        injected.merge(other.injected) { $0 + $1 }
        events += other.events
        simulated += other.simulated
        starts += other.starts
        fences += other.fences
        coverage.merge(other.coverage)
    }

    /// Faults that took place.
    public var faults: Int { injected.values.reduce(0, +) }
}

extension ClusterOptions {
    /// Machines begin with one of the two versions each, in a cluster that was set up by the older one.
    fileprivate mutating func mixLevels(machines: Int, _ random: inout SeededGenerator) {
        clusterLevel = nil
        for machine in 1...UInt8(machines) {
            levels[NodeID(machine)] = UInt8.random(in: ProtocolLevel.oldest...ProtocolLevel.newest, using: &random)
        }
    }
}
