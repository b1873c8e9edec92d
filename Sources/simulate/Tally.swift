import Simulation
import Synchronization

/// What all runs together did.
final class Tally: Sendable {
    /// The sum, and what failed.
    struct Sum: Sendable {
        var report = TrialReport()
        var runs = 0
        var failures: [(trial: Trial, failure: SimulationFailure)] = []
    }

    private let sum = Mutex(Sum())

    /// Adds a run.
    ///
    /// - Returns: How many there are now.
    func add(_ report: TrialReport, of trial: Trial) -> Int {
        sum.withLock { sum in
            sum.report.add(report)
            sum.runs += 1
            if let failure = report.failure { sum.failures.append((trial, failure)) }
            return sum.runs
        }
    }

    var value: Sum { sum.withLock { $0 } }
}
