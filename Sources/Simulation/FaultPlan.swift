public import ClusterModel
import Consensus

/// Faults at random for a while, then a time without, in which everything has to come back.
public struct FaultPlan: Sendable {
    /// How long faults go on.
    public var duration = Duration.seconds(6)
    /// The mean time between two faults.
    public var meanInterval = Duration.milliseconds(250)
    /// The mean time between two proposals.
    public var meanProposalInterval = Duration.milliseconds(60)
    /// After faults have ended, how long it may take until a leader exists, commits and all have caught up (L1).
    public var recoveryBound = Duration.seconds(8)
    /// How long the cluster is then watched for a change of leader that nothing asks for.
    public var quietTime = Duration.seconds(1)

    /// Faults every quarter of a second.
    public init() {}

    /// Carries the plan out.
    ///
    /// - Returns: How much was done, so that a test can tell a run in which nothing happened.
    /// - Throws: The first broken rule.
    public func run<App: SimulatedApplication>(
        _ simulator: inout Simulator<App>
    ) throws(SimulationFailure) -> FaultPlanReport {
        var report = FaultPlanReport()
        let end = simulator.now + duration.nanoseconds
        try simulator.run(for: .seconds(1))
        var nextFault = simulator.now
        while simulator.now < end {
            let step = wait(meanProposalInterval, &simulator)
            try simulator.run(for: step)
            if let node = simulator.voters.randomElement(using: &simulator.random) {
                simulator.propose(on: simulator.leaders.last ?? node)
            }
            if simulator.now >= nextFault {
                injectFault(&simulator)
                report.faults += 1
                nextFault = simulator.now + wait(meanInterval, &simulator).nanoseconds
            }
        }
        report.committedUnderFaults = simulator.decidedIndex
        try recover(&simulator)
        report.events = simulator.eventCount
        report.committed = simulator.decidedIndex
        return report
    }

    private func wait<App: SimulatedApplication>(_ mean: Duration, _ simulator: inout Simulator<App>) -> Duration {
        .nanoseconds(Int64.random(in: 0...(2 * mean.nanoseconds), using: &simulator.random))
    }

    /// One fault, or the end of one.
    private func injectFault<App: SimulatedApplication>(_ simulator: inout Simulator<App>) {
        let nodes = simulator.voters.shuffled(using: &simulator.random)
        guard let node = nodes.first, let other = nodes.last else { return }
        switch Int.random(in: 0..<22, using: &simulator.random) {
        case 0, 1: simulator.powerOff(node)
        case 2: simulator.killAgent(node)
        case 3, 4, 5:
            for voter in simulator.voters {
                simulator.powerOn(voter)
                simulator.startAgent(voter)
            }
        case 6: simulator.partition(halves(nodes, &simulator))
        case 7: simulator.cut(between: node, and: other)
        case 8: simulator.cut(from: node, to: other)
        case 9, 10, 11: simulator.heal()
        case 12: simulator.setNetwork(.bad)
        case 13: simulator.setNetwork(simulator.options.network)
        case 14:
            let time = Int64.random(in: 20...1500, using: &simulator.random)
            simulator.pause(simulator.leaders.first ?? node, for: .milliseconds(time))
        case 15: simulator.pause(node, for: .milliseconds(Int64.random(in: 20...1500, using: &simulator.random)))
        case 16: simulator.setDiskSlow(node, Bool.random(using: &simulator.random))
        case 17: simulator.give(simulator.leaders.last ?? node, .transferLeadership(to: nil))
        case 18: simulator.compact(node)
        case 19: restart(simulator.leaders.last ?? node, &simulator)
        default: restart(node, &simulator)
        }
    }

    /// An agent is killed and comes back at once: what it promised must not be forgotten.
    private func restart<App: SimulatedApplication>(_ node: NodeID, _ simulator: inout Simulator<App>) {
        simulator.killAgent(node)
        simulator.startAgent(node)
    }

    private func halves<App: SimulatedApplication>(_ nodes: [NodeID], _ simulator: inout Simulator<App>) -> [[NodeID]] {
        let cut = Int.random(in: 1..<nodes.count, using: &simulator.random)
        return [nodes[..<cut].sorted(), nodes[cut...].sorted()]
    }

    /// L1: with everything repaired, a leader, a fresh commit that everybody learns, and no change after it.
    private func recover<App: SimulatedApplication>(_ simulator: inout Simulator<App>) throws(SimulationFailure) {
        simulator.heal()
        simulator.setNetwork(simulator.options.network)
        for voter in simulator.voters {
            simulator.powerOn(voter)
            simulator.startAgent(voter)
            simulator.setDiskSlow(voter, false)
        }
        let before = simulator.decidedIndex
        let deadline = simulator.now + recoveryBound.nanoseconds
        var isBack = false
        while !isBack, simulator.now < deadline {
            if let leader = simulator.leaders.last { simulator.propose(on: leader) }
            isBack = try simulator.run(for: .milliseconds(100)) {
                $0.decidedIndex > before && $0.everyoneKnows($0.decidedIndex) && $0.leaders.count == 1
            }
        }
        guard isBack else {
            throw simulator.failure("L1: \(recoveryBound) after the last fault not everything works")
        }
        // A hand-over that was asked for before may end only now.
        try simulator.run(for: simulator.options.timing.electionTimeout)
        let leader = simulator.leaders
        try simulator.run(for: quietTime) { $0.leaders != leader }
        guard simulator.leaders == leader else { throw simulator.failure("L1: leadership changes without a fault") }
    }
}

/// What a run under a fault plan did.
public struct FaultPlanReport: Sendable {
    /// Faults injected.
    public internal(set) var faults = 0
    /// Events carried out.
    public internal(set) var events = 0
    /// Entries committed while faults went on.
    public internal(set) var committedUnderFaults: LogIndex = 0
    /// Entries committed in all.
    public internal(set) var committed: LogIndex = 0
}

extension FaultPlan {
    /// Runs a seed, and once more with every message in the transcript if it fails.
    ///
    /// - Parameters:
    ///   - application: What runs above consensus.
    ///   - options: The cluster.
    ///   - seed: The run.
    /// - Returns: What was done.
    /// - Throws: The broken rule with the last events before it.
    public func check<App: SimulatedApplication>(
        _ application: App.Type,
        _ options: SimulationOptions,
        seed: UInt64
    ) throws(SimulationFailure) -> FaultPlanReport {
        do {
            var simulator = Simulator<App>(options: options, seed: seed)
            return try run(&simulator)
        } catch {
            var verbose = options
            verbose.isVerbose = true
            var simulator = Simulator<App>(options: verbose, seed: seed)
            return try run(&simulator)
        }
    }
}
