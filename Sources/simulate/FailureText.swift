import Simulation

/// A broken rule with everything that is needed to see it again.
enum FailureText {
    /// Shrinks the schedule first.
    static func show(_ trial: Trial, _ failure: SimulationFailure) {
        say("\nseed \(trial.seed), \(trial.nodes) nodes: \(failure.reason)")
        say("shrinking \(trial.schedule.faults.count) faults …")
        let shrunk = trial.shrunk(failure)
        say("\(shrunk.trial.schedule.faults.count) faults are enough (\(shrunk.runs) runs):")
        say(shrunk.trial.schedule.text)
        say("the last of what happens then:")
        for line in shrunk.report.story { say("  " + line) }
        say("  " + (shrunk.report.failure?.reason ?? "nothing"))
        say(
            "again: simulate replay --seed \(trial.seed) --nodes \(trial.nodes) --mode \(trial.mode.rawValue) "
                + "--seconds \(trial.milliseconds / 1000) --schedule FILE\n"
        )
    }
}
