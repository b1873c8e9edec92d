import LinuxIO
import Synchronization

/// Errors in a row of each observed server, counted by all loops together.
///
/// A loop that sees an error adds one, and a loop that sees a success sets the count back. Who reaches the limit marks
/// the count, so that no success before the control thread looks can undo it, and rings that thread.
final class ErrorCounts {
    /// A count from here on has reached its limit.
    static let mark: UInt32 = 1 << 31
    let base: UnsafeMutablePointer<Atomic<UInt32>>
    /// What a loop writes to.
    let alarm: Int32

    init(alarm: Int32) {
        self.alarm = alarm
        base = .allocate(capacity: ProxyLimits.serverIDs)
        for index in 0..<ProxyLimits.serverIDs { (base + index).initialize(to: Atomic<UInt32>(0)) }
    }

    deinit {
        base.deinitialize(count: ProxyLimits.serverIDs)
        base.deallocate()
    }

    /// Starts a server's count anew.
    func clear(_ server: Int32) { base[Int(server)].store(0, ordering: .relaxed) }

    /// Whether a server has had too many errors; its count starts anew then.
    func take(_ server: Int32) -> Bool {
        guard base[Int(server)].load(ordering: .relaxed) >= Self.mark else { return false }
        clear(server)
        return true
    }
}
