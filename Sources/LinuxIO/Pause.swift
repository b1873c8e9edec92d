internal import CLinux
public import ClusterModel

/// A bounded wait of a command that looks at something again and again; never for an event loop.
public enum Pause {
    /// Lets the calling thread rest until then; a signal may end it earlier.
    public static func until(_ deadline: Instant) {
        let left = deadline.nanoseconds - Clock.monotonic().nanoseconds
        if left > 0 { _ = poll(nil, 0, Int32(clamping: (left + 999_999) / 1_000_000)) }
    }
}
