import ClusterModel
import Consensus
import Simulation
import Testing

@Suite
struct QuorumFaultPlanTests {
    @Test(arguments: [1, 2, 3, 4, 5])
    func `Clusters of every size keep every promise while voters die, are fenced, leave and return`(nodes: Int) throws {
        var committed: LogIndex = 0
        var fewest = Int.max
        for seed in 1...6 {
            var options = SimulationOptions(nodes: nodes)
            options.encodesMessages = seed.isMultiple(of: 10)
            var simulator = Simulator<QuorumRecorder>(options: options, seed: UInt64(nodes * 10_000 + seed))
            let report = try QuorumFaultPlan().run(&simulator)
            #expect(report.faults > 5)
            committed += report.committedUnderFaults
            fewest = min(fewest, report.fewestVoters)
        }
        #expect(committed > 70)
        #expect(nodes == 1 || fewest < nodes)
    }
}
