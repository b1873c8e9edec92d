import ClusterModel
import Consensus
import Recovery

/// A mistake that is built into the cores, with the number of runs within which the simulation must notice it.
public struct PlantedBug: Sendable {
    /// What is wrong; with the number of the counterexample in the reference that it is, where it is one.
    public let name: String
    /// Within how many seeds it must be noticed.
    public let seeds: Int
    let mistake: Mistake
    let world: World
    /// How the broken rule begins: what breaks something else is not this mistake.
    let expected: [String]

    enum Mistake: Sendable {
        case consensus(@Sendable (inout PlantedFaults) -> Void)
        case recovery(@Sendable (inout RecoveryFaults) -> Void)
    }

    /// Where it is looked for.
    enum World: Sendable {
        /// Consensus alone, under faults.
        case log
        /// Consensus alone, under faults that make and break quorums, in clusters of these sizes.
        case quorum([Int])
        /// Whole nodes.
        case cluster(nodes: [Int], TrialMode)
        /// A story that chance tells too seldom.
        case story(@Sendable (SimulationOptions, UInt64) throws(SimulationFailure) -> Void)
    }

    /// What a search for it ended with.
    public enum Outcome: Sendable {
        /// The seed that showed it, and how.
        case caught(seed: UInt64, reason: String)
        /// A seed broke another rule than this mistake breaks.
        case mistaken(seed: UInt64, reason: String)
        /// No seed showed it.
        case missed
    }

    /// Looks for it, seed by seed.
    public func search() -> Outcome {
        for seed in 1...UInt64(seeds) {
            guard let failure = run(seed) else { continue }
            guard expected.contains(where: failure.reason.hasPrefix) else {
                return .mistaken(seed: seed, reason: failure.reason)
            }
            return .caught(seed: seed, reason: failure.reason)
        }
        return .missed
    }

    /// The run of whole nodes that a seed stands for; nil where it is looked for in another way.
    public func trial(_ seed: UInt64) -> Trial? {
        guard case .cluster(let sizes, let mode) = world else { return nil }
        return Trial(seed: seed, nodes: sizes[Int(seed) % sizes.count], mode: mode, seconds: 30, mistake: mistake)
    }

    /// What a seed shows with the mistake, or without it; nil if no rule is broken.
    public func run(_ seed: UInt64, isPlanted: Bool = true) -> SimulationFailure? {
        let mistake = isPlanted ? mistake : nil
        do {
            switch world {
            case .log:
                var simulator = Simulator<LogRecorder>(options: options(seed % 4 == 0 ? 5 : 3, mistake), seed: seed)
                _ = try FaultPlan().run(&simulator)
            case .quorum(let sizes):
                let nodes = sizes[Int(seed) % sizes.count]
                var simulator = Simulator<QuorumRecorder>(options: options(nodes, mistake), seed: seed)
                _ = try QuorumFaultPlan().run(&simulator)
            case .story(let tell): try tell(options(3, mistake), seed)
            case .cluster(let sizes, let mode):
                let nodes = sizes[Int(seed) % sizes.count]
                return Trial(seed: seed, nodes: nodes, mode: mode, seconds: 30, mistake: mistake).run().failure
            }
            return nil
        } catch {
            return error
        }
    }

    private func options(_ nodes: Int, _ mistake: Mistake?) -> SimulationOptions {
        var options = SimulationOptions(nodes: nodes)
        if case .consensus(let plant) = mistake { plant(&options.faults) }
        return options
    }
}
