import ClusterModel
import Consensus
import Recovery

extension PlantedBug {
    /// Every mistake that can be planted.
    ///
    /// F1 to F10 are the counterexamples of the reference on quorum and leases. Not among them: F8, a nonce that is
    /// used twice, which the tests of the transport look for, since the simulation begins above it.
    public static let all: [PlantedBug] = leases + log + quorum + recovery

    private static let leases = [
        consensus("F5: follower's lease anchored at receipt", 20, .log, ["S2"]) { $0.followerLeaseFromReceipt = true },
        consensus("F5: leader's lease anchored at receipt", 50, .log, ["S2"]) { $0.leaderLeaseFromReceipt = true },
        consensus("F5: leader's remainder ignored", 50, .log, ["S2"]) { $0.ignoreLeaderRemainder = true },
        consensus("F5: votes that forget q", 50, .log, ["S2"]) { $0.forgetAcknowledgements = true },
        consensus("F5: q of a voter that has just started", 40, .story(restartedVoter), ["S2"]) {
            $0.forgetUptime = true
        },
        consensus("4.3-c: leases prolonged by a stall", 50, .log, ["S2"]) { $0.compensateLeases = true },
    ]

    private static let log = [
        consensus("the sync skipped", 50, .log, ["S"]) { $0.sendBeforePersist = true },
        consensus("own log counted before it is written", 50, .log, ["S3"]) { $0.countUnwrittenLog = true },
        consensus("two votes in a term", 150, .log, ["S4"]) { $0.voteTwice = true },
        consensus("votes for a shorter log", 400, .log, ["S"]) { $0.ignoreLogInVotes = true },
    ]

    private static let quorum = [
        consensus("F1: no joint quorum", 150, .quorum([2, 3, 4]), ["S"]) { $0.countNewestSetOnly = true },
        consensus("4.2-a: configuration entries too early", 600, .quorum([2, 3, 4]), ["S", "L"]) {
            $0.changeVotersEarly = true
        },
        consensus("F2: exact half counted in an unlisted start", 150, .quorum([2]), ["S"]) {
            $0.countUnlistedHalf = true
        },
        consensus("4.2-b: a half counted without proof", 150, .quorum([2, 4]), ["S"]) {
            $0.countHalfWithoutProof = true
        },
    ]

    private static let recovery = [
        recovery("F6: starts before the commit", 20, [3, 5], ["S2"]) { $0.startBeforeCommit = true },
        recovery("lease end ignored", 50, [3, 5], ["S1", "S3"]) { $0.ignoreLeaseEnd = true },
        recovery("recovery before the lease is over", 400, [3, 5], ["S1"]) { $0.skipLeaseWait = true },
        recovery("recovery before the fence", 50, [3, 5], ["S1"]) { $0.skipFence = true },
        recovery("the grace forgotten", 400, [3, 5], ["S1"]) { $0.forgetGrace = true },
        recovery("the epoch ignored", 400, [3, 5], ["S2", "S3", "S1"]) { $0.ignoreEpoch = true },
        recovery("F10: leases for a node that is to be fenced", 200, [3, 5], ["S5"]) { $0.forgetDeniedLease = true },
        recovery("4.2-c: departure before the stops", 100, [3, 5], ["S2"]) { $0.leaveAtOnce = true },
        recovery("maintenance ignored", 100, [3, 5], ["S7"]) { $0.ignoreMaintenance = true },
        recovery("4.3-d: withdrawn taken for stopped", 100, [3, 5], ["S1"]) { $0.trustWithdrawal = true },
        recovery("F5: a node that is heard and hears nobody", 100, [3, 5], ["L1"], mode: .liveness) {
            $0.trustHeardNodes = true
        },
        recovery("the cluster's level raised too early", 50, [3, 5], ["S9"]) { $0.raiseLevelEarly = true },
        recovery("entries above the cluster's level", 400, [2], ["S9"]) { $0.ignoreClusterLevel = true },
        recovery("a failed fence taken for a success", 600, [3, 5], ["S1", "S8"]) { $0.trustFailedFence = true },
    ]

    private static func consensus(
        _ name: String,
        _ seeds: Int,
        _ world: World,
        _ expected: [String],
        _ plant: @escaping @Sendable (inout PlantedFaults) -> Void
    ) -> PlantedBug {
        PlantedBug(name: name, seeds: seeds, mistake: .consensus(plant), world: world, expected: expected)
    }

    private static func recovery(
        _ name: String,
        _ seeds: Int,
        _ nodes: [Int],
        _ expected: [String],
        mode: TrialMode = .safety,
        _ plant: @escaping @Sendable (inout RecoveryFaults) -> Void
    ) -> PlantedBug {
        PlantedBug(
            name: name,
            seeds: seeds,
            mistake: .recovery(plant),
            world: .cluster(nodes: nodes, mode),
            expected: expected
        )
    }

    /// Chance seldom hits the moment in question: a candidate waits for a voter that restarts just before leadership
    /// moves to that voter for its better reach.
    ///
    /// So it is told outright.
    private static func restartedVoter(_ options: SimulationOptions, _ seed: UInt64) throws(SimulationFailure) {
        var simulator = Simulator<LogRecorder>(options: options, seed: seed)
        try simulator.run(for: .seconds(2))
        guard let leader = simulator.leaders.first else { return }
        let others = simulator.voters.filter { $0 != leader }
        simulator.cut(between: leader, and: others[0])
        try simulator.run(for: .milliseconds(650 + Int64(seed) * 5))
        simulator.killAgent(others[1])
        simulator.startAgent(others[1])
        try simulator.run(for: .milliseconds(400))
    }
}
