/// Weighted round robin as a fixed sequence: built when something changes, followed with one index per pick.
public enum RoundRobin {
    /// The longest sequence; weights whose sum (without their common divisor) is larger are scaled down to it.
    public static let longestSequence = 4096

    /// The order in which servers are picked, spread as evenly as their weights allow.
    ///
    /// - Parameter weights: One per server; 0 leaves it out.
    /// - Returns: Indices into `weights`; empty when all are 0.
    public static func sequence(weights: [Int]) -> [UInt16] {
        let shares = scaled(weights)
        let total = shares.reduce(0, +)
        guard total > 0 else { return [] }
        var credit = [Int](repeating: 0, count: shares.count)
        var sequence: [UInt16] = []
        sequence.reserveCapacity(total)
        for _ in 0..<total {
            var best = -1
            for index in shares.indices where shares[index] > 0 {
                credit[index] += shares[index]
                if best < 0 || credit[index] > credit[best] { best = index }
            }
            credit[best] -= total
            sequence.append(UInt16(best))
        }
        return sequence
    }

    /// Divides by the common divisor, then shrinks what is still too long; no positive weight becomes 0.
    private static func scaled(_ weights: [Int]) -> [Int] {
        let divisor = weights.reduce(0, gcd)
        guard divisor > 0 else { return weights }
        let shares = weights.map { $0 / divisor }
        let total = shares.reduce(0, +)
        guard total > longestSequence else { return shares }
        return shares.map { $0 == 0 ? 0 : max(1, $0 * longestSequence / total) }
    }

    private static func gcd(_ left: Int, _ right: Int) -> Int {
        var (left, right) = (left, right)
        while right != 0 { (left, right) = (right, left % right) }
        return left
    }
}
