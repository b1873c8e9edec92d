import ClusterModel
import Consensus
import Simulation
import Testing

@Suite
struct FaultPlanTests {
    @Test(arguments: 1...10)
    func `Three nodes keep every promise under random faults`(block: Int) throws {
        try check(nodes: 3, block: block)
    }

    @Test(arguments: 1...6)
    func `Five nodes keep every promise under random faults`(block: Int) throws {
        try check(nodes: 5, block: block)
    }

    private func check(nodes: Int, block: Int) throws {
        var committed: LogIndex = 0
        for offset in 0..<10 {
            var options = SimulationOptions(nodes: nodes)
            options.encodesMessages = offset == 0
            let seed = UInt64(nodes * 100_000 + block * 1000 + offset)
            let report = try FaultPlan().check(LogRecorder.self, options, seed: seed)
            #expect(report.faults > 5)
            committed += report.committedUnderFaults
        }
        #expect(committed > 100)
    }
}
