import ClusterModel
import Recovery
import Simulation
import Testing

/// Each mistake here breaks a promise of the layers above consensus; the simulation has to notice it.
@Suite
struct ClusterPlantedFaultTests {
    /// A mistake with the rule whose check must find it.
    struct Mistake: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let expected: [String]
        let plant: @Sendable (inout RecoveryFaults) -> Void
    }

    static let mistakes = [
        Mistake(testDescription: "starts before the commit", expected: ["S2: "]) { $0.startBeforeCommit = true },
        Mistake(testDescription: "lease end ignored", expected: ["S1", "S3"]) { $0.ignoreLeaseEnd = true },
        Mistake(testDescription: "recovery before the lease is over", expected: ["S1"]) { $0.skipLeaseWait = true },
        Mistake(testDescription: "recovery before the fence", expected: ["S1"]) { $0.skipFence = true },
        Mistake(testDescription: "denied lease forgotten", expected: ["S5: "]) { $0.forgetDeniedLease = true },
        Mistake(testDescription: "departure before the stops", expected: ["S2: "]) { $0.leaveAtOnce = true },
        Mistake(testDescription: "maintenance ignored", expected: ["S7: "]) { $0.ignoreMaintenance = true },
    ]

    @Test(arguments: mistakes)
    func `A planted mistake is found`(mistake: Mistake) throws {
        for seed in 1...Self.mostSeeds {
            var options = ClusterFaultPlanTests.options(nodes: seed.isMultiple(of: 4) ? 5 : 3, seed: seed)
            mistake.plant(&options.faults)
            do {
                _ = try ClusterFaultPlan().check(options, seed: seed)
            } catch let failure {
                #expect(mistake.expected.contains { failure.reason.hasPrefix($0) }, "\(failure)")
                return
            }
        }
        Issue.record("not found in \(Self.mostSeeds) seeds")
    }

    private static let mostSeeds: UInt64 = 400
}
