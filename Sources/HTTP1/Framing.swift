/// How the end of a message body is known (RFC 9112 §6.3).
public enum Framing: UInt8, Sendable {
    /// There is no body.
    case none
    /// By its length.
    case length
    /// By the chunked coding.
    case chunked
    /// By the end of the connection; responses only.
    case untilClose
}

/// What the framing fields of a head say; the same rules for both directions.
struct FramingFields {
    /// -1 where none was seen.
    var contentLength: Int64 = -1
    var chunked = false

    /// Takes in a Content-Length; even the same value twice has no innocent sender.
    mutating func addLength(_ bytes: Span<UInt8>, _ value: Range<Int>) throws(HeadFault) {
        guard contentLength < 0, let length = Self.decimal(bytes, value) else { throw .contentLength }
        contentLength = length
    }

    /// Takes in a Transfer-Encoding: exactly one, exactly `chunked`.
    mutating func addCoding(_ bytes: Span<UInt8>, _ value: Range<Int>) throws(HeadFault) {
        guard !chunked, !value.isEmpty else { throw .transferCoding }
        if Characters.equals(bytes, value, "chunked") {
            chunked = true
            return
        }
        // Well-formed but not ours is "not implemented"; anything that hides a "chunked" could be read two ways.
        var rest = value
        while !rest.isEmpty {
            let item = ListItem.next(bytes, &rest)
            guard !item.isEmpty, item.allSatisfy({ Characters.isToken(bytes[$0]) }) else { throw .transferCoding }
        }
        guard bytes[value.upperBound - 1] != Characters.comma else { throw .transferCoding }
        throw .unknownCoding
    }

    /// Plain digits without a leading zero, which some readers take for octal; 18 at most, so that it fits.
    static func decimal(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int64? {
        guard (1...18).contains(range.count) else { return nil }
        if bytes[range.lowerBound] == 0x30, range.count > 1 { return nil }
        var value: Int64 = 0
        for index in range {
            let byte = bytes[index]
            guard Characters.isDigit(byte) else { return nil }
            value = value * 10 + Int64(byte &- 0x30)
        }
        return value
    }
}

/// Comma-separated lists (RFC 9110 §5.6.1).
enum ListItem {
    /// Cuts the first item off `rest`, without blanks around it.
    static func next(_ bytes: Span<UInt8>, _ rest: inout Range<Int>) -> Range<Int> {
        var end = rest.lowerBound
        while end < rest.upperBound, bytes[end] != Characters.comma { end += 1 }
        let item = Characters.trim(bytes, rest.lowerBound..<end)
        rest = min(end + 1, rest.upperBound)..<rest.upperBound
        return item
    }
}

/// What a Connection field says (RFC 9110 §7.6.1).
struct ConnectionOptions {
    var close = false
    var keepAlive = false
    var upgrade = false
    /// Whether it names fields that must not be passed on, beyond those that never are.
    var nominates = false

    mutating func add(_ bytes: Span<UInt8>, _ value: Range<Int>) throws(HeadFault) {
        var rest = value
        while !rest.isEmpty {
            let item = ListItem.next(bytes, &rest)
            if item.isEmpty { continue }
            if Characters.equals(bytes, item, "close") {
                close = true
            } else if Characters.equals(bytes, item, "keep-alive") {
                keepAlive = true
            } else {
                guard item.allSatisfy({ Characters.isToken(bytes[$0]) }) else { throw .connection }
                switch FieldKind.of(bytes, item) {
                case .host, .contentLength, .transferEncoding: throw .connection
                case .upgrade: upgrade = true
                case .hop, .connection: break
                default: nominates = true
                }
            }
        }
    }
}

extension FieldTable {
    /// Whether some Connection field names this one.
    func connectionNames(_ field: Field, _ bytes: Span<UInt8>) -> Bool {
        for index in 0..<count where rows[index].kind == .connection {
            var rest = rows[index].value
            while !rest.isEmpty {
                if Characters.equals(bytes, ListItem.next(bytes, &rest), field.name) { return true }
            }
        }
        return false
    }
}
