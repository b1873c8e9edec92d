import ClusterModel

/// Notices that the loop was itself not run, so that silence of that time is not held against peers.
///
/// It is asked with every reading of the clock that something is judged by: a process can be stopped anywhere, also between
/// the end of a wait and what is concluded after it.
struct StallDetector {
    /// A delay below this is ordinary scheduling.
    static let threshold = Duration.milliseconds(50)

    /// The last reading within a pass; nil while the loop waits.
    private var lastSeen: Instant?
    /// When the wait should have ended at the latest.
    private var expectedWake: Instant?

    /// Called right before the wait of a pass.
    mutating func willWait(until deadline: Instant?, now: Instant) -> Duration? {
        defer {
            lastSeen = nil
            // A deadline that was already over when the wait began is no delay of the wait.
            expectedWake = deadline.map { max($0, now) }
        }
        return look(now: now)
    }

    /// Called right after the wait; the time by which the loop woke later than it had asked for, if that is a stall.
    mutating func didWake(now: Instant) -> Duration? {
        lastSeen = now
        guard let expectedWake, now - expectedWake > Self.threshold else { return nil }
        return now - expectedWake
    }

    /// Called within a pass, before anything is concluded from this reading; the time since the last one, if that is a stall.
    ///
    /// A pass that itself takes long (a page fault storm) counts as well.
    mutating func look(now: Instant) -> Duration? {
        guard let last = lastSeen else { return nil }
        lastSeen = now
        return now - last > Self.threshold ? now - last : nil
    }
}
