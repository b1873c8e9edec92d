/// Picks by the number of connections that servers have now, in proportion to their weights.
public enum LeastLoaded {
    /// The server with the fewest connections for its weight; of equals, the first from `start` on.
    ///
    /// - Parameters:
    ///   - weights: One per server; 0 for those that take no new clients.
    ///   - loads: How many connections each has.
    ///   - start: Raised with each pick, so that equals take turns.
    ///   - avoided: A server that just failed: passed over if there is another one; -1 for none.
    /// - Returns: Its index; nil when none takes clients.
    public static func pick(
        _ weights: Span<UInt16>,
        loads: Span<UInt32>,
        from start: UInt32,
        avoiding avoided: Int = -1
    ) -> Int? {
        let count = weights.count
        guard count > 0 else { return nil }
        var best: Int?
        var index = Int(start % UInt32(count))
        for _ in 0..<count {
            let isCandidate = weights[index] > 0 && index != avoided
            if isCandidate, best.map({ isBetter(index, than: $0, weights, loads) }) ?? true { best = index }
            index = index + 1 == count ? 0 : index + 1
        }
        if best == nil, avoided >= 0, avoided < count, weights[avoided] > 0 { return avoided }
        return best
    }

    /// Of two servers drawn at random the one with fewer connections for its weight (`random(2)`): nearly as even as
    /// `pick`, without looking at all of them.
    ///
    /// - Parameters:
    ///   - sequence: From `RoundRobin.sequence`.
    ///   - weights: One per server.
    ///   - loads: How many connections each has.
    ///   - draws: Two random numbers.
    ///   - avoided: A server that just failed; -1 for none.
    /// - Returns: Its index; nil when the sequence is empty.
    public static func pick(
        of sequence: Span<UInt16>,
        weights: Span<UInt16>,
        loads: Span<UInt32>,
        draws: (UInt32, UInt32),
        avoiding avoided: Int = -1
    ) -> Int? {
        var (one, other) = draws
        guard let first = Selection.next(sequence, cursor: &one, avoiding: avoided),
            let second = Selection.next(sequence, cursor: &other, avoiding: avoided)
        else { return nil }
        return isBetter(second, than: first, weights, loads) ? second : first
    }

    /// Whether one more connection weighs less on the one server than on the other.
    private static func isBetter(
        _ one: Int,
        than other: Int,
        _ weights: Span<UInt16>,
        _ loads: Span<UInt32>
    ) -> Bool {
        (UInt64(loads[one]) + 1) * UInt64(weights[other]) < (UInt64(loads[other]) + 1) * UInt64(weights[one])
    }
}
