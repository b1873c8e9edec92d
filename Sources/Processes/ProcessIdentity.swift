internal import CLinux
internal import ClusterModel
internal import LinuxIO

/// A process that is not a child of this one, recognised for ever: its number and the moment when it was started.
///
/// Numbers are given out again, so a number that was noted down says nothing without that moment.
public struct ProcessIdentity: Hashable, Sendable {
    /// The number.
    public let pid: Int32
    /// When it was started, in clock ticks since the machine booted.
    public let startTicks: UInt64

    /// Puts together what was noted down.
    public init(pid: Int32, startTicks: UInt64) {
        self.pid = pid
        self.startTicks = startTicks
    }

    /// The process that has the number now; nil when none has.
    public init?(runningAs pid: Int32) {
        guard let file = try? Descriptor.open("/proc/\(pid)/stat", O_RDONLY),
            let bytes = try? file.read(upTo: 4096)
        else { return nil }
        // The name in parentheses may hold anything, so count from the last parenthesis: "(name) state ppid …".
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X", let ticks = UInt64(fields[19]) else { return nil }
        self.init(pid: pid, startTicks: ticks)
    }

    /// Whether it still runs.
    public var isRunning: Bool { ProcessIdentity(runningAs: pid) == self }

    /// Kills it and waits until it is gone.
    ///
    /// - Parameter patience: How long to wait.
    /// - Returns: Whether it is gone now, also if it was before.
    public func kill(patience: Duration) -> Bool {
        let opened = haven_pidfd_open(pid)
        guard opened >= 0 else { return opened == -Int(ESRCH) }
        let descriptor = Descriptor(owning: Int32(opened))
        // Compared after opening: from here on the number cannot change hands unnoticed.
        guard isRunning else { return true }
        _ = haven_pidfd_send_signal(descriptor.number, SIGKILL)
        guard var poller = try? Poller(), (try? poller.add(descriptor.number, .read, token: 0)) != nil else {
            return false
        }
        var events: [Poller.Event] = []
        let now = Clock.monotonic()
        try? poller.wait(until: now + patience, now: now, into: &events)
        return !events.isEmpty
    }
}
