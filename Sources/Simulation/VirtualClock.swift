public import ClusterModel

/// True time of a simulation, in nanoseconds since its start.
public typealias TrueTime = Int64

/// A node's clock: its own origin and its own rate, both wrong.
public struct VirtualClock: Sendable {
    /// What it showed at `since`.
    private var base: Int64
    /// When its rate last changed.
    private var since: TrueTime = 0
    /// How much faster than true time it runs, in parts per million; negative when slower.
    public private(set) var ratePartsPerMillion: Int64

    /// A clock that shows `offset` at the start.
    init(offset: Int64, ratePartsPerMillion: Int64) {
        base = offset
        self.ratePartsPerMillion = ratePartsPerMillion
    }

    /// What it shows at a true time; not before the last change of its rate.
    public func local(_ time: TrueTime) -> Instant { Instant(nanoseconds: nanoseconds(time)) }

    private func nanoseconds(_ time: TrueTime) -> Int64 {
        let elapsed = time - since
        return base + elapsed + elapsed / 1000 * ratePartsPerMillion / 1000
    }

    /// From now on it runs at another rate, without a jump.
    mutating func setRate(_ partsPerMillion: Int64, at time: TrueTime) {
        base = nanoseconds(time)
        since = time
        ratePartsPerMillion = partsPerMillion
    }

    /// A true time at which it shows at least `instant`, at most a few microseconds too late.
    func trueTime(of instant: Instant) -> TrueTime {
        let elapsed = instant.nanoseconds - base
        return since + elapsed / (1_000_000 + ratePartsPerMillion) * 1_000_000 + 1_000_000
            * (elapsed % (1_000_000 + ratePartsPerMillion)) / (1_000_000 + ratePartsPerMillion) + 2000
    }
}
