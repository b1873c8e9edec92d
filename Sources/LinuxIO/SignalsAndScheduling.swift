internal import CLinux

/// Signals as input of an event loop.
public struct SignalInput: ~Copyable, Sendable {
    /// Register it for reading.
    public let descriptor: Descriptor

    /// Blocks the signals for the calling thread, and all threads it starts later, and takes them here instead.
    public init(_ signals: [Int32]) throws(SystemError) {
        descriptor = Descriptor(
            owning: Int32(try SystemError.check("signalfd") { haven_signalfd(signals, Int32(signals.count)) })
        )
    }

    /// The next signal that came, or nil.
    public func next() -> Int32? {
        let result = haven_signalfd_read(descriptor.number)
        return result >= 0 ? Int32(result) : nil
    }
}

/// How the kernel treats the calling thread or process.
public enum Scheduling {
    /// Puts the calling thread under SCHED_RR; children fall back to the normal policy.
    ///
    /// - Parameter priority: 1 to 99.
    /// - Throws: EPERM where the machine does not allow it.
    public static func becomeRealtime(priority: Int32) throws(SystemError) {
        try SystemError.check("sched_setscheduler") { haven_realtime(priority) }
    }

    /// Keeps every page that is touched in memory (MCL_ONFAULT: untouched ones cost nothing).
    public static func lockMemory() throws(SystemError) {
        try SystemError.check("mlockall") { haven_lock_memory() }
    }
}
