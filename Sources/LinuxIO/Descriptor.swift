public import CLinux

/// A file descriptor that closes itself when its owner goes.
public struct Descriptor: ~Copyable, Sendable {
    /// The number, valid as long as this value lives.
    public let number: Int32

    /// Takes ownership of an open descriptor.
    @inlinable
    public init(owning number: Int32) { self.number = number }

    deinit { _ = haven_close(number) }

    /// Gives the number away; the caller closes it.
    public consuming func release() -> Int32 {
        let number = number
        discard self
        return number
    }

    /// Opens a path with `O_…` flags; always close-on-exec.
    public static func open(_ path: String, _ flags: Int32, mode: mode_t = 0) throws(SystemError) -> Descriptor {
        Descriptor(owning: Int32(try SystemError.check("open", path) { haven_open(path, flags, mode) }))
    }

    /// Reads up to `limit` bytes; empty at the end of the input.
    public func read(upTo limit: Int) throws(SystemError) -> [UInt8] {
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            do throws(SystemError) {
                count = try SystemError.check("read") { haven_read(number, buffer.baseAddress, limit) }
            } catch {
                count = 0
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Writes what the kernel takes now and says how much that was.
    public func write(_ bytes: some Collection<UInt8>) throws(SystemError) -> Int {
        let copy = Array(bytes)
        return try SystemError.check("write") {
            copy.withUnsafeBytes { haven_write(number, $0.baseAddress, $0.count) }
        }
    }

    /// Writes all of it to a blocking descriptor.
    public func writeAll(_ bytes: [UInt8]) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty { rest = rest.dropFirst(try write(rest)) }
    }

    /// Makes reads and writes return at once.
    public func setNonBlocking() throws(SystemError) {
        let flags = try SystemError.check("fcntl") { haven_fcntl(number, F_GETFL, 0) }
        try SystemError.check("fcntl") { haven_fcntl(number, F_SETFL, Int32(flags) | O_NONBLOCK) }
    }
}
