internal import CLinux
public import ClusterModel
internal import LinuxIO

/// The process behind a control socket, as the kernel tells it: also one that is hung and greets nobody.
///
/// Held by a descriptor, so that a signal never meets another process that got its number.
public final class ProxyPeer: Sendable {
    /// Its number.
    public let process: Int32
    private let descriptor: Descriptor

    /// Finds out who listens on a control socket.
    ///
    /// - Throws: When nobody does.
    public init(path: String) throws(ProxyControlError) {
        let (process, descriptor) = try Self.find(path)
        self.process = process
        self.descriptor = Descriptor(owning: descriptor)
    }

    private static func find(_ path: String) throws(ProxyControlError) -> (Int32, Int32) {
        do throws(SystemError) {
            let socket = try StreamSocket.connectUnix(path: path)
            var (process, user, group): (pid_t, uid_t, gid_t) = (0, 0, 0)
            let number = socket.number
            try SystemError.check("getsockopt", path) { haven_peer_credentials(number, &process, &user, &group) }
            return (process, Int32(try SystemError.check("pidfd_open", path) { haven_pidfd_open(process) }))
        } catch { throw .system("\(error)") }
    }

    /// Sends it a signal; nothing happens when it has ended.
    public func signal(_ number: Int32) { _ = haven_pidfd_send_signal(descriptor.number, number) }

    /// Waits for its end; false when the deadline came first.
    public func waitForEnd(deadline: Instant) -> Bool {
        while true {
            let left = max(0, (deadline - Clock.monotonic()).milliseconds + 1)
            let result = haven_poll_one(descriptor.number, Int16(POLLIN), Int32(min(left, 60_000)))
            if result > 0 { return true }
            if Clock.monotonic() >= deadline { return false }
        }
    }
}
