/// Why bytes from outside could not be read.
public enum WireError: Error, Hashable, Sendable {
    /// More bytes were promised than came.
    case truncated
    /// A field holds a value that its format does not allow; the name says which.
    case invalid(StaticName)
    /// Bytes were left over after the last field.
    case trailing

    /// The name of a field, fixed in the source.
    public struct StaticName: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
        /// The text form.
        public let description: String
        /// Only literals name fields.
        public init(stringLiteral value: StaticString) { description = "\(value)" }
    }
}

/// Reads big-endian fields from borrowed bytes and never past their end.
public struct ByteReader: ~Escapable {
    @usableFromInline
    let bytes: RawSpan
    /// Bytes read so far.
    public private(set) var offset: Int

    /// Starts at the first byte.
    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) {
        self.bytes = bytes
        offset = 0
    }

    /// Bytes not read yet.
    public var remaining: Int { bytes.byteCount - offset }

    /// The next byte.
    public mutating func readUInt8() throws(WireError) -> UInt8 {
        guard remaining >= 1 else { throw .truncated }
        defer { offset += 1 }
        return unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    /// The next two bytes, big-endian.
    public mutating func readUInt16() throws(WireError) -> UInt16 { try readInteger() }

    /// The next four bytes, big-endian.
    public mutating func readUInt32() throws(WireError) -> UInt32 { try readInteger() }

    /// The next eight bytes, big-endian.
    public mutating func readUInt64() throws(WireError) -> UInt64 { try readInteger() }

    @inline(__always)
    private mutating func readInteger<Integer: FixedWidthInteger & BitwiseCopyable>() throws(WireError) -> Integer {
        let size = MemoryLayout<Integer>.size
        guard remaining >= size else { throw .truncated }
        defer { offset += size }
        return unsafe Integer(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Integer.self))
    }

    /// The next `count` bytes as an array.
    public mutating func readBytes(_ count: Int) throws(WireError) -> [UInt8] {
        guard count >= 0, remaining >= count else { throw .truncated }
        defer { offset += count }
        var result: [UInt8] = []
        result.reserveCapacity(count)
        for index in offset..<(offset + count) {
            result.append(unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self))
        }
        return result
    }

    /// A count of four bytes, then that many bytes; a count above `limit` is invalid.
    public mutating func readCounted(limit: Int) throws(WireError) -> [UInt8] {
        let count = Int(try readUInt32())
        guard count <= limit else { throw .invalid("length") }
        return try readBytes(count)
    }

    /// Fails unless every byte was read.
    public func finish() throws(WireError) {
        guard remaining == 0 else { throw .trailing }
    }
}
