internal import CLinux
internal import LinuxIO

/// The device that resets the machine unless it is fed in time.
///
/// It is fed by writing to it. Closed after a `V` it rests; closed without one, by the end of its process too, it goes on
/// and resets the machine.
struct Watchdog: ~Copyable {
    private let device: Descriptor

    /// What a device cannot do by reading and writing; another one in tests, which have no device.
    struct Control: Sendable {
        /// Sets the time-out in seconds; the one that the device took, or the negative error number.
        var setTimeout: @Sendable (_ device: Int32, _ seconds: Int32) -> Int

        /// That of the kernel.
        static let kernel = Control { haven_watchdog_timeout($0, $1) }
    }

    /// Opens the device, which starts it.
    ///
    /// - Parameters:
    ///   - path: The device.
    ///   - seconds: The longest that it may take to reset the machine.
    ///   - control: How the time is set.
    /// - Throws: a device that is not there, belongs to another process, or takes longer; it rests then.
    init(path: String, seconds: Int32, control: Control) throws(SystemError) {
        let opened = try Descriptor.open(path, O_WRONLY)
        let number = opened.number
        do throws(SystemError) {
            let taken = try SystemError.check("set the time-out of", path) { control.setTimeout(number, seconds) }
            guard (1...Int(seconds)).contains(taken) else {
                throw SystemError(call: "set the time-out of", subject: "\(path) to \(seconds) s", code: ERANGE)
            }
        } catch {
            _ = try? opened.write([Self.rest])
            throw error
        }
        device = opened
    }

    private static let food = UInt8(ascii: "k")
    private static let rest = UInt8(ascii: "V")

    /// Feeds it.
    func feed() throws(SystemError) { _ = try device.write([Self.food]) }

    /// Puts it to rest; where the kernel does not allow that (`nowayout`), the next one who opens it has to feed it.
    consuming func disarm() { _ = try? device.write([Self.rest]) }
}

/// What the guard does at the end of its means, by the operator's choice.
public struct LastResort: Sendable {
    /// The watchdog device.
    public var device: String
    /// Reboots the machine at once.
    public var reboot: @Sendable () -> Void
    /// Runs the operator's program.
    public var command: @Sendable () -> Void
    var control = Watchdog.Control.kernel

    /// States the three.
    public init(
        device: String,
        reboot: @escaping @Sendable () -> Void,
        command: @escaping @Sendable () -> Void
    ) {
        self.device = device
        self.reboot = reboot
        self.command = command
    }
}
