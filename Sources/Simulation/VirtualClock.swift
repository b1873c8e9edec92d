public import ClusterModel

/// True time of a simulation, in nanoseconds since its start.
public typealias TrueTime = Int64

/// A node's clock: its own origin and its own rate, both wrong.
public struct VirtualClock: Sendable {
    /// What it showed at the start.
    let offset: Int64
    /// How much faster than true time it runs, in parts per million; negative when slower.
    public let ratePartsPerMillion: Int64

    /// What it shows at a true time.
    public func local(_ time: TrueTime) -> Instant {
        Instant(nanoseconds: offset + time + time / 1000 * ratePartsPerMillion / 1000)
    }

    /// A true time at which it shows at least `instant`, at most a few microseconds too late.
    func trueTime(of instant: Instant) -> TrueTime {
        let elapsed = instant.nanoseconds - offset
        return elapsed / (1_000_000 + ratePartsPerMillion) * 1_000_000 + 1_000_000
            * (elapsed % (1_000_000 + ratePartsPerMillion)) / (1_000_000 + ratePartsPerMillion) + 2000
    }
}
