import AdminAPI
import Bytes
import ClusterModel
import ClusterSetup
import Consensus
import NodeCore

/// What travels between agents inside the sealed transport: one byte says which kind, the rest is the kind's own.
enum PeerEnvelope {
    /// For the node's core.
    case core(PeerMessage)
    /// An operator's request, sent on to the leader under its number.
    case request(Random128, AdminRequest, uid: UInt32)
    /// The leader's answer.
    case answer(Random128, AdminResponse)

    /// The sender did not run for so many milliseconds, although it should have.
    case stalled(UInt32)

    private enum Kind: UInt8 {
        case consensus = 1
        case sheet = 2
        case report = 3
        case request = 4
        case answer = 5
        case contacts = 6
        case stalled = 16
    }

    /// Whether it belongs to membership or the replicated log.
    var isOfLog: Bool {
        if case .core(let message) = self, case .consensus = message { return true }
        return false
    }

    /// Whether it must not queue behind larger messages.
    var isUrgent: Bool {
        guard case .core(.consensus(let message)) = self else { return false }
        switch message {
        case .append, .snapshotPart: return false
        default: return true
        }
    }

    /// The bytes as nodes of that level read them.
    ///
    /// - Parameter level: That of the session.
    /// - Returns: The bytes.
    /// - Throws: for a message that the level does not have; and if a value of ours cannot be written as JSON, which no
    ///   value of these types is.
    func encoded(level: UInt8) throws -> [UInt8] {
        if case .core(let message) = self, message.level > level { throw WireError.invalid("level") }
        var writer = ByteWriter(capacity: 256)
        switch self {
        case .core(.consensus(let message)):
            writer.write(Kind.consensus.rawValue)
            message.encode(into: &writer, level: level)
        case .core(.sheet(let sheet)): try Self.write(.sheet, sheet, into: &writer)
        case .core(.report(let report)): try Self.write(.report, report, into: &writer)
        case .core(.contacts(let list)): try Self.write(.contacts, list, into: &writer)
        case .request(let id, let request, let uid):
            writer.write(Kind.request.rawValue)
            Self.write(id, into: &writer)
            writer.write(uid)
            writer.write(try WireJSON.encode(request))
        case .stalled(let time):
            writer.write(Kind.stalled.rawValue)
            writer.write(time)
        case .answer(let id, let response):
            writer.write(Kind.answer.rawValue)
            Self.write(id, into: &writer)
            // A response never holds a secret in the open: see `Secret`.
            writer.write(try AdminCodec.encode(response))
        }
        return writer.bytes
    }

    /// Reads what `encoded` wrote at the same level; anything else throws and is counted by the caller.
    init(parsing bytes: [UInt8], level: UInt8) throws {
        var reader = ByteReader(bytes.span.bytes)
        guard let kind = Kind(rawValue: try reader.readUInt8()) else { throw WireError.invalid("envelope kind") }
        switch kind {
        case .consensus:
            self = .core(.consensus(try Message(parsing: &reader, level: level)))
            try reader.finish()
        case .sheet: self = .core(.sheet(try Self.read(OrderSheet.self, &reader)))
        case .report: self = .core(.report(try Self.read(NodeReport.self, &reader)))
        case .contacts:
            let message = PeerMessage.contacts(try Self.read(ContactList.self, &reader))
            guard message.level <= level else { throw WireError.invalid("envelope kind") }
            self = .core(message)
        case .stalled:
            self = .stalled(try reader.readUInt32())
            try reader.finish()
        case .request:
            let id = try Self.readID(&reader)
            let uid = try reader.readUInt32()
            self = .request(id, try Self.read(AdminRequest.self, &reader), uid: uid)
        case .answer:
            let id = try Self.readID(&reader)
            self = .answer(id, try Self.read(AdminResponse.self, &reader))
        }
    }

    private static func write(_ kind: Kind, _ value: some Encodable, into writer: inout ByteWriter) throws {
        writer.write(kind.rawValue)
        writer.write(try WireJSON.encode(value))
    }

    private static func write(_ id: Random128, into writer: inout ByteWriter) {
        writer.write(id.high)
        writer.write(id.low)
    }

    private static func readID(_ reader: inout ByteReader) throws(WireError) -> Random128 {
        Random128(high: try reader.readUInt64(), low: try reader.readUInt64())
    }

    private static func read<Value: Decodable>(_ type: Value.Type, _ reader: inout ByteReader) throws -> Value {
        try WireJSON.decode(type, from: try reader.readBytes(reader.remaining))
    }
}
