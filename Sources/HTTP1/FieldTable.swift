/// Fields that framing, persistence or hop-by-hop rules look at; all others are passed on unread.
public enum FieldKind: UInt8, Sendable {
    /// Any other field.
    case other
    /// Host.
    case host
    /// Connection.
    case connection
    /// Fields of this hop alone: Keep-Alive, Proxy-Connection, TE, HTTP2-Settings.
    case hop
    /// Upgrade: of this hop alone, too, and passed on only with what it asks for.
    case upgrade
    /// Transfer-Encoding.
    case transferEncoding
    /// Content-Length.
    case contentLength
    /// Cookie.
    case cookie
    /// Set-Cookie.
    case setCookie
    /// Expect.
    case expect
    /// Cache-Control.
    case cacheControl
    /// Expires, ETag or Last-Modified: a response that has one may be cached.
    case cacheValidator
    /// X-Forwarded-Proto, also spelt with underscores: many servers read both as one.
    case forwardedProtocol
    /// A framing field spelt with underscores, which some servers read as the real one.
    case forged
}

/// One field line, as offsets into the head.
public struct Field: Sendable {
    /// Where the line starts.
    public internal(set) var nameStart: UInt16 = 0
    /// Where its colon stands.
    public internal(set) var nameEnd: UInt16 = 0
    /// Where the value starts, after blanks.
    public internal(set) var valueStart: UInt16 = 0
    /// Where the value ends, before blanks.
    public internal(set) var valueEnd: UInt16 = 0
    /// What it is.
    public internal(set) var kind = FieldKind.other

    /// The name's place.
    public var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }
    /// The value's place.
    public var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }
}

/// The field lines of one head; reused from head to head, never allocated anew.
public struct FieldTable: Sendable {
    var rows = InlineArray<100, Field>(repeating: Field())
    /// How many lines the head has.
    public internal(set) var count = 0

    /// Empty.
    public init() {}

    /// One line, in order.
    public subscript(index: Int) -> Field { rows[index] }

    /// All lines, for walking along them: the subscript may copy the table each time.
    var lines: Span<Field> {
        @_lifetime(borrow self)
        get { rows.span.extracting(first: count) }
    }

    /// Reads field lines from `start` up to and including the empty line.
    mutating func read(_ bytes: Span<UInt8>, from start: Int) -> HeadProgress {
        let limit = bytes.count
        var at = start
        count = 0
        while true {
            guard at < limit else { return .incomplete }
            let first = bytes[at]
            if first == Characters.cr {
                guard at + 1 < limit else { return .incomplete }
                return bytes[at + 1] == Characters.lf ? .complete(end: at + 2) : .refused(.bareLineEnd)
            }
            if Characters.isBlank(first) { return .refused(.folded) }
            if first == Characters.lf { return .refused(.bareLineEnd) }
            guard count < HeadLimits.fields else { return .refused(.tooManyFields) }
            let nameStart = at
            while at < limit, Characters.isToken(bytes[at]) { at &+= 1 }
            guard at < limit else { return .incomplete }
            guard bytes[at] == Characters.colon, at > nameStart else { return .refused(.fieldName) }
            let nameEnd = at
            at += 1
            while at < limit, Characters.isBlank(bytes[at]) { at &+= 1 }
            let valueStart = at
            at = Self.endOfValue(bytes, from: at)
            guard at < limit else { return .incomplete }
            guard bytes[at] == Characters.cr else {
                return .refused(bytes[at] == Characters.lf ? .bareLineEnd : .fieldValue)
            }
            guard at + 1 < limit else { return .incomplete }
            guard bytes[at + 1] == Characters.lf else { return .refused(.bareLineEnd) }
            var valueEnd = at
            while valueEnd > valueStart, Characters.isBlank(bytes[valueEnd - 1]) { valueEnd &-= 1 }
            at += 2
            // Offsets fit: callers never pass more than a head of `HeadLimits.headBytes`.
            rows[count] = Field(
                nameStart: UInt16(nameStart),
                nameEnd: UInt16(nameEnd),
                valueStart: UInt16(valueStart),
                valueEnd: UInt16(valueEnd),
                kind: FieldKind.of(bytes, nameStart..<nameEnd)
            )
            count += 1
        }
    }

    /// The first byte from `start` on that may not stand in a value, or the end of the bytes.
    @inline(__always)
    private static func endOfValue(_ bytes: Span<UInt8>, from start: Int) -> Int {
        let raw = unsafe bytes.bytes
        var at = start
        while at &+ 8 <= bytes.count {
            let word = unsafe raw.unsafeLoadUnaligned(fromByteOffset: at, as: UInt64.self)
            // Bytes below 0x20 borrow into their top bit; those that are 0x7F become zero under the second mask.
            let low = (word &- 0x2020_2020_2020_2020) & ~word
            let delete = word ^ 0x7F7F_7F7F_7F7F_7F7F
            let zero = (delete &- 0x0101_0101_0101_0101) & ~delete
            if (low | zero) & 0x8080_8080_8080_8080 != 0 { break }
            at &+= 8
        }
        while at < bytes.count {
            let byte = bytes[at]
            if (byte < 0x20 && byte != Characters.tab) || byte == 0x7F { break }
            at &+= 1
        }
        return at
    }
}

extension FieldKind {
    /// Recognises a name by its length first: most fields cost one switch.
    static func of(_ bytes: Span<UInt8>, _ name: Range<Int>) -> FieldKind {
        switch name.count {
        case 2: Characters.equals(bytes, name, "te") ? .hop : .other
        case 4: four(bytes, name)
        case 6: six(bytes, name)
        case 7: seven(bytes, name)
        case 10: ten(bytes, name)
        case 13: thirteen(bytes, name)
        case 14: fourteen(bytes, name)
        case 16: Characters.equals(bytes, name, "proxy-connection") ? .hop : .other
        case 17: seventeen(bytes, name)
        default: .other
        }
    }

    private static func four(_ bytes: Span<UInt8>, _ name: Range<Int>) -> FieldKind {
        if Characters.equals(bytes, name, "host") { return .host }
        return Characters.equals(bytes, name, "etag") ? .cacheValidator : .other
    }

    private static func six(_ bytes: Span<UInt8>, _ name: Range<Int>) -> FieldKind {
        if Characters.equals(bytes, name, "cookie") { return .cookie }
        return Characters.equals(bytes, name, "expect") ? .expect : .other
    }

    private static func seven(_ bytes: Span<UInt8>, _ name: Range<Int>) -> FieldKind {
        if Characters.equals(bytes, name, "upgrade") { return .upgrade }
        return Characters.equals(bytes, name, "expires") ? .cacheValidator : .other
    }

    private static func ten(_ bytes: Span<UInt8>, _ name: Range<Int>) -> FieldKind {
        if Characters.equals(bytes, name, "connection") { return .connection }
        if Characters.equals(bytes, name, "set-cookie") { return .setCookie }
        return Characters.equals(bytes, name, "keep-alive") ? .hop : .other
    }

    private static func thirteen(_ bytes: Span<UInt8>, _ name: Range<Int>) -> FieldKind {
        if Characters.equals(bytes, name, "cache-control") { return .cacheControl }
        return Characters.equals(bytes, name, "last-modified") ? .cacheValidator : .other
    }

    private static func fourteen(_ bytes: Span<UInt8>, _ name: Range<Int>) -> FieldKind {
        if Characters.equals(bytes, name, "content-length") { return .contentLength }
        if Characters.equals(bytes, name, "http2-settings") { return .hop }
        return Characters.equals(bytes, name, "content_length") ? .forged : .other
    }

    private static func seventeen(_ bytes: Span<UInt8>, _ name: Range<Int>) -> FieldKind {
        if Characters.equals(bytes, name, "transfer-encoding") { return .transferEncoding }
        if Characters.equalsButDashes(bytes, name, "x-forwarded-proto") { return .forwardedProtocol }
        return Characters.equals(bytes, name, "transfer_encoding") ? .forged : .other
    }
}
