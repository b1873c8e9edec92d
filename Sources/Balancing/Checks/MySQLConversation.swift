/// `mysql-check`: the greeting of a MySQL or MariaDB server, and a login without a password.
///
/// Source: MySQL client/server protocol, connection phase (protocol 10). The login is ended with COM_QUIT: a server counts
/// sessions that break off during the login against `max_connect_errors`, and shuts this machine out in the end.
struct MySQLConversation {
    private let user: String?
    private var answer: [UInt8] = []
    private var hasLoggedIn = false
    private var hasSwitched = false

    /// CLIENT_PROTOCOL_41 and CLIENT_SECURE_CONNECTION.
    private static let capabilities: UInt32 = 0x8200
    private static let pluginCapability: UInt32 = 0x0008_0000
    private static let plugin = "mysql_native_password"
    /// The longest message: 16 MiB.
    private static let longestMessage: UInt32 = 1 << 24
    /// utf8_general_ci.
    private static let characterSet: UInt8 = 0x21

    /// COM_QUIT as the first packet of a command.
    static let quit: [UInt8] = [1, 0, 0, 0, 1]

    init(user: String?) { self.user = user }

    mutating func next(_ event: CheckEvent) -> CheckStep {
        switch event {
        case .connected, .sent: return read()
        case .closed: return .end(CheckVerdict(.invalidResponse, info: "closed before an answer"))
        case .received(let bytes):
            answer += bytes.prefix(CheckLimits.answerBytes - answer.count)
            return read()
        }
    }

    private mutating func read() -> CheckStep {
        while let packet = takePacket() {
            let step = hasLoggedIn ? readReply(packet) : readGreeting(packet)
            if step != .wait { return step }
        }
        // A packet that does not fit is none that a check expects.
        let isFull = answer.count == CheckLimits.answerBytes
        return isFull ? .end(CheckVerdict(.invalidResponse, info: "the answer is too long")) : .wait
    }

    private struct Packet {
        var number: UInt8
        var payload: [UInt8]
    }

    /// Takes a whole packet off the front: three bytes of length, one of its number.
    private mutating func takePacket() -> Packet? {
        guard answer.count >= 4 else { return nil }
        let count = Int(answer[0]) | Int(answer[1]) << 8 | Int(answer[2]) << 16
        guard answer.count >= 4 + count else { return nil }
        let packet = Packet(number: answer[3], payload: Array(answer[4..<(4 + count)]))
        answer.removeFirst(4 + count)
        return packet
    }

    private static func packet(_ number: UInt8, _ payload: [UInt8]) -> [UInt8] {
        [UInt8(payload.count & 0xFF), UInt8(payload.count >> 8 & 0xFF), 0, number] + payload
    }

    private mutating func readGreeting(_ packet: Packet) -> CheckStep {
        guard packet.payload.first != 0xFF else { return .end(Self.failure(packet.payload)) }
        guard let greeting = MySQLGreeting(packet.payload) else {
            return .end(CheckVerdict(.invalidResponse, info: "no greeting of MySQL"))
        }
        guard let user else { return .end(CheckVerdict(.passed, info: greeting.version)) }
        hasLoggedIn = true
        return .send(Self.packet(packet.number &+ 1, Self.login(user, greeting)))
    }

    private static func login(_ user: String, _ greeting: MySQLGreeting) -> [UInt8] {
        let hasPlugins = greeting.capabilities & pluginCapability != 0
        var bytes: [UInt8] = []
        for word in [hasPlugins ? capabilities | pluginCapability : capabilities, longestMessage] {
            for shift in [0, 8, 16, 24] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
        }
        bytes.append(characterSet)
        bytes += [UInt8](repeating: 0, count: 23)
        // The user's name, and a password of no bytes.
        bytes += Array(user.utf8) + [0, 0]
        if hasPlugins { bytes += Array(plugin.utf8) + [0] }
        return bytes
    }

    private mutating func readReply(_ packet: Packet) -> CheckStep {
        switch packet.payload.first {
        case 0x00: return .end(CheckVerdict(.passed), farewell: Self.quit)
        case 0xFF: return .end(Self.failure(packet.payload))
        // Another way to log in: without a password the answer is empty in all of them.
        case 0xFE where packet.payload.count > 1 && !hasSwitched:
            hasSwitched = true
            return .send(Self.packet(packet.number &+ 1, []))
        // What was sent is enough; the end of the login follows.
        case 0x01 where packet.payload.count == 2 && packet.payload[1] == 3: return .wait
        case 0x01, 0xFE: return .end(CheckVerdict(.wrongStatus, info: "the user has a password"))
        default: return .end(CheckVerdict(.invalidResponse, info: "no answer of MySQL"))
        }
    }

    /// What an error packet says: `1045 Access denied …`.
    private static func failure(_ payload: [UInt8]) -> CheckVerdict {
        guard payload.count >= 3 else { return CheckVerdict(.invalidResponse, info: "a broken error of MySQL") }
        let code = Int(payload[1]) | Int(payload[2]) << 8
        var text = payload[3...]
        // A marker and five characters of the SQL state.
        if text.first == UInt8(ascii: "#") { text = text.dropFirst(6) }
        return CheckVerdict(.wrongStatus, info: "\(code) \(String(decoding: text, as: UTF8.self))")
    }
}

/// What a check wants to know of a server's greeting (Handshake V10).
struct MySQLGreeting: Equatable {
    /// Such as `10.11.6-MariaDB`.
    var version: String
    var capabilities: UInt32

    /// Reads the payload of the first packet; nil where it is no greeting of protocol 10.
    init?(_ payload: [UInt8]) {
        guard payload.first == 10, let end = payload.firstIndex(of: 0) else { return nil }
        version = String(decoding: payload[1..<end], as: UTF8.self)
        // The connection's number, eight bytes of challenge, and a zero.
        let low = end + 1 + 4 + 8 + 1
        guard payload.count >= low + 2 else { return nil }
        capabilities = UInt32(payload[low]) | UInt32(payload[low + 1]) << 8
        // Character set and status lie between both halves; old servers end before.
        if payload.count >= low + 7 {
            capabilities |= UInt32(payload[low + 5]) << 16 | UInt32(payload[low + 6]) << 24
        }
    }
}
