import Simulation
import Testing

/// Each mistake here breaks a promise; a simulation that does not notice it is worth nothing.
///
/// `make planted-bugs` looks for all of them; those that need many seeds are left to it.
@Suite
struct PlantedBugTests {
    static let quick = PlantedBug.all.filter { $0.seeds <= 50 }

    @Test(arguments: quick.map(\.name))
    func `A planted mistake is noticed`(name: String) throws {
        let bug = try #require(Self.quick.first { $0.name == name })
        guard case .caught = bug.search() else {
            Issue.record("\(bug.search())")
            return
        }
    }

    @Test
    func `There are enough of them, each of its own name`() {
        #expect(PlantedBug.all.count >= 20)
        #expect(Set(PlantedBug.all.map(\.name)).count == PlantedBug.all.count)
        #expect(Self.quick.count >= 10)
    }

    /// Without it a seed that fails by itself would pass for a mistake that was found.
    @Test(arguments: quick.map(\.name))
    func `The seeds that are looked at break nothing by themselves`(name: String) throws {
        let bug = try #require(Self.quick.first { $0.name == name })
        let failure = bug.run(1, isPlanted: false)
        #expect(failure == nil, "\(failure?.description ?? "")")
    }

    /// The schedule that is left shows the mistake still.
    @Test
    func `A failing schedule is shortened to what is needed`() throws {
        let bug = try #require(PlantedBug.all.first { $0.name.contains("recovery before the fence") })
        var failing: (trial: Trial, failure: SimulationFailure)?
        for seed in 1...UInt64(bug.seeds) where failing == nil {
            if let trial = bug.trial(seed), let failure = trial.run().failure { failing = (trial, failure) }
        }
        let (trial, failure) = try #require(failing)
        let shrunk = trial.shrunk(failure, mostRuns: 30)
        #expect(shrunk.report.failure?.rule == failure.rule)
        #expect(shrunk.trial.schedule.faults.count < max(2, trial.schedule.faults.count))
        #expect(!shrunk.report.story.isEmpty)
    }
}
