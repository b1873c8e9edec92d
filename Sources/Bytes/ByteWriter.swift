/// Appends big-endian fields to a buffer that its owner reuses.
public struct ByteWriter: Sendable {
    /// What was written so far.
    public private(set) var bytes: [UInt8]

    /// Starts empty, with room for `capacity` bytes.
    public init(capacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// Forgets what was written and keeps the room.
    public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// Appends a byte.
    public mutating func write(_ value: UInt8) { bytes.append(value) }

    /// Appends two bytes, big-endian.
    public mutating func write(_ value: UInt16) { writeInteger(value) }

    /// Appends four bytes, big-endian.
    public mutating func write(_ value: UInt32) { writeInteger(value) }

    /// Appends eight bytes, big-endian.
    public mutating func write(_ value: UInt64) { writeInteger(value) }

    /// Appends bytes as they are.
    public mutating func write(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

    /// Appends a count of four bytes, then the bytes.
    public mutating func writeCounted(_ more: [UInt8]) {
        write(UInt32(more.count))
        bytes.append(contentsOf: more)
    }

    private mutating func writeInteger<Integer: FixedWidthInteger>(_ value: Integer) {
        var shift = Integer.bitWidth - 8
        while shift >= 0 {
            bytes.append(UInt8(truncatingIfNeeded: value >> Integer(shift)))
            shift -= 8
        }
    }
}
