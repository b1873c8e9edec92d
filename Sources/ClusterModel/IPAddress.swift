/// An IPv4 or IPv6 address without port or zone.
public struct IPAddress: Hashable, Comparable, Codable, Sendable, CustomStringConvertible {
    /// Which protocol.
    public enum Family: Hashable, Sendable {
        /// IPv4, 32 bits.
        case v4
        /// IPv6, 128 bits.
        case v6
    }

    /// The protocol of this address.
    public var family: Family { bytes.count == 4 ? .v4 : .v6 }

    /// 4 or 16 bytes in network order.
    public let bytes: [UInt8]

    /// Wraps 4 or 16 bytes in network order; nil for another count.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Reads dotted-decimal IPv4 or RFC 4291 IPv6 text (an embedded IPv4 tail included); zones are refused.
    public init?(_ text: String) {
        if text.utf8.contains(UInt8(ascii: ":")) {
            guard let bytes = Self.parseV6(text) else { return nil }
            self.bytes = bytes
        } else {
            guard let bytes = Self.parseV4(text) else { return nil }
            self.bytes = bytes
        }
    }

    /// Decodes from text.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let address = IPAddress(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\"\(text)\" is no IP address")
        }
        self = address
    }

    /// Encodes as text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    /// Longest prefix length: 32 or 128.
    public var bits: Int { bytes.count * 8 }

    /// Whether both addresses share their first `prefix` bits.
    public func shares(prefix: Int, with other: IPAddress) -> Bool {
        guard family == other.family else { return false }
        for index in 0..<bytes.count {
            let left = prefix - index * 8
            if left <= 0 { return true }
            let mask: UInt8 = left >= 8 ? 0xFF : ~(0xFF >> UInt8(left))
            if bytes[index] & mask != other.bytes[index] & mask { return false }
        }
        return true
    }

    /// IPv4 before IPv6, then by bytes.
    public static func < (left: IPAddress, right: IPAddress) -> Bool {
        left.bytes.count != right.bytes.count
            ? left.bytes.count < right.bytes.count : left.bytes.lexicographicallyPrecedes(right.bytes)
    }

    /// Canonical text (RFC 5952 for IPv6).
    public var description: String {
        if family == .v4 { return bytes.map { String($0) }.joined(separator: ".") }
        let words = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        let gap = Self.longestZeroRun(words)
        func text(_ range: Range<Int>) -> String {
            words[range].map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard let gap else { return text(0..<8) }
        return text(0..<gap.lowerBound) + "::" + text(gap.upperBound..<8)
    }

    /// The first longest run of two or more zero words.
    private static func longestZeroRun(_ words: [UInt16]) -> Range<Int>? {
        var best: Range<Int>?
        var start = 0
        while start < words.count {
            guard words[start] == 0 else {
                start += 1
                continue
            }
            var end = start
            while end < words.count && words[end] == 0 { end += 1 }
            if end - start >= 2, end - start > (best?.count ?? 0) { best = start..<end }
            start = end
        }
        return best
    }

    private static func parseV4(_ text: some StringProtocol) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            // A leading zero is octal to some readers and decimal to others: refused.
            guard part.allSatisfy({ $0.isASCII && $0.isNumber }), part.count == 1 || part.first != "0",
                let byte = UInt8(part)
            else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    private static func parseV6(_ text: String) -> [UInt8]? {
        let halves = split(text)
        guard let head = words(halves.head), let tail = halves.tail.map(words) ?? [UInt16]() else { return nil }
        let missing = 8 - head.count - tail.count
        guard halves.tail == nil ? missing == 0 : missing >= 1 else { return nil }
        let all = head + Array(repeating: 0, count: missing) + tail
        return all.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
    }

    /// Cuts at the first `::`; a second one makes a part unreadable later.
    private static func split(_ text: String) -> (head: Substring, tail: Substring?) {
        let bytes = text.utf8
        var index = bytes.startIndex
        while index != bytes.endIndex {
            let next = bytes.index(after: index)
            if bytes[index] == UInt8(ascii: ":"), next != bytes.endIndex, bytes[next] == UInt8(ascii: ":") {
                return (text[..<index], text[bytes.index(after: next)...])
            }
            index = next
        }
        return (text[...], nil)
    }

    private static func words(_ text: Substring) -> [UInt16]? {
        if text.isEmpty { return [] }
        var words: [UInt16] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (position, part) in parts.enumerated() {
            if position == parts.count - 1, part.utf8.contains(UInt8(ascii: ".")) {
                guard let tail = parseV4(part) else { return nil }
                words.append(UInt16(tail[0]) << 8 | UInt16(tail[1]))
                words.append(UInt16(tail[2]) << 8 | UInt16(tail[3]))
                continue
            }
            guard (1...4).contains(part.utf8.count), part.allSatisfy(\.isHexDigit), let word = UInt16(part, radix: 16)
            else { return nil }
            words.append(word)
        }
        return words.count <= 8 ? words : nil
    }
}

/// An address and a port.
public struct Endpoint: Hashable, Codable, Sendable, CustomStringConvertible {
    /// The address.
    public let address: IPAddress
    /// 1 to 65535.
    public let port: UInt16

    /// Joins both.
    public init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }

    /// Reads `1.2.3.4:80` or `[2001:db8::1]:80`; nil for anything else and for port 0.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard let address = IPAddress(String(host)) else { return nil }
        self.init(address: address, port: port)
    }

    /// The text form.
    public var description: String {
        address.family == .v4 ? "\(address):\(port)" : "[\(address)]:\(port)"
    }
}
