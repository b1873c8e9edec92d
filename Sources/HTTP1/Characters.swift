/// Byte classes of RFC 9110 §5.6.2, as bit masks: no table, no lazily made static.
@usableFromInline
enum Characters {
    static let cr: UInt8 = 0x0D
    static let lf: UInt8 = 0x0A
    static let space: UInt8 = 0x20
    static let tab: UInt8 = 0x09
    static let colon: UInt8 = 0x3A
    static let comma: UInt8 = 0x2C

    /// Whether the byte may stand in a token: letters, digits and ``!#$%&'*+-.^_`|~``.
    @inline(__always)
    static func isToken(_ byte: UInt8) -> Bool {
        let low: UInt64 = 0x03FF_6CFA_0000_0000
        let high: UInt64 = 0x57FF_FFFF_C7FF_FFFE
        if byte >= 0x80 { return false }
        return ((byte < 0x40 ? low >> UInt64(byte) : high >> UInt64(byte & 0x3F)) & 1) != 0
    }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    @inline(__always)
    static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }

    @inline(__always)
    static func lowercase(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// Value of a hexadecimal digit, or 255.
    @inline(__always)
    static func hex(_ byte: UInt8) -> UInt8 {
        if byte &- 0x30 < 10 { return byte &- 0x30 }
        let letter = byte | 0x20
        return letter &- 0x61 < 6 ? letter &- 0x61 &+ 10 : 255
    }

    /// Whether `bytes[range]` is `word` (given in lower case) but for case.
    @inline(__always)
    static func equals(_ bytes: Span<UInt8>, _ range: Range<Int>, _ word: StaticString) -> Bool {
        guard range.count == word.utf8CodeUnitCount else { return false }
        let expected = unsafe word.utf8Start
        for offset in 0..<range.count
        where lowercase(bytes[range.lowerBound &+ offset]) != (unsafe expected[offset]) { return false }
        return true
    }

    /// The same, with underscores for dashes allowed.
    static func equalsButDashes(_ bytes: Span<UInt8>, _ range: Range<Int>, _ word: StaticString) -> Bool {
        guard range.count == word.utf8CodeUnitCount else { return false }
        let expected = unsafe word.utf8Start
        for offset in 0..<range.count {
            let byte = lowercase(bytes[range.lowerBound &+ offset])
            let folded = byte == UInt8(ascii: "_") ? UInt8(ascii: "-") : byte
            if folded != (unsafe expected[offset]) { return false }
        }
        return true
    }

    /// Whether both ranges hold the same bytes but for case.
    static func equals(_ bytes: Span<UInt8>, _ left: Range<Int>, _ right: Range<Int>) -> Bool {
        guard left.count == right.count else { return false }
        for offset in 0..<left.count
        where lowercase(bytes[left.lowerBound + offset]) != lowercase(bytes[right.lowerBound + offset]) {
            return false
        }
        return true
    }

    /// The range without blanks at its ends.
    static func trim(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, isBlank(bytes[start]) { start += 1 }
        while end > start, isBlank(bytes[end - 1]) { end -= 1 }
        return start..<end
    }
}
