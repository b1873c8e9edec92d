/// A moment on a node's own monotonic clock, in nanoseconds since an arbitrary origin.
///
/// Instants of two nodes are never compared.
public struct Instant: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Nanoseconds since the clock's origin.
    public let nanoseconds: Int64

    /// Wraps a reading of CLOCK_MONOTONIC, or an invented one.
    @inlinable
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The clock's origin, for invented clocks.
    public static let zero = Instant(nanoseconds: 0)

    /// Orders by time.
    @inlinable
    public static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// A later moment.
    @inlinable
    public static func + (left: Instant, right: Duration) -> Instant {
        Instant(nanoseconds: left.nanoseconds + right.nanoseconds)
    }

    /// An earlier moment.
    @inlinable
    public static func - (left: Instant, right: Duration) -> Instant {
        Instant(nanoseconds: left.nanoseconds - right.nanoseconds)
    }

    /// The time from `right` to `left`; negative when `right` is later.
    @inlinable
    public static func - (left: Instant, right: Instant) -> Duration {
        Duration(wholeNanoseconds: left.nanoseconds - right.nanoseconds)
    }

    /// The text form.
    public var description: String { "\(Double(nanoseconds) / 1e9)s" }
}

extension Instant? {
    /// The first of four moments, any of which may never come.
    @inlinable
    public static func earliest(_ first: Self, _ second: Self, _ third: Self, _ fourth: Self) -> Self {
        earlier(earlier(first, second), earlier(third, fourth))
    }

    @inlinable
    static func earlier(_ left: Self, _ right: Self) -> Self {
        guard let left else { return right }
        return right.map { Swift.min(left, $0) } ?? left
    }
}

extension Duration {
    /// As `nanoseconds(_:)`, which is generic and not specialised outside of the standard library.
    @inlinable
    public init(wholeNanoseconds: Int64) { self.init(attoseconds: Int128(wholeNanoseconds) * 1_000_000_000) }

    /// The whole duration in nanoseconds; traps beyond ±292 years.
    @inlinable
    public var nanoseconds: Int64 {
        // Below nine seconds, that is nearly always, in 64 bits: a division of 128 bits costs twenty times as much.
        let all = attoseconds
        let low = Int64(truncatingIfNeeded: all)
        if Int128(low) == all { return low / 1_000_000_000 }
        let parts = components
        return parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000
    }

    /// The whole duration in milliseconds, rounded towards zero.
    @inlinable
    public var milliseconds: Int64 { nanoseconds / 1_000_000 }
}

/// A configured time, kept and shown in whole milliseconds.
public struct Milliseconds: Hashable, Comparable, Codable, Sendable, ExpressibleByIntegerLiteral,
    CustomStringConvertible
{
    /// How many.
    public let count: Int64

    /// Wraps a count.
    @inlinable
    public init(_ count: Int64) { self.count = count }

    /// A literal in code is a count.
    @inlinable
    public init(integerLiteral value: Int64) { count = value }

    /// Decodes a bare number.
    public init(from decoder: any Decoder) throws { count = try decoder.singleValueContainer().decode(Int64.self) }

    /// Encodes a bare number.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(count)
    }

    /// The same time for arithmetic.
    @inlinable
    public var duration: Duration { .milliseconds(count) }

    /// Orders by length.
    @inlinable
    public static func < (left: Milliseconds, right: Milliseconds) -> Bool { left.count < right.count }

    /// The shortest exact spelling: `90s` as `90s`, `120s` as `2m`, `1500ms` as `1500ms`.
    public var description: String {
        for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)] as [(String, Int64)]
        where count != 0 && count % size == 0 {
            return "\(count / size)\(unit)"
        }
        return "\(count)ms"
    }

    /// Reads a count with a unit (`us` is refused; `ms`, `s`, `m` or `min`, `h`, `d`); a bare number counts in `bare`.
    ///
    /// - Parameters:
    ///   - text: What the operator wrote.
    ///   - bare: The unit of a number without one: seconds in Pacemaker's words, milliseconds in HAProxy's.
    public init?(_ text: String, bare: Unit) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int64(digits), !digits.isEmpty else { return nil }
        let size: Int64
        switch text.dropFirst(digits.count) {
        case "": size = bare == .seconds ? 1000 : 1
        case "ms": size = 1
        case "s", "sec": size = 1000
        case "m", "min": size = 60_000
        case "h": size = 3_600_000
        case "d": size = 86_400_000
        default: return nil
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: size)
        guard !overflow, product <= Self.longest.count else { return nil }
        count = product
    }

    /// What a number without a unit counts.
    public enum Unit: Sendable {
        /// As in Pacemaker.
        case seconds
        /// As in HAProxy.
        case milliseconds
    }

    /// The longest time that a configuration may hold: 49 days, as in HAProxy.
    public static let longest: Milliseconds = 4_233_600_000
}
