import ClusterModel

/// Notices that the loop was itself not run, so that silence of that time is not held against peers.
struct StallDetector {
    /// A delay below this is ordinary scheduling.
    static let threshold = Duration.milliseconds(50)

    private var passBegan: Instant?
    /// When the wait should have ended at the latest.
    private var expectedWake: Instant?

    /// Called right before the wait of a pass.
    mutating func willWait(until deadline: Instant?, now: Instant) -> Duration? {
        defer {
            passBegan = nil
            // A deadline that was already over when the wait began is no delay of the wait.
            expectedWake = deadline.map { max($0, now) }
        }
        // A pass that itself took long (a page fault storm, a stop in the middle) is a stall as well.
        guard let passBegan, now - passBegan > Self.threshold else { return nil }
        return now - passBegan
    }

    /// Called right after the wait; the time by which the loop woke later than it had asked for, if that is a stall.
    mutating func didWake(now: Instant) -> Duration? {
        defer { passBegan = now }
        guard let expectedWake, now - expectedWake > Self.threshold else { return nil }
        return now - expectedWake
    }
}
