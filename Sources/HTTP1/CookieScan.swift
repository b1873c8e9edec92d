/// The persistence cookie inside Cookie and Set-Cookie fields.
///
/// Names compare byte by byte (RFC 6265 §5.4); a cookie may appear several times and the first one counts, as in HAProxy.
public enum CookieScan {
    /// Where the value of the first cookie called `name` stands; nil for none.
    public static func find(_ name: Span<UInt8>, in head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Range<Int>? {
        for index in 0..<head.fields.count where head.fields[index].kind == .cookie {
            var rest = head.fields[index].value
            while !rest.isEmpty {
                let pair = nextPair(bytes, &rest)
                if let value = value(of: pair, called: name, bytes) { return value }
            }
        }
        return nil
    }

    /// Appends a Cookie line without the cookies called `name`; no line when nothing is left.
    static func copy(_ field: Field, without name: Span<UInt8>, _ bytes: Span<UInt8>, into out: inout HeadWriter) {
        var rest = field.value
        var isFirst = true
        while !rest.isEmpty {
            let pair = nextPair(bytes, &rest)
            if pair.isEmpty || value(of: pair, called: name, bytes) != nil { continue }
            if isFirst {
                out.append(bytes, field.name)
                out.append(": ")
            } else {
                out.append("; ")
            }
            out.append(bytes, pair)
            isFirst = false
        }
        if !isFirst { out.append("\r\n") }
    }

    /// Whether a Set-Cookie value sets the cookie called `name`.
    static func sets(_ name: Span<UInt8>, _ value: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
        var rest = value
        return self.value(of: nextPair(bytes, &rest), called: name, bytes) != nil
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
