/// `HTTP/1.x`, eight bytes (RFC 9112 §2.3).
enum VersionText {
    static let length = 8

    /// The minor version (anything above 1 is read as 1); nil when bytes are missing.
    static func read(_ bytes: Span<UInt8>, from start: Int) throws(HeadFault) -> UInt8? {
        let name: StaticString = "HTTP/"
        let expected = unsafe name.utf8Start
        for offset in 0..<5 {
            guard start + offset < bytes.count else { return nil }
            guard bytes[start + offset] == (unsafe expected[offset]) else { throw .startLine }
        }
        guard start + 7 < bytes.count else {
            // What is there must fit already, so that garbage is told at once.
            if start + 5 < bytes.count, !Characters.isDigit(bytes[start + 5]) { throw .startLine }
            if start + 6 < bytes.count, bytes[start + 6] != UInt8(ascii: ".") { throw .startLine }
            return nil
        }
        let major = bytes[start + 5]
        let minor = bytes[start + 7]
        guard Characters.isDigit(major), bytes[start + 6] == UInt8(ascii: "."), Characters.isDigit(minor) else {
            throw .startLine
        }
        guard major == UInt8(ascii: "1") else { throw .version }
        return minor == UInt8(ascii: "0") ? 0 : 1
    }
}

/// A Host value: a name, an IPv4 or a bracketed IPv6 address, with an optional port (RFC 9110 §7.2).
enum HostText {
    static func isValid(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard !range.isEmpty else { return false }
        var at = range.lowerBound
        if bytes[at] == UInt8(ascii: "[") {
            at += 1
            while at < range.upperBound, bytes[at] != UInt8(ascii: "]") {
                guard Characters.hex(bytes[at]) != 255 || bytes[at] == Characters.colon || bytes[at] == 0x2E else {
                    return false
                }
                at += 1
            }
            guard at < range.upperBound, at > range.lowerBound + 1 else { return false }
            at += 1
        } else {
            while at < range.upperBound, isNameByte(bytes[at]) { at += 1 }
            guard at > range.lowerBound else { return false }
        }
        if at == range.upperBound { return true }
        guard bytes[at] == Characters.colon, range.upperBound - at <= 6 else { return false }
        return ((at + 1)..<range.upperBound).allSatisfy { Characters.isDigit(bytes[$0]) }
    }

    /// Unreserved, percent sign and sub-delimiters without the comma, which joins two values.
    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x2D, 0x2E, 0x5F, 0x7E, 0x25, 0x21, 0x24, 0x26, 0x27, 0x28, 0x29, 0x2A, 0x2B, 0x3B, 0x3D: true
        default: false
        }
    }
}
