import ClusterModel
import Consensus
import Simulation
import Testing

/// Mistakes about who decides; a simulation that does not notice them is worth nothing.
@Suite
struct PlantedQuorumFaultTests {
    struct Mistake: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let nodes: [Int]
        let plant: @Sendable (inout PlantedFaults) -> Void
    }

    static let mistakes = [
        Mistake(testDescription: "F1: new voter set alone", nodes: [2, 3, 4]) { $0.countNewestSetOnly = true },
        Mistake(testDescription: "F2: half counted in an unlisted start", nodes: [2]) { $0.countUnlistedHalf = true },
        Mistake(testDescription: "half counted without proof", nodes: [2, 4]) { $0.countHalfWithoutProof = true },
    ]

    @Test(arguments: mistakes)
    func `A planted mistake about quorum is found`(mistake: Mistake) throws {
        for seed in 1...Self.mostSeeds {
            var options = SimulationOptions(nodes: mistake.nodes[seed % mistake.nodes.count])
            mistake.plant(&options.faults)
            var simulator = Simulator<QuorumRecorder>(options: options, seed: UInt64(seed))
            do { _ = try QuorumFaultPlan().run(&simulator) } catch let failure {
                #expect(failure.reason.hasPrefix("S"), "\(failure)")
                return
            }
        }
        Issue.record("not found in \(Self.mostSeeds) seeds")
    }

    private static let mostSeeds = 150
}
