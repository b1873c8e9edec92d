internal import CLinux

/// Attributes of nf_tables, one after the other; numbers in them are in network order, unlike those of rtnetlink.
struct FilterAttributes {
    private(set) var bytes: [UInt8] = []

    private static let nestedFlag: UInt16 = 0x8000

    init() {}

    init(_ fill: (inout FilterAttributes) -> Void) { fill(&self) }

    mutating func data(_ type: UInt16, _ value: [UInt8]) { append(type, value) }

    /// A text as C has it, with its zero.
    mutating func text(_ type: UInt16, _ value: String) { append(type, Array(value.utf8) + [0]) }

    mutating func number<Integer: FixedWidthInteger>(_ type: UInt16, _ value: Integer) {
        append(type, withUnsafeBytes(of: value.bigEndian) { Array($0) })
    }

    mutating func nested(_ type: UInt16, _ fill: (inout FilterAttributes) -> Void) {
        append(type | Self.nestedFlag, FilterAttributes(fill).bytes)
    }

    /// An attribute of more than 65,535 bytes cannot be told; callers keep their lists short.
    private mutating func append(_ type: UInt16, _ value: [UInt8]) {
        withUnsafeBytes(of: UInt16(4 + value.count)) { bytes.append(contentsOf: $0) }
        withUnsafeBytes(of: type) { bytes.append(contentsOf: $0) }
        bytes += value
        while !bytes.count.isMultiple(of: 4) { bytes.append(0) }
    }
}

/// Messages to nf_tables that take effect together or not at all (`nfnetlink` batch).
struct FilterBatch {
    /// The families of tables (`NFPROTO_…`).
    enum Family: UInt8, CaseIterable {
        case inet = 1
        case arp = 3
    }

    /// What a message does (`NFT_MSG_…`).
    enum Verb: UInt16 {
        case newTable = 0
        case deleteTable = 2
        case newChain = 3
        case newRule = 6
        case deleteRules = 8
        case newSet = 9
        case newElements = 12
        case deleteElements = 14
    }

    private struct Message {
        var verb: Verb
        var family: Family
        var attributes: FilterAttributes
    }

    private var messages: [Message] = []

    private static let subsystem: UInt16 = 10
    private static let begin: UInt16 = 0x10
    private static let end: UInt16 = 0x11

    /// Appends a message.
    mutating func add(_ verb: Verb, _ family: Family, _ fill: (inout FilterAttributes) -> Void) {
        messages.append(Message(verb: verb, family: family, attributes: FilterAttributes(fill)))
    }

    /// How many numbers the batch uses up: one for each message, its beginning and its end.
    var span: UInt32 { UInt32(messages.count) + 2 }

    /// The batch as it is sent, with numbers from `first` on.
    ///
    /// The acknowledgement of its last message but the end tells that it was taken.
    func encoded(first: UInt32) -> [UInt8] {
        var bytes = Self.message(Self.begin, flags: 0, family: 0, Self.subsystem, first, [])
        for (index, message) in messages.enumerated() {
            bytes += Self.message(
                Self.subsystem << 8 | message.verb.rawValue,
                flags: Self.flags(message.verb) | (index == messages.count - 1 ? UInt16(NLM_F_ACK) : 0),
                family: message.family.rawValue,
                0,
                first &+ UInt32(index) &+ 1,
                message.attributes.bytes
            )
        }
        return bytes + Self.message(Self.end, flags: 0, family: 0, Self.subsystem, first &+ span &- 1, [])
    }

    private static func flags(_ verb: Verb) -> UInt16 {
        switch verb {
        // Rules keep the order in which they are told.
        case .newRule: UInt16(NLM_F_CREATE | NLM_F_APPEND)
        case .newTable, .newChain, .newSet, .newElements: UInt16(NLM_F_CREATE)
        case .deleteTable, .deleteRules, .deleteElements: 0
        }
    }

    private static func message(
        _ type: UInt16,
        flags: UInt16,
        family: UInt8,
        _ resource: UInt16,
        _ sequence: UInt32,
        _ body: [UInt8]
    ) -> [UInt8] {
        var message = NetlinkMessage(type: type, flags: flags | UInt16(NLM_F_REQUEST), sequence: sequence)
        // `nfgenmsg`: family, version 0, resource.
        message.append(family)
        message.append(UInt8(0))
        message.append(resource.bigEndian)
        message.append(body)
        return message.bytes
    }
}
