public import Bytes
public import ClusterModel

/// A question to an address that only the machine there can answer: an ICMP echo request (RFC 792 page 14; for IPv6,
/// RFC 4443 §4.1).
///
/// The data is a number that nobody can guess, so an answer proves that somebody there, or on the way there, got it.
public struct EchoProbe: Hashable, Sendable {
    /// Who is asked.
    public let address: IPAddress
    /// Tells this agent's questions from those of other programs; it comes back as it was sent.
    public let identifier: UInt16
    /// Tells this question from the agent's others; it comes back as it was sent, and counts on from 65535 to 0.
    public let sequence: UInt16
    /// Drawn afresh for each question.
    public let nonce: Random128

    /// States a question.
    public init(address: IPAddress, identifier: UInt16, sequence: UInt16, nonce: Random128) {
        self.address = address
        self.identifier = identifier
        self.sequence = sequence
        self.nonce = nonce
    }

    /// The ICMP message as a raw socket takes it.
    ///
    /// The checksum of an ICMPv6 message also covers addresses that the kernel chooses, so the kernel computes it
    /// (RFC 3542 §3.1); here it is 0.
    public var message: [UInt8] {
        var bytes = encoded(checksum: 0)
        if address.family == .v4 { bytes = encoded(checksum: InternetChecksum.of(bytes)) }
        return bytes
    }

    private func encoded(checksum: UInt16) -> [UInt8] {
        var writer = ByteWriter(capacity: EchoReply.messageLength)
        writer.write(address.family == .v4 ? EchoType.request4 : EchoType.request6)
        writer.write(UInt8(0))
        writer.write(checksum)
        writer.write(identifier)
        writer.write(sequence)
        writer.write(nonce.high)
        writer.write(nonce.low)
        return writer.bytes
    }

    /// Whether this is what the address answers to this question.
    public func isAnswered(by reply: EchoReply) -> Bool {
        reply.source == address && reply.identifier == identifier && reply.sequence == sequence && reply.nonce == nonce
    }
}

/// An ICMP echo reply with the data of a question of this agent's kind.
public struct EchoReply: Hashable, Sendable {
    /// Who answered.
    public let source: IPAddress
    /// See `EchoProbe.identifier`.
    public let identifier: UInt16
    /// See `EchoProbe.sequence`.
    public let sequence: UInt16
    /// See `EchoProbe.nonce`.
    public let nonce: Random128

    /// Bytes of an ICMP message with a question or an answer: 8 of the header and 16 of data.
    public static let messageLength = 24
    /// Bytes of an IPv4 header without options, and with as many as there can be.
    static let headerLengths = 20...60
    /// Bytes of the longest packet with an answer in it; a longer one is none.
    public static let longestPacket = headerLengths.upperBound + messageLength

    /// Reads what a raw socket hands over: for IPv4 the whole packet, for IPv6 the ICMPv6 message.
    ///
    /// The checksum of an ICMPv6 message was verified by the kernel, and so was that of an IPv4 header; that of an ICMP
    /// message was not.
    ///
    /// - Parameters:
    ///   - bytes: What was received, to its end.
    ///   - source: From whom, by the kernel's word.
    /// - Throws: `WireError` for everything that is no intact echo reply of exactly that length.
    public init(parsing bytes: [UInt8], from source: IPAddress) throws(WireError) {
        var reader = unsafe ByteReader(bytes.span.bytes)
        if source.family == .v4 { try Self.readHeader(&reader, bytes.count, source) }
        guard reader.remaining == Self.messageLength else {
            throw reader.remaining < Self.messageLength ? .truncated : .trailing
        }
        if source.family == .v4, InternetChecksum.of(bytes[reader.offset...]) != 0 { throw .invalid("checksum") }
        let type = try reader.readUInt8()
        guard type == (source.family == .v4 ? EchoType.reply4 : EchoType.reply6) else { throw .invalid("type") }
        guard try reader.readUInt8() == 0 else { throw .invalid("code") }
        _ = try reader.readUInt16()
        identifier = try reader.readUInt16()
        sequence = try reader.readUInt16()
        nonce = Random128(high: try reader.readUInt64(), low: try reader.readUInt64())
        try reader.finish()
        self.source = source
    }

    /// Reads an IPv4 header (RFC 791 §3.1) to its end, options included.
    private static func readHeader(_ reader: inout ByteReader, _ count: Int, _ source: IPAddress) throws(WireError) {
        let first = try reader.readUInt8()
        guard first >> 4 == 4 else { throw .invalid("version") }
        let length = Int(first & 0x0F) * 4
        guard headerLengths.contains(length) else { throw .invalid("header length") }
        _ = try reader.readUInt8()
        guard Int(try reader.readUInt16()) == count else { throw .invalid("total length") }
        _ = try reader.readUInt16()
        // The kernel puts fragments together; "don't fragment" is the one flag that may be left.
        guard try reader.readUInt16() & 0xBFFF == 0 else { throw .invalid("fragment") }
        _ = try reader.readUInt8()
        guard try reader.readUInt8() == 1 else { throw .invalid("protocol") }
        _ = try reader.readUInt16()
        guard try reader.readBytes(4) == source.bytes else { throw .invalid("source") }
        // The destination and the options.
        _ = try reader.readBytes(4 + length - headerLengths.lowerBound)
    }
}

/// ICMP types (RFC 792; RFC 4443 §4.1 and §4.2).
enum EchoType {
    static let reply4: UInt8 = 0
    static let request4: UInt8 = 8
    static let request6: UInt8 = 128
    static let reply6: UInt8 = 129
}

/// The checksum of the Internet protocols (RFC 1071 §1): finds damage, proves nothing about who wrote the bytes.
enum InternetChecksum {
    /// The one's complement of the one's complement sum of the 16-bit words; 0 over bytes that hold their checksum.
    static func of(_ bytes: some Sequence<UInt8>) -> UInt16 {
        var sum: UInt64 = 0
        var isHigh = true
        for byte in bytes {
            sum += isHigh ? UInt64(byte) << 8 : UInt64(byte)
            isHigh.toggle()
        }
        while sum > 0xFFFF { sum = sum & 0xFFFF + sum >> 16 }
        return ~UInt16(sum)
    }
}
