import ArgumentParser
import Foundation
import Simulation

/// Runs one seed again and tells its story.
struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Runs one seed again, by its own schedule or by that of a file, and tells what happens."
    )

    @Option(help: "The seed.")
    var seed: UInt64

    @OptionGroup
    var options: TrialOptions

    @Option(help: "A file with a fault in each line, as a failing run prints them.")
    var schedule: String?

    @Option(help: "The newest lines that are shown.")
    var lines = 200

    @Flag(help: "Tell of every message too.")
    var messages = false

    @Flag(help: "Print the schedule, and run nothing.")
    var printSchedule = false

    func run() throws {
        var trial = options.trial(seed)
        if let schedule {
            let text = try String(contentsOfFile: schedule, encoding: .utf8)
            switch FaultSchedule.parse(text) {
            case .success(let read): trial.schedule = read
            case .failure(let fault): throw ValidationError("\(schedule): this is no fault: \(fault.line)")
            }
        }
        if printSchedule { return say(trial.schedule.text) }
        let report = trial.run(lines: max(1, lines), messages: messages)
        for line in report.story.suffix(lines) { say(line) }
        say("\(report.faults) faults, \(report.simulated)")
        if let failure = report.failure {
            say(failure.reason)
            throw ExitCode(1)
        }
    }
}
