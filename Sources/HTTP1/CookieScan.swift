/// The persistence cookie inside Cookie and Set-Cookie fields.
///
/// Names compare byte by byte (RFC 6265 §5.4). A cookie may appear several times: as in HAProxy the first one counts that
/// names a server which can be used.
public enum CookieScan {
    /// How far a search through a head has come.
    public struct Position: Sendable {
        fileprivate var field = 0
        fileprivate var rest = 0..<0

        /// At the start.
        public init() {}
    }

    /// Where the value of the first cookie called `name` stands; nil for none.
    public static func find(_ name: Span<UInt8>, in head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Range<Int>? {
        var position = Position()
        return next(name, in: head, bytes, &position)
    }

    /// Where the value of the next cookie called `name` stands; nil when there is none any more.
    public static func next(
        _ name: Span<UInt8>,
        in head: borrowing RequestHead,
        _ bytes: Span<UInt8>,
        _ position: inout Position
    ) -> Range<Int>? {
        while true {
            while !position.rest.isEmpty {
                let pair = nextPair(bytes, &position.rest)
                if let value = value(of: pair, called: name, bytes) { return value }
            }
            while position.field < head.fields.count, head.fields[position.field].kind != .cookie {
                position.field += 1
            }
            guard position.field < head.fields.count else { return nil }
            position.rest = head.fields[position.field].value
            position.field += 1
        }
    }

    /// The part of a value that names a server: up to the first delimiter, or all of it.
    public static func server(in value: Range<Int>, before delimiter: UInt8, _ bytes: Span<UInt8>) -> Range<Int> {
        var end = value.lowerBound
        while end < value.upperBound, bytes[end] != delimiter { end &+= 1 }
        return value.lowerBound..<end
    }

    /// Appends a Cookie line with the cookies called `name` treated so; no line when nothing is left.
    static func copy(
        _ field: Field,
        _ name: Span<UInt8>,
        _ treatment: RequestCookie,
        _ bytes: Span<UInt8>,
        into out: inout HeadWriter
    ) {
        var rest = field.value
        var isFirst = true
        while !rest.isEmpty {
            let pair = nextPair(bytes, &rest)
            let value = value(of: pair, called: name, bytes)
            if pair.isEmpty || (value != nil && treatment == .removed) { continue }
            if isFirst {
                out.append(bytes, field.name)
                out.append(": ")
            } else {
                out.append("; ")
            }
            if let value, treatment == .withoutPrefix {
                let prefix = server(in: value, before: UInt8(ascii: "~"), bytes)
                let start = prefix.upperBound < value.upperBound ? prefix.upperBound + 1 : value.lowerBound
                out.append(bytes, pair.lowerBound..<value.lowerBound)
                out.append(bytes, start..<pair.upperBound)
            } else {
                out.append(bytes, pair)
            }
            isFirst = false
        }
        if !isFirst { out.append("\r\n") }
    }

    /// Where the value stands that a Set-Cookie gives the cookie called `name`; nil where it sets another one.
    static func set(_ name: Span<UInt8>, by value: Range<Int>, _ bytes: Span<UInt8>) -> Range<Int>? {
        var rest = value
        return self.value(of: nextPair(bytes, &rest), called: name, bytes)
    }

    private static func nextPair(_ bytes: Span<UInt8>, _ rest: inout Range<Int>) -> Range<Int> {
        var end = rest.lowerBound
        while end < rest.upperBound, bytes[end] != UInt8(ascii: ";") { end &+= 1 }
        let pair = Characters.trim(bytes, rest.lowerBound..<end)
        rest = min(end + 1, rest.upperBound)..<rest.upperBound
        return pair
    }

    private static func value(of pair: Range<Int>, called name: Span<UInt8>, _ bytes: Span<UInt8>) -> Range<Int>? {
        guard pair.count > name.count else { return nil }
        for offset in 0..<name.count where bytes[pair.lowerBound + offset] != name[offset] { return nil }
        var at = pair.lowerBound + name.count
        while at < pair.upperBound, Characters.isBlank(bytes[at]) { at += 1 }
        guard at < pair.upperBound, bytes[at] == UInt8(ascii: "=") else { return nil }
        return Characters.trim(bytes, (at + 1)..<pair.upperBound)
    }
}

extension ResponseHead {
    /// Whether it sets the cookie called `name`; only worth asking where `hasSetCookie`.
    public func sets(_ name: Span<UInt8>, _ bytes: Span<UInt8>) -> Bool {
        for index in 0..<fields.count where fields[index].kind == .setCookie {
            if CookieScan.set(name, by: fields[index].value, bytes) != nil { return true }
        }
        return false
    }
}
