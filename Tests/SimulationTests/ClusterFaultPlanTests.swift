import ClusterModel
import Recovery
import Simulation
import Testing

/// Complete nodes with everything that runs on them, under random faults and operators.
@Suite
struct ClusterFaultPlanTests {
    /// Seeds by the bits of their numbers: some without fencing, some with stops that fail.
    static func options(nodes: Int, seed: UInt64) -> ClusterOptions {
        var options = ClusterOptions(ClusterOptions.example(nodes: nodes, fencing: seed % 8 != 7))
        options.failedStartsPerMille = 30
        options.failedMonitorsPerMille = 30
        options.failedFencesPerMille = 200
        options.failedStopsPerMille = seed % 5 == 0 ? 20 : 0
        return options
    }

    /// Every third cluster gets its resources from an operator, through the log.
    static func check(nodes: Int, seed: UInt64) throws(SimulationFailure) -> ClusterReport {
        var options = options(nodes: nodes, seed: seed)
        var plan = ClusterFaultPlan()
        if seed.isMultiple(of: 3) {
            plan.configuration = options.configuration
            options.configuration.resources = []
            options.configuration.colocations = []
        }
        return try plan.check(options, seed: seed)
    }

    @Test(arguments: 0..<8)
    func `Three nodes run nothing twice, and all of it again when faults end`(block: Int) throws {
        var fences = 0
        for seed in UInt64(block) * 20 + 1...UInt64(block) * 20 + 20 {
            let report = try Self.check(nodes: 3, seed: seed)
            #expect(report.faults > 5, "seed \(seed)")
            #expect(report.starts >= 4, "seed \(seed)")
            fences += report.fences
        }
        #expect(fences > 5)
    }

    @Test(arguments: 0..<4)
    func `Five nodes run nothing twice, and all of it again when faults end`(block: Int) throws {
        for seed in 1000 + UInt64(block) * 10...1009 + UInt64(block) * 10 {
            let report = try Self.check(nodes: 5, seed: seed)
            #expect(report.starts >= 4, "seed \(seed)")
        }
    }

    /// A restarted agent was given a lease while an address of the agent before it was still there: its neighbours
    /// reached it again, beside the node that had recovered it.
    @Test
    func `Addresses of an earlier agent are gone before the first lease (seed 167)`() throws {
        _ = try ClusterFaultPlan().check(Self.options(nodes: 3, seed: 167), seed: 167)
    }

    @Test
    func `A seed repeats a run event for event`() throws {
        let options = Self.options(nodes: 3, seed: 3)
        var transcripts: [[String]] = []
        for _ in 0..<2 {
            var simulator = ClusterSimulator(options: options, seed: 3)
            _ = try ClusterFaultPlan().run(&simulator)
            transcripts.append(simulator.takeTranscript())
        }
        #expect(transcripts[0] == transcripts[1])
        #expect(transcripts[0].count > 50)
    }
}
