internal import CLinux
public import ClusterModel

/// The clocks of this machine.
public enum Clock {
    /// CLOCK_MONOTONIC: never set, stands still while the machine is suspended; leases and time-outs run on it.
    public static func monotonic() -> Instant { Instant(nanoseconds: haven_clock(CLOCK_MONOTONIC)) }

    /// Milliseconds since 1970; may jump; for display and history only.
    public static func wallMilliseconds() -> Int64 { haven_clock(CLOCK_REALTIME) / 1_000_000 }

    /// CPU time of the calling thread, in nanoseconds.
    public static func threadCPUNanoseconds() -> Int64 { haven_clock(CLOCK_THREAD_CPUTIME_ID) }
}

/// Random bytes from the kernel.
public enum SystemRandom {
    /// Fills a fresh array; the kernel's generator never fails once the machine has booted.
    public static func bytes(_ count: Int) throws(SystemError) -> [UInt8] {
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            do throws(SystemError) {
                filled = try SystemError.check("getrandom") { haven_getrandom(buffer.baseAddress, count) }
            } catch { failure = error }
        }
        if let failure { throw failure }
        return bytes
    }

    /// A fresh 128-bit number.
    public static func random128() throws(SystemError) -> Random128 {
        let bytes = try bytes(16)
        func word(_ range: Range<Int>) -> UInt64 { bytes[range].reduce(0) { $0 << 8 | UInt64($1) } }
        return Random128(high: word(0..<8), low: word(8..<16))
    }
}
