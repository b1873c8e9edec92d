internal import Bytes
internal import ClusterModel

/// In front of every urgent message: what one end of a link tells the other about it, so that loss and round-trip time
/// are measured without a datagram of their own.
struct LinkReport: Hashable {
    static let size = 24

    /// Raised with every message on this link in this direction, from 1.
    var sequence: UInt32
    /// The same for the message itself, on whichever links it travels: copies of one have one number.
    var number: UInt32
    /// The newest sequence that came on this link; 0 for none yet.
    var echo: UInt32
    /// Microseconds since that came.
    var held: UInt32
    /// Which of the newest 64 came: bit 0 is `echo`.
    var received: UInt64

    func encode(into writer: inout ByteWriter) {
        writer.write(sequence)
        writer.write(number)
        writer.write(echo)
        writer.write(held)
        writer.write(received)
    }

    init(sequence: UInt32, number: UInt32, echo: UInt32, held: UInt32, received: UInt64) {
        self.sequence = sequence
        self.number = number
        self.echo = echo
        self.held = held
        self.received = received
    }

    init(parsing reader: inout ByteReader) throws(WireError) {
        sequence = try reader.readUInt32()
        number = try reader.readUInt32()
        echo = try reader.readUInt32()
        held = try reader.readUInt32()
        received = try reader.readUInt64()
        guard sequence > 0, number > 0 else { throw .invalid("sequence") }
    }
}

/// A window over the newest 64 numbers of something.
struct RecentNumbers: Hashable, Sendable {
    private(set) var newest: UInt32 = 0
    /// Bit 0 is the newest.
    private(set) var seen: UInt64 = 0

    /// Notes a number; false when it was noted before or is too old to tell.
    mutating func note(_ number: UInt32) -> Bool {
        if number > newest {
            let step = number - newest
            seen = step >= 64 ? 1 : seen << UInt64(step) | 1
            newest = number
            return true
        }
        let age = newest - number
        guard age < 64, seen & (1 << UInt64(age)) == 0 else { return false }
        seen |= 1 << UInt64(age)
        return true
    }

    /// How many of the newest that there were are missing, in thousandths.
    var lossPerMille: Int { Self.lossPerMille(seen, of: newest) }

    static func lossPerMille(_ seen: UInt64, of newest: UInt32) -> Int {
        let span = Int(min(newest, 64))
        guard span > 0 else { return 0 }
        return (span - min(span, seen.nonzeroBitCount)) * 1000 / span
    }
}
