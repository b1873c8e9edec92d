public import Bytes
public import ClusterModel

/// Bounds of joining.
public enum JoinLimit {
    /// How long a token is good for.
    public static let tokenTime = Duration.seconds(900)
    /// Tokens that may be open at an agent.
    public static let tokens = 32
    /// Bytes of what a joiner says of itself.
    public static let request = 1024
    /// Bytes of what it is given.
    public static let document = 1 << 16
    /// Requests opened in a second.
    public static let requestsPerSecond: Int64 = 500
    /// Time between two requests that were not answered.
    public static let retry = Duration.milliseconds(200)
    /// Bytes of the content of every request: as large as the largest response, so that none is larger than asked.
    static let content = 9 + TransportLimit.payload
}

/// The clear header of join datagrams; authenticated with the box behind it.
public struct JoinHeader: Hashable, Sendable {
    /// Bytes of the encoded header.
    public static let size = 46

    /// `joinRequest` or `joinResponse`.
    public var kind: DatagramKind
    /// Says which token's keys seal it, and is worth nothing without the token.
    public var token: Random128
    /// Drawn by the joiner; a token serves one attempt.
    public var attempt: Random128
    /// From 1, raised with every datagram of one sender under this attempt; the first part of the nonce.
    public var counter: UInt64
    /// Random; the last part of the nonce.
    public var salt: UInt32

    /// Joins the parts.
    public init(kind: DatagramKind, token: Random128, attempt: Random128, counter: UInt64, salt: UInt32) {
        self.kind = kind
        self.token = token
        self.attempt = attempt
        self.counter = counter
        self.salt = salt
    }

    /// Appends the header.
    public func encode(into writer: inout ByteWriter) {
        writer.write(DatagramHeader.version)
        writer.write(kind.rawValue)
        writer.write(token)
        writer.write(attempt)
        writer.write(counter)
        writer.write(salt)
    }

    /// Reads the header of a whole datagram; the box behind it has the size that its kind allows.
    public init(parsing bytes: RawSpan) throws(WireError) {
        var reader = ByteReader(bytes)
        guard try reader.readUInt8() == DatagramHeader.version else { throw .invalid("version") }
        guard let kind = DatagramKind(rawValue: try reader.readUInt8()),
            kind == .joinRequest || kind == .joinResponse
        else { throw .invalid("kind") }
        self.kind = kind
        token = try reader.readRandom128()
        attempt = try reader.readRandom128()
        counter = try reader.readUInt64()
        salt = try reader.readUInt32()
        let box = reader.remaining - TransportLimit.tag
        guard kind == .joinRequest ? box == JoinLimit.content : (9...JoinLimit.content).contains(box) else {
            throw .truncated
        }
    }
}

/// What a joiner asks: always with what it says of itself, and for one part of what it is to be given.
public struct JoinRequestContent: Hashable, Sendable {
    /// The part that it wants, or `received`.
    public var part: UInt16
    /// What it says of itself; its meaning is the agent's.
    public var payload: [UInt8]

    /// Instead of a part: it has everything, and the token may be forgotten.
    public static let received = UInt16.max

    /// Joins the parts; a payload above the limit is refused by the reader.
    public init(part: UInt16, payload: [UInt8]) {
        self.part = part
        self.payload = payload
    }

    /// Appends the content, padded to the one size of requests.
    public func encode(into writer: inout ByteWriter) {
        writer.write(part)
        writer.writeCounted(payload)
        writer.write(repeatElement(0, count: max(0, JoinLimit.content - 6 - payload.count)))
    }

    /// Reads the content.
    public init(parsing bytes: RawSpan) throws(WireError) {
        var reader = ByteReader(bytes)
        part = try reader.readUInt16()
        payload = try reader.readCounted(limit: JoinLimit.request)
    }
}

/// What the issuer answers.
public struct JoinResponseContent: Hashable, Sendable {
    /// How it stands with the attempt.
    public enum Status: UInt8, Sendable {
        /// The cluster is at it; ask again.
        case pending = 0
        /// A part of the document follows.
        case document = 1
        /// It will not be; the bytes are a sentence for the operator.
        case refused = 2
    }

    /// How it stands.
    public var status: Status
    /// Which part this is.
    public var part: UInt16
    /// Parts of the document.
    public var parts: UInt16
    /// Bytes of the document.
    public var total: UInt32
    /// Of this part.
    public var bytes: [UInt8]

    /// Cuts one part out of a document; nil when there is no such part.
    public init?(document: [UInt8], part: UInt16) {
        let start = Int(part) * TransportLimit.payload
        guard start < document.count, document.count <= JoinLimit.document else { return nil }
        status = .document
        self.part = part
        parts = UInt16((document.count + TransportLimit.payload - 1) / TransportLimit.payload)
        total = UInt32(document.count)
        bytes = Array(document[start..<min(start + TransportLimit.payload, document.count)])
    }

    /// An answer without a document.
    public init(status: Status, sentence: String = "") {
        self.status = status
        part = 0
        parts = 0
        total = 0
        bytes = Array(sentence.utf8.prefix(TransportLimit.payload))
    }

    /// Appends the content.
    public func encode(into writer: inout ByteWriter) {
        writer.write(status.rawValue)
        writer.write(part)
        writer.write(parts)
        writer.write(total)
        writer.write(bytes)
    }

    /// Reads the content.
    public init(parsing content: RawSpan) throws(WireError) {
        var reader = ByteReader(content)
        guard let status = Status(rawValue: try reader.readUInt8()) else { throw .invalid("status") }
        self.status = status
        part = try reader.readUInt16()
        parts = try reader.readUInt16()
        total = try reader.readUInt32()
        bytes = try reader.readBytes(reader.remaining)
        guard status == .document else { return }
        let start = Int(part) * TransportLimit.payload
        guard total > 0, total <= UInt32(JoinLimit.document), part < parts,
            Int(parts) == (Int(total) + TransportLimit.payload - 1) / TransportLimit.payload,
            bytes.count == min(TransportLimit.payload, Int(total) - start)
        else { throw .invalid("part") }
    }
}
