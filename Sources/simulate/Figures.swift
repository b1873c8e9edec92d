import Foundation
import Simulation

/// The figures of many runs.
enum Figures {
    static func show(_ sum: Tally.Sum, spent: Duration) {
        let report = sum.report
        say("injected faults:")
        for kind in FaultKind.allCases {
            let name = kind.rawValue.padding(toLength: 20, withPad: " ", startingAt: 0)
            say("  \(name)\(report.injected[kind] ?? 0)")
        }
        // Of the processors' time that this process had, so that what else the machine does does not count.
        let work = Double(clock()) / Double(CLOCKS_PER_SEC)
        say("took \(Int(spent.seconds)) s, and \(Int(work)) s of processors' time")
        say("events: \(report.events), per second of a processor: \(Int(Double(report.events) / work))")
        say("simulated time by a processor's time: \(Int(report.simulated.seconds / work))")
        say("resources started: \(report.starts), power-offs: \(report.fences)")
        say("different states of a node seen: \(report.coverage.count)")
        let days = String(format: "%.3f", report.simulated.seconds / 86_400)
        say(
            "seeds: \(sum.runs), simulated days: \(days), faults injected: \(report.faults), "
                + "violations: \(sum.failures.count)"
        )
    }
}

extension Duration {
    /// As a number, for figures.
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
