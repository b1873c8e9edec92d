import ClusterModel

/// Times and bounds of a node's executor.
public enum ExecutorLimits {
    /// The time between repetitions of an unchanged report.
    public static let reportInterval = Duration.seconds(1)
    /// How long what only a fence may recover runs on without a lease (no-quorum-policy stop).
    public static let noQuorumPatience = Duration.seconds(5)
    /// How often something is looked at that was found running and is left alone.
    public static let foundInterval = Duration.seconds(10)
    /// How many probes and monitors run at once.
    public static let concurrentChecks = 16
    /// How many starts run at once.
    public static let concurrentStarts = 32
    /// How long beyond its time-out the end of an operation is waited for: the runner needs time to end what runs.
    public static let answerGrace = Duration.seconds(15)
    /// How long a kill may take.
    public static let killTimeout = Duration.seconds(5)
    /// The pause before the second restart in place; the first has none, later ones double.
    public static let restartPause = Duration.milliseconds(500)
    /// The longest such pause.
    public static let longestRestartPause = Duration.seconds(30)
    /// After running that long, the next restart is a first one again.
    public static let stableTime = Duration.seconds(600)
    /// The pause before a failed stop is repeated; doubles.
    public static let stopPause = Duration.seconds(10)
    /// The longest such pause.
    public static let longestStopPause = Duration.seconds(60)
}
