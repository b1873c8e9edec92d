public import ClusterModel

/// How soon a proxy that ended or hung is started again, and how often that has happened lately.
///
/// The first time at once: clients wait. One that does not stay is given longer and longer pauses, so that a fault that
/// repeats itself costs neither the machine nor the log.
public struct RestartPace: Hashable, Sendable {
    /// How long a restart is remembered.
    public static let memory = Duration.seconds(600)
    /// The pause before the second restart within `memory`; doubled with each further one.
    public static let firstPause = Duration.milliseconds(250)
    /// The longest pause.
    public static let longestPause = Duration.seconds(30)
    /// The most restarts that are remembered; the pause has long reached its limit by then.
    static let remembered = 64

    private var times: [Instant] = []

    /// None yet.
    public init() {}

    /// Notes a restart.
    ///
    /// - Returns: How long to wait before it.
    public mutating func restart(now: Instant) -> Duration {
        forget(now)
        times.append(now)
        if times.count > Self.remembered { times.removeFirst() }
        guard times.count > 1 else { return .zero }
        var pause = Self.firstPause
        for _ in 2..<times.count where pause < Self.longestPause { pause = pause * 2 }
        return min(pause, Self.longestPause)
    }

    /// How many restarts there were lately.
    public mutating func count(now: Instant) -> Int {
        forget(now)
        return times.count
    }

    private mutating func forget(_ now: Instant) { times.removeAll { now - $0 >= Self.memory } }
}
