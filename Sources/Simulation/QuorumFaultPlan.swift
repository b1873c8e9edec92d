public import ClusterModel
import Consensus

/// Faults that make and break quorums, at random for a while; then a time without, in which everybody votes again.
///
/// Voters lose power, are powered off by each other, leave, restart, are cut apart into halves, are taken out by an
/// operator and put back.
public struct QuorumFaultPlan: Sendable {
    /// How long faults go on.
    public var duration = Duration.seconds(10)
    /// The mean time between two faults.
    public var meanInterval = Duration.milliseconds(350)
    /// The mean time between two proposals.
    public var meanProposalInterval = Duration.milliseconds(80)
    /// After faults have ended, how long it may take until everybody is listed as it runs (L1).
    public var recoveryBound = Duration.seconds(15)

    /// Faults three times a second.
    public init() {}

    /// Carries the plan out.
    ///
    /// - Returns: How much was done, so that a test can tell a run in which nothing happened.
    /// - Throws: The first broken rule.
    public func run(_ simulator: inout Simulator<QuorumRecorder>) throws(SimulationFailure) -> QuorumReport {
        var report = QuorumReport()
        let all = NodeSet(simulator.voters)
        try simulator.run(for: .seconds(2))
        let end = simulator.now + duration.nanoseconds
        var nextFault = simulator.now
        while simulator.now < end {
            try simulator.run(for: wait(meanProposalInterval, &simulator))
            if let leader = simulator.leaders.last ?? simulator.voters.randomElement(using: &simulator.random) {
                simulator.propose(on: leader)
            }
            report.look(simulator)
            if simulator.now >= nextFault {
                injectFault(&simulator, all)
                report.faults += 1
                nextFault = simulator.now + wait(meanInterval, &simulator).nanoseconds
            }
        }
        report.committedUnderFaults = simulator.decidedIndex
        try recover(&simulator, all)
        return report
    }

    private func wait(_ mean: Duration, _ simulator: inout Simulator<QuorumRecorder>) -> Duration {
        .nanoseconds(Int64.random(in: 0...(2 * mean.nanoseconds), using: &simulator.random))
    }

    private func injectFault(_ simulator: inout Simulator<QuorumRecorder>, _ all: NodeSet) {
        let nodes = simulator.voters.shuffled(using: &simulator.random)
        guard let node = nodes.first, let other = nodes.last else { return }
        switch Int.random(in: 0..<24, using: &simulator.random) {
        case 0, 1: simulator.powerOff(node)
        case 2: simulator.killAgent(simulator.leaders.last ?? node)
        case 3, 4, 5, 6: bringBack(&simulator)
        case 7, 8, 9:
            let half = nodes.count / 2
            simulator.partition([nodes[..<half].sorted(), nodes[half...].sorted()])
        case 10: simulator.cut(from: node, to: other)
        case 11, 12, 13, 14: simulator.heal()
        case 15: simulator.setNetwork(.bad)
        case 16: simulator.setNetwork(simulator.options.network)
        case 17: simulator.pause(node, for: .milliseconds(Int64.random(in: 20...1500, using: &simulator.random)))
        case 18: simulator.compact(node)
        case 19: simulator.give(simulator.leaders.last ?? node, .transferLeadership(to: nil))
        case 20: simulator.give(node, .leaving)
        case 21:
            configure(&simulator, all, without: Bool.random(using: &simulator.random) ? node : nil)
        default:
            simulator.killAgent(node)
            simulator.startAgent(node)
        }
    }

    /// What an applied configuration tells every node; one that does not run hears of it when it starts.
    private func configure(_ simulator: inout Simulator<QuorumRecorder>, _ all: NodeSet, without node: NodeID?) {
        var eligible = all
        if let node { eligible.remove(node) }
        let fenceable = Bool.random(using: &simulator.random) ? all : NodeSet()
        let settings = QuorumSettings(members: all, eligible: eligible, fenceable: fenceable)
        for voter in simulator.voters { simulator.give(voter, .settings(settings)) }
    }

    private func bringBack(_ simulator: inout Simulator<QuorumRecorder>) {
        for voter in simulator.voters {
            simulator.powerOn(voter)
            simulator.startAgent(voter)
        }
    }

    /// L1: with everything repaired, one leader, and every node listed in the start that runs.
    private func recover(_ simulator: inout Simulator<QuorumRecorder>, _ all: NodeSet) throws(SimulationFailure) {
        simulator.heal()
        simulator.setNetwork(simulator.options.network)
        let deadline = simulator.now + recoveryBound.nanoseconds
        var isBack = false
        while !isBack, simulator.now < deadline {
            bringBack(&simulator)
            let settings = QuorumSettings(members: all, eligible: all)
            for voter in simulator.voters { simulator.give(voter, .settings(settings)) }
            if let leader = simulator.leaders.last { simulator.propose(on: leader) }
            isBack = try simulator.run(for: .milliseconds(200)) { $0.isWhole }
        }
        guard isBack else { throw simulator.failure("L1: \(recoveryBound) after the last fault not everybody votes") }
    }
}

extension Simulator {
    /// Whether one node leads, everybody runs, and its newest committed set lists everybody in the start that runs.
    public var isWhole: Bool {
        guard leaders.count == 1, let leader = leaders.first.flatMap({ inspect($0)?.core }) else { return false }
        let sets = leader.activeVoterSets
        guard sets.count == 1, let set = sets.first else { return false }
        return voters.allSatisfy { voter in
            inspect(voter)?.core.map { set.incarnation(of: voter) == $0.incarnation } ?? false
        }
    }
}

/// What a run under a ``QuorumFaultPlan`` did.
public struct QuorumReport: Sendable {
    /// Faults injected.
    public internal(set) var faults = 0
    /// Entries committed while faults went on.
    public internal(set) var committedUnderFaults: LogIndex = 0
    /// The fewest and the most voters that a leader ever counted.
    public internal(set) var fewestVoters = Int.max
    /// See `fewestVoters`.
    public internal(set) var mostVoters = 0
    /// How often a holder was seen, and a leader that counts exactly half.
    public internal(set) var holders = 0

    mutating func look(_ simulator: Simulator<QuorumRecorder>) {
        for voter in simulator.voters {
            guard let core = simulator.inspect(voter)?.core else { continue }
            if core.isHolder { holders += 1 }
            guard core.role == .leader else { continue }
            fewestVoters = min(fewestVoters, core.voters.count)
            mostVoters = max(mostVoters, core.voters.count)
        }
    }
}
