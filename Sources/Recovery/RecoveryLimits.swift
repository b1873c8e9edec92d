import ClusterModel

/// Times and bounds of recovery that are not configurable in this version.
public enum RecoveryLimits {
    /// How long a new leader waits for the first reports of the nodes that it hears, before it moves anything.
    public static let settleTime = Duration.milliseconds(300)
    /// The same when nothing runs anywhere yet and nodes still look for what already does: whoever is up should take
    /// part in the first placement.
    public static let coldSettleTime = Duration.seconds(3)
    /// How long a node that is heard may be without a lease before its resources are moved away.
    public static let leasePatience = Duration.milliseconds(1000)
    /// How long a node that does not know that the end of its lease now decides may run on without one:
    /// `noQuorumPatience` on clocks that are both as wrong as they may be.
    public static let longestPatience = ExecutorLimits.noQuorumPatience * 5 / 4
    /// How long a proposal may take before it is made again.
    public static let proposalPatience = Duration.milliseconds(2000)
    /// The time between repetitions of a sheet that has not been answered.
    public static let sheetInterval = Duration.milliseconds(200)
    /// The shortest time between two copies of one sheet, however many reports arrive.
    public static let shortestSheetInterval = Duration.milliseconds(10)
    /// How long failures count after the newest, in milliseconds.
    public static let failureExpiry: Int64 = 600_000
    /// How many failures of one report are counted one by one.
    public static let failuresCounted = 8
    /// The pause before a failed start is repeated on the same node; doubled with each failure.
    public static let startPause = Duration.seconds(1)
    /// The longest such pause.
    public static let longestStartPause = Duration.seconds(30)
    /// How long a lost node that another voter hears is not powered off for that: enough for leadership to move to whoever
    /// reaches more voters, or to fail to, in every profile.
    public static let heardElsewherePatience = Duration.seconds(5)
    /// The pause before a failed fence is repeated; doubled with each failure.
    public static let fencePause = Duration.seconds(5)
    /// The longest such pause.
    public static let longestFencePause = Duration.seconds(60)
    /// The time between two wishes to hand leadership over.
    public static let stepDownInterval = Duration.seconds(5)
    /// The most resources of a report or sheet; a larger one is no work of an agent of ours and is dropped.
    public static let mostResources = 16_384
    /// The longest text of a node that is kept.
    public static let longestReason = 256

    /// A pause that doubles with every repetition up to a limit.
    static func pause(_ first: Duration, longest: Duration, repetition: Int) -> Duration {
        min(longest, first * (1 << max(0, min(repetition, 16))))
    }
}
