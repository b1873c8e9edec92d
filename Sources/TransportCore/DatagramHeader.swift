public import Bytes
public import ClusterModel

/// What a datagram between agents is.
public enum DatagramKind: UInt8, Sendable, CaseIterable {
    /// Asks for the receiver's session; says mine.
    case hello = 1
    /// Answers a hello: echoes its challenge.
    case answer = 2
    /// Ends the handshake: echoes the answer's challenge.
    case confirm = 3
    /// Tells a peer that its identity is out of date or in use elsewhere.
    case refusal = 4
    /// A whole message.
    case message = 5
    /// A part of a message.
    case part = 6
    /// Asks for parts that did not arrive.
    case missing = 7
    /// Finds out whether a datagram of its size arrives.
    case probe = 8
    /// It did.
    case probeAnswer = 9
    /// Asks to join, sealed under a token; see `JoinHeader`.
    case joinRequest = 32
    /// Answers a join request.
    case joinResponse = 33

    /// Belongs to the handshake, and so may come from a session that is not accepted yet.
    var isHandshake: Bool { rawValue <= DatagramKind.refusal.rawValue }

    /// Whether a datagram belongs to joining, which has no session; nil for what is no datagram of this product.
    public static func isJoining(_ bytes: [UInt8], count: Int) -> Bool? {
        guard count >= 2, count <= bytes.count, bytes[0] == DatagramHeader.version,
            let kind = DatagramKind(rawValue: bytes[1])
        else { return nil }
        return kind.rawValue >= DatagramKind.joinRequest.rawValue
    }
}

/// The clear header of every datagram in session; all of it is authenticated with the box behind it (RULE 4.1-a).
public struct DatagramHeader: Hashable, Sendable {
    /// Of the framing: headers, sealing and handshake; both ends must have the same one.
    ///
    /// What travels inside has levels, which a handshake agrees on; see `ProtocolLevel`.
    public static let version: UInt8 = 4
    /// Bytes of the encoded header.
    public static let size = 76
    /// The receiver's session in a hello, which asks for it.
    public static let unknownSession = SessionID(high: 0, low: 0)

    /// What it is.
    public var kind: DatagramKind
    /// Who sent it.
    public var sender: NodeID
    /// For whom it is.
    public var receiver: NodeID
    /// Which secret of the cluster its key derives from.
    public var generation: UInt32
    /// The cluster of both.
    public var cluster: ClusterID
    /// The sender's session.
    public var session: SessionID
    /// The sender's incarnation.
    public var incarnation: Incarnation
    /// The receiver's session that it was made for.
    public var receiverSession: SessionID
    /// From 1, raised with every datagram of the sender's session; the first part of the nonce.
    public var counter: UInt64
    /// Random; the last part of the nonce.
    public var salt: UInt32 = 0

    /// Appends the header.
    public func encode(into writer: inout ByteWriter) {
        writer.write(Self.version)
        writer.write(kind.rawValue)
        writer.write(sender.rawValue)
        writer.write(receiver.rawValue)
        writer.write(generation)
        writer.write(cluster)
        writer.write(session)
        writer.write(incarnation)
        writer.write(receiverSession)
        writer.write(counter)
        writer.write(salt)
    }

    /// Reads the header and leaves the reader at the box.
    public init(parsing reader: inout ByteReader) throws(WireError) {
        guard try reader.readUInt8() == Self.version else { throw .invalid("version") }
        guard let kind = DatagramKind(rawValue: try reader.readUInt8()), kind.rawValue < 32 else {
            throw .invalid("kind")
        }
        self.kind = kind
        sender = NodeID(try reader.readUInt8())
        receiver = NodeID(try reader.readUInt8())
        generation = try reader.readUInt32()
        cluster = try reader.readRandom128()
        session = try reader.readRandom128()
        incarnation = try reader.readUInt64()
        receiverSession = try reader.readRandom128()
        counter = try reader.readUInt64()
        salt = try reader.readUInt32()
    }

    init(
        kind: DatagramKind,
        sender: NodeID,
        receiver: NodeID,
        generation: UInt32,
        cluster: ClusterID,
        session: SessionID,
        incarnation: Incarnation,
        receiverSession: SessionID,
        counter: UInt64
    ) {
        self.kind = kind
        self.sender = sender
        self.receiver = receiver
        self.generation = generation
        self.cluster = cluster
        self.session = session
        self.incarnation = incarnation
        self.receiverSession = receiverSession
        self.counter = counter
    }
}

extension ByteWriter {
    mutating func write(_ value: Random128) {
        write(value.high)
        write(value.low)
    }
}

extension ByteReader {
    mutating func readRandom128() throws(WireError) -> Random128 {
        Random128(high: try readUInt64(), low: try readUInt64())
    }
}
