/// The dates of a cookie that may grow old: `value|LLLLL|FFFFF`, as HAProxy writes them, so that clients keep theirs when
/// one takes the other's place.
///
/// L is when the client was seen last, F when it got the cookie: 30 bits of seconds since 1970 divided by 4, in five
/// digits of base64.
public struct CookieDates: Equatable, Sendable {
    /// What a cookie's dates say.
    public enum Age: Sendable {
        /// It counts.
        case fresh
        /// Its client stayed away for too long, or it comes from a future that no wrong clock explains.
        case idle
        /// It has served for too long, or likewise.
        case old
    }

    /// Digits of a date.
    static let digits = 5
    /// How far in the future a date may lie, in seconds: as much as a wrong time zone makes it.
    static let tolerance: Int64 = 86_400

    /// When the client was seen last, in seconds since 1970; 0 for not dated.
    public private(set) var last: Int64 = 0
    /// When it got the cookie, likewise.
    public private(set) var first: Int64 = 0

    /// Not dated.
    public init() {}

    /// Reads what follows the server's value; what is no date is passed over.
    public init(reading bytes: Span<UInt8>, _ range: Range<Int>) {
        var at = range.lowerBound
        guard at < range.upperBound, bytes[at] == UInt8(ascii: "|") else { return }
        at += 1
        last = Self.date(bytes, at..<range.upperBound)
        while at < range.upperBound, bytes[at] != UInt8(ascii: "|") { at += 1 }
        if at < range.upperBound { first = Self.date(bytes, (at + 1)..<range.upperBound) }
    }

    /// Whether the cookie still counts.
    ///
    /// - Parameters:
    ///   - now: Seconds since 1970.
    ///   - maxIdle: The longest absence in seconds; 0 for any.
    ///   - maxLife: The longest life in seconds; 0 for any.
    /// - Returns: What its dates say; one without dates is fresh.
    public func age(now: Int64, maxIdle: Int64, maxLife: Int64) -> Age {
        if maxLife > 0, first > 0, now - first > maxLife || first - now > Self.tolerance { return .old }
        if maxIdle > 0, last > 0, now - last > maxIdle || last - now > Self.tolerance { return .idle }
        return .fresh
    }

    /// Whether the client shall get its cookie again with other dates: time has passed, or the listener wants other ones.
    public func isStale(now: Int64, maxIdle: Int64, maxLife: Int64) -> Bool {
        let isDated = maxIdle > 0 || last > 0
        return (isDated && (last == 0 || last < now)) || (maxLife > 0) != (first > 0)
    }

    /// Appends the dates of a cookie that is given out now.
    ///
    /// - Parameters:
    ///   - now: Seconds since 1970.
    ///   - hasLife: Whether it may live for a limited time, and so needs to say since when it does.
    ///   - first: Since when, where the client had it before; 0 for from now on.
    ///   - out: Where to.
    public static func append(now: Int64, hasLife: Bool, first: Int64, into out: inout HeadWriter) {
        append(now, into: &out)
        if hasLife { append(first > 0 ? first : now, into: &out) }
    }

    /// `|` and five digits.
    private static func append(_ seconds: Int64, into out: inout HeadWriter) {
        out.append(UInt8(ascii: "|"))
        let quarters = UInt32(truncatingIfNeeded: seconds >> 2)
        var shift: UInt32 = 30
        for _ in 0..<digits {
            shift -= 6
            out.append(digit(UInt8(quarters >> shift & 63)))
        }
    }

    /// The date at the start of a range, in seconds since 1970; 0 for none.
    private static func date(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int64 {
        guard range.count >= digits else { return 0 }
        var quarters: Int64 = 0
        for index in range.lowerBound..<(range.lowerBound + digits) {
            guard let value = value(bytes[index]) else { return 0 }
            quarters = quarters << 6 | Int64(value)
        }
        return quarters << 2
    }

    /// A digit of RFC 4648 §4.
    private static func digit(_ value: UInt8) -> UInt8 {
        switch value {
        case 0..<26: UInt8(ascii: "A") + value
        case 26..<52: UInt8(ascii: "a") + (value - 26)
        case 52..<62: UInt8(ascii: "0") + (value - 52)
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
