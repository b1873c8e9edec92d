internal import Bytes
internal import ClusterModel

/// What a message is about; it decides how it travels, not what it means.
public enum MessageClass: UInt8, Sendable, CaseIterable {
    /// Small and urgent: sent at once on every link, never in parts.
    case heartbeat = 0
    /// Of the replicated log.
    case consensus = 1
    /// Everything else: orders, reports, forwarded commands.
    case general = 2
}

/// Why a peer refuses a session.
public enum RefusalReason: UInt8, Sendable {
    /// It knows a later incarnation of that node: the refused one runs from an old disk image.
    case olderIncarnation = 1
    /// It knows another session of the same incarnation: the refused one is a copy.
    case otherSession = 2
}

/// The content of hello, answer, confirm and refusal: all of one size, so that no answer is larger than its question.
struct HandshakeContent: Hashable {
    static let size = 36

    /// The sender's own challenge, to be echoed; zero when it wants no echo.
    var challenge: Random128
    /// The receiver's challenge; zero in a hello.
    var echo: Random128
    /// Of a refusal, else 0.
    var reason: UInt8 = 0
    /// What the sender speaks.
    var levels: LevelOffer

    func encode(into writer: inout ByteWriter) {
        writer.write(challenge)
        writer.write(echo)
        writer.write(reason)
        writer.write(levels.oldest)
        writer.write(levels.newest)
        writer.write(levels.cluster)
    }

    init(challenge: Random128, echo: Random128, reason: UInt8 = 0, levels: LevelOffer) {
        self.challenge = challenge
        self.echo = echo
        self.reason = reason
        self.levels = levels
    }

    init(parsing reader: inout ByteReader) throws(WireError) {
        challenge = try reader.readRandom128()
        echo = try reader.readRandom128()
        reason = try reader.readUInt8()
        let (oldest, newest, cluster) = (try reader.readUInt8(), try reader.readUInt8(), try reader.readUInt8())
        guard let levels = LevelOffer(oldest: oldest, newest: newest, cluster: cluster) else {
            throw .invalid("levels")
        }
        self.levels = levels
        try reader.finish()
    }
}

/// In front of a part's bytes.
struct PartHeader: Hashable {
    static let size = 15

    var messageClass: MessageClass
    /// Raised with every message in parts from this sender to this receiver in this class.
    var message: UInt32
    /// From 0.
    var index: UInt16
    /// Parts of the message, at least 2.
    var count: UInt16
    /// Bytes of the message.
    var total: UInt32
    /// Bytes of every part but the last.
    var size: UInt16

    /// Bytes that this part must carry: all but the last are full.
    var length: Int {
        Int(index) == Int(count) - 1 ? Int(total) - Int(index) * Int(size) : Int(size)
    }

    func encode(into writer: inout ByteWriter) {
        writer.write(messageClass.rawValue)
        writer.write(message)
        writer.write(index)
        writer.write(count)
        writer.write(total)
        writer.write(size)
    }

    init(messageClass: MessageClass, message: UInt32, index: UInt16, count: UInt16, total: UInt32, size: UInt16) {
        self.messageClass = messageClass
        self.message = message
        self.index = index
        self.count = count
        self.total = total
        self.size = size
    }

    /// Reads a header whose fields fit each other and the limits.
    init(parsing reader: inout ByteReader) throws(WireError) {
        guard let messageClass = MessageClass(rawValue: try reader.readUInt8()), messageClass != .heartbeat else {
            throw .invalid("class")
        }
        self.messageClass = messageClass
        message = try reader.readUInt32()
        index = try reader.readUInt16()
        count = try reader.readUInt16()
        total = try reader.readUInt32()
        size = try reader.readUInt16()
        guard (TransportLimit.smallestPayload...TransportLimit.datagram).contains(Int(size)) else {
            throw .invalid("size")
        }
        guard total <= UInt32(TransportLimit.message), total > UInt32(size),
            Int(count) == (Int(total) + Int(size) - 1) / Int(size)
        else { throw .invalid("total") }
        guard index < count else { throw .invalid("index") }
    }
}

/// Names the parts of a message that did not arrive.
struct MissingContent: Hashable {
    var messageClass: MessageClass
    var message: UInt32
    /// Half-open ranges of part numbers, ascending.
    var ranges: [Range<UInt16>]

    func encode(into writer: inout ByteWriter) {
        writer.write(messageClass.rawValue)
        writer.write(message)
        writer.write(UInt8(ranges.count))
        for range in ranges {
            writer.write(range.lowerBound)
            writer.write(range.upperBound)
        }
    }

    init(messageClass: MessageClass, message: UInt32, ranges: [Range<UInt16>]) {
        self.messageClass = messageClass
        self.message = message
        self.ranges = ranges
    }

    init(parsing reader: inout ByteReader) throws(WireError) {
        guard let messageClass = MessageClass(rawValue: try reader.readUInt8()) else { throw .invalid("class") }
        self.messageClass = messageClass
        message = try reader.readUInt32()
        let count = Int(try reader.readUInt8())
        guard count <= TransportLimit.missingRanges else { throw .invalid("ranges") }
        ranges = []
        for _ in 0..<count {
            let lower = try reader.readUInt16()
            let upper = try reader.readUInt16()
            guard lower < upper, upper <= TransportLimit.parts else { throw .invalid("range") }
            ranges.append(lower..<upper)
        }
        try reader.finish()
    }
}
