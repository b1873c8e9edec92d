public import ClusterModel

/// How the share of a server grows after it came up again: HAProxy's `slowstart`.
///
/// The share is the weight in sixteenths, so that a weight of 1 can grow, too.
public enum SlowStart {
    /// Sixteenths of the whole weight.
    public static let whole = 16

    /// How much of its weight a server has.
    ///
    /// - Parameters:
    ///   - elapsed: Since it came up.
    ///   - time: How long it takes; 0 for at once.
    /// - Returns: Sixteenths: 1 at the start, 16 at the end.
    public static func sixteenths(elapsed: Milliseconds, of time: Milliseconds) -> Int {
        guard elapsed < time else { return whole }
        return max(1, Int(max(0, elapsed.count) * Int64(whole) / time.count))
    }

    /// When the share grows next.
    ///
    /// - Parameters:
    ///   - elapsed: Since it came up.
    ///   - time: How long it takes.
    /// - Returns: From the moment of `elapsed` on; nil when it has its whole weight.
    public static func next(elapsed: Milliseconds, of time: Milliseconds) -> Milliseconds? {
        guard elapsed < time else { return nil }
        let step = Int64(sixteenths(elapsed: elapsed, of: time)) + 1
        // Rounded up, so that the step has been taken then.
        let due = (time.count * step + Int64(whole) - 1) / Int64(whole)
        return Milliseconds(max(1, due - elapsed.count))
    }

    /// The shares of servers of which some are still growing, in sixteenths; as they are when none is.
    public static func shares(_ shares: [Int], sixteenths: [Int]) -> [Int] {
        guard sixteenths.contains(where: { $0 < whole }) else { return shares }
        return zip(shares, sixteenths).map { $0 * $1 }
    }
}
