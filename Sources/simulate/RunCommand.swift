import ArgumentParser
import Simulation

/// What a trial is made of, for every command that runs some.
struct TrialOptions: ParsableArguments {
    @Option(help: "Nodes; drawn from the seed where nothing is said.")
    var nodes: Int?

    @Option(help: "What is looked at: safety, liveness or both.", transform: Self.mode)
    var mode = TrialMode.both

    @Option(help: "Simulated seconds of faults in a run.")
    var seconds: Int64 = 60

    @Flag(inversion: .prefixedNo, help: "Machines of two versions, and upgrades; drawn from the seed otherwise.")
    var mixed: Bool?

    func validate() throws {
        if let nodes, !(1...7).contains(nodes) { throw ValidationError("--nodes takes 1 to 7") }
        if !(1...100_000).contains(seconds) { throw ValidationError("--seconds takes 1 to 100000") }
    }

    private static func mode(_ name: String) throws -> TrialMode {
        guard let mode = TrialMode(rawValue: name) else {
            throw ValidationError("--mode takes \(TrialMode.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return mode
    }

    func trial(_ seed: UInt64) -> Trial {
        Trial(seed: seed, nodes: nodes, mode: mode, seconds: seconds, isMixed: mixed)
    }
}

/// Runs seeds on all processors.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs seeds on all processors; ends with 1 if any rule is broken."
    )

    @Option(help: "A..+N, A..B or A.")
    var seeds = SeedRange(1...100)

    @OptionGroup
    var options: TrialOptions

    @Flag(help: "Say what each run did.")
    var verbose = false

    @Option(help: "Failed runs after which no more are begun: one that fails early may fail everywhere.")
    var failures = 5

    @Flag(inversion: .prefixedNo, help: "Look for the shortest schedules that break the same rules as the first two.")
    var shrink = true

    func run() throws {
        let clock = ContinuousClock()
        let begin = clock.now
        let tally = Tally()
        let (options, verbose, mostFailures) = (options, verbose, failures)
        Workers.forEach(seeds.seeds) { seed in
            let trial = options.trial(seed)
            let report = trial.run()
            let runs = tally.add(report, of: trial)
            if verbose { say(Self.line(trial, report)) } else if runs.isMultiple(of: 1000) { say("\(runs) runs") }
            return tally.value.failures.count < mostFailures
        }
        let sum = tally.value
        let spent = clock.now - begin
        let failed = sum.failures.sorted { $0.trial.seed < $1.trial.seed }
        let shrunk = shrink ? 2 : 0
        for (trial, failure) in failed.prefix(shrunk) { FailureText.show(trial, failure) }
        for (trial, failure) in failed.dropFirst(shrunk) {
            say("seed \(trial.seed), \(trial.nodes) nodes: \(failure.reason)")
        }
        Figures.show(sum, spent: spent)
        if !sum.failures.isEmpty { throw ExitCode(1) }
    }

    private static func line(_ trial: Trial, _ report: TrialReport) -> String {
        let verdict = report.failure.map(\.reason) ?? "sound"
        return "seed \(trial.seed): \(trial.nodes) nodes, \(report.faults) faults, \(report.events) events, "
            + "\(report.starts) starts, \(report.fences) fences, \(report.simulated): \(verdict)"
    }
}
