/// How long one connection attempt may stay unanswered.
///
/// A machine that has just died answers nothing, and until the cluster or a check has noticed, every new connection to
/// it would wait for the whole `timeout connect`. So an attempt that can be followed by one to another server is cut
/// short: after 300 ms, or four times what connecting to that server usually takes, doubled with each attempt. The last
/// attempt, and every attempt that could only be followed by the same server again, has the whole time-out: a lost
/// packet is repeated by the kernel, giving up would help nobody. No byte of a request is sent before a connection
/// stands, so nothing is ever sent twice by this.
public enum ConnectPatience {
    /// The least that an attempt gets, in milliseconds: more than a round trip to any server of a control plane.
    public static let least: Int64 = 300
    /// How many times the usual connect time an attempt gets.
    static let factor: Int64 = 4
    /// After so many attempts the limit is doubled no more.
    static let doublings = 8
    /// The longest time that is remembered as usual, in milliseconds.
    static let longestUsual: Int64 = 60_000

    /// The limit of an attempt.
    ///
    /// - Parameters:
    ///   - attempt: How many attempts were made before.
    ///   - timeout: The listener's `timeout connect`.
    ///   - usual: From `smoothed`; 0 when nothing is known.
    ///   - next: What would follow its failure.
    /// - Returns: Milliseconds; never more than the time-out.
    public static func limit(attempt: Int, timeout: Int64, usual: UInt32, next: RetryPolicy.Step) -> Int64 {
        guard next == .anotherServer else { return timeout }
        let first = max(least, factor * Int64(usual) / Int64(scale))
        return min(timeout, first << Int64(min(max(0, attempt), doublings)))
    }

    // Eighths of a millisecond, so that the mean can move by less than one.
    private static let scale: UInt32 = 8

    /// The usual connect time with one more measurement: a mean in which the latest counts an eighth.
    ///
    /// - Parameters:
    ///   - usual: What it was; 0 for the first one.
    ///   - sample: Milliseconds that a connection took.
    /// - Returns: The mean, for `limit`.
    public static func smoothed(_ usual: UInt32, sample: Int64) -> UInt32 {
        let fresh = UInt32(min(max(0, sample), longestUsual)) * scale
        return usual == 0 ? fresh : usual - usual / 8 + fresh / 8
    }
}
