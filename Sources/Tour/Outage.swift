/// A time in which a client got no right answer: from the last good one before it to the first good one after it.
public struct Outage: Hashable, Sendable {
    /// When the last good answer before came.
    public var from: Int64
    /// When the first good answer after came; the end of the window where none did.
    public var to: Int64

    /// In milliseconds.
    public var milliseconds: Double { Double(to - from) / 1e6 }

    /// A gap in which no attempt failed is a busy machine's, not an outage, unless it is longer than this: then
    /// attempts were answered so late that somebody noticed.
    static let unremarkable: Int64 = 100_000_000

    /// The longest outage in a window; nil where good answers came all the time and no attempt failed.
    ///
    /// - Parameters:
    ///   - records: What became of attempts, in any order.
    ///   - begin: The window's first moment; the answer before it counts as the last good one.
    ///   - end: The window's last moment.
    /// - Returns: The longest one.
    public static func longest(in records: [ProbeRecord], from begin: Int64, to end: Int64) -> Outage? {
        all(in: records, from: begin, to: end).max { $0.to - $0.from < $1.to - $1.from }
    }

    /// All outages in a window, in order; see `longest`.
    static func all(in records: [ProbeRecord], from begin: Int64, to end: Int64) -> [Outage] {
        let good = records.filter(\.isGood).map(\.ended).sorted()
        let failed = records.filter { !$0.isGood && $0.ended >= begin && $0.began <= end }
        let before = good.last { $0 < begin } ?? begin
        let after = good.first { $0 > end } ?? end
        let moments = [before] + good.filter { $0 >= begin && $0 <= end } + [after]
        let gaps = zip(moments, moments.dropFirst()).map { Outage(from: $0, to: $1) }
        return gaps.filter { gap in
            gap.to - gap.from > unremarkable || failed.contains { $0.began <= gap.to && $0.ended >= gap.from }
        }
    }
}

/// How a step went, over all its runs.
public struct Series: Hashable, Sendable {
    /// The values, in the order of the runs.
    public var values: [Double] = []

    /// The middle value, or the mean of the two in the middle; nil without values.
    public var median: Double? {
        let sorted = values.sorted()
        guard let middle = sorted.dropFirst(sorted.count / 2).first else { return nil }
        return sorted.count % 2 == 1 ? middle : (middle + sorted[sorted.count / 2 - 1]) / 2
    }

    /// The largest value; nil without values.
    public var largest: Double? { values.max() }
}
