internal import CLinux

/// Builds one netlink message: header, fixed part, attributes; all fields in the machine's own byte order.
struct NetlinkMessage {
    private(set) var bytes: [UInt8] = []

    /// Bytes of `nlmsghdr`.
    static let headerSize = 16

    /// Begins a message; its length is kept up to date with every field.
    init(type: UInt16, flags: UInt16, sequence: UInt32) {
        append(UInt32(0))
        append(type)
        append(flags)
        append(sequence)
        // The kernel fills in the sender's port.
        append(UInt32(0))
        setLength()
    }

    mutating func append<Integer: FixedWidthInteger>(_ value: Integer) {
        withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
        if bytes.count >= Self.headerSize { setLength() }
    }

    /// Appends attributes that were put together elsewhere.
    mutating func append(_ attributes: [UInt8]) {
        bytes += attributes
        setLength()
    }

    /// Appends `rtattr`: length, type, value, padded to four bytes.
    mutating func appendAttribute(_ type: Int, _ value: [UInt8]) {
        append(UInt16(4 + value.count))
        append(UInt16(type))
        bytes += value
        while !bytes.count.isMultiple(of: 4) { bytes.append(0) }
        setLength()
    }

    private mutating func setLength() {
        withUnsafeBytes(of: UInt32(bytes.count)) { length in
            for index in 0..<4 { bytes[index] = length[index] }
        }
    }
}

/// Reads fields in the machine's own byte order; nil past the end.
struct NativeReader {
    private var bytes: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    var remaining: Int { bytes.count }

    mutating func read<Integer: FixedWidthInteger>(_ type: Integer.Type = Integer.self) -> Integer? {
        guard let raw = take(MemoryLayout<Integer>.size) else { return nil }
        var value: Integer = 0
        withUnsafeMutableBytes(of: &value) { $0.copyBytes(from: raw) }
        return value
    }

    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count >= 0, bytes.count >= count else { return nil }
        defer { bytes = bytes.dropFirst(count) }
        return bytes.prefix(count)
    }

    /// The next attribute; nil at the end, and at a malformed one, which ends the message.
    mutating func nextAttribute() -> (type: Int, value: ArraySlice<UInt8>)? {
        guard let length = read(UInt16.self), let type = read(UInt16.self), length >= 4,
            let value = take(Int(length) - 4)
        else { return nil }
        let padding = (4 - Int(length) % 4) % 4
        _ = take(min(padding, bytes.count))
        // The two high bits say "nested" and "network order" and are no part of the type.
        return (Int(type & 0x3FFF), value)
    }
}

/// One message as the kernel sent it.
struct NetlinkAnswer {
    var type: UInt16
    var sequence: UInt32
    var body: ArraySlice<UInt8>

    /// Cuts what one receive brought into its messages; a malformed rest is dropped.
    static func split(_ bytes: ArraySlice<UInt8>) -> [NetlinkAnswer] {
        var answers: [NetlinkAnswer] = []
        var reader = NativeReader(bytes)
        while reader.remaining >= NetlinkMessage.headerSize {
            guard let length = reader.read(UInt32.self), let type = reader.read(UInt16.self),
                reader.read(UInt16.self) != nil, let sequence = reader.read(UInt32.self),
                reader.read(UInt32.self) != nil, length >= UInt32(NetlinkMessage.headerSize),
                let body = reader.take(Int(length) - NetlinkMessage.headerSize)
            else { break }
            answers.append(NetlinkAnswer(type: type, sequence: sequence, body: body))
            _ = reader.take(min((4 - Int(length) % 4) % 4, reader.remaining))
        }
        return answers
    }
}
