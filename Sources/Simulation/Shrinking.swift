/// A failing trial with the fewest faults that were found to be enough.
public struct ShrunkTrial: Sendable {
    /// The trial, with its shortened schedule.
    public let trial: Trial
    /// Its run, with a story.
    public let report: TrialReport
    /// How many runs it took.
    public let runs: Int
}

extension Trial {
    /// Takes faults out of a schedule for as long as the same rule is still broken (delta debugging, Zeller and
    /// Hildebrandt 2002), first many at a time, then one by one.
    ///
    /// - Parameters:
    ///   - failure: What the trial found.
    ///   - mostRuns: When to be content with what there is.
    ///   - lines: How many lines of story the result has.
    /// - Returns: The shortest that was found.
    public func shrunk(_ failure: SimulationFailure, mostRuns: Int = 400, lines: Int = 60) -> ShrunkTrial {
        var best = self
        // What comes after the failure cannot have caused it.
        let rule = failure.rule
        var runs = 0
        var size = max(1, best.schedule.faults.count / 2)
        while size >= 1, runs < mostRuns, !best.schedule.faults.isEmpty {
            var start = 0
            var isShorter = false
            while start < best.schedule.faults.count, runs < mostRuns {
                var candidate = best
                let end = min(start + size, candidate.schedule.faults.count)
                candidate.schedule.faults.removeSubrange(start..<end)
                runs += 1
                if candidate.run().failure?.rule == rule {
                    best = candidate
                    isShorter = true
                } else {
                    start = end
                }
            }
            if size == 1, !isShorter { break }
            if !isShorter || size > best.schedule.faults.count { size = size > 1 ? size / 2 : 1 }
        }
        return ShrunkTrial(trial: best, report: best.run(lines: lines), runs: runs)
    }
}

extension SimulationFailure {
    /// The number of the broken rule, as in "S1".
    public var rule: Substring { reason.prefix { $0 != ":" } }
}
