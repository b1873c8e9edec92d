/// `pgsql-check`: the start of a session of a PostgreSQL server, up to its question for a password.
///
/// Source: PostgreSQL documentation, Frontend/Backend Protocol 3.0, Start-up.
struct PostgresConversation {
    private let user: String
    private var answer: [UInt8] = []

    /// Terminate.
    static let terminate: [UInt8] = [UInt8(ascii: "X"), 0, 0, 0, 4]
    private static let version: UInt32 = 3 << 16

    init(user: String) { self.user = user }

    mutating func next(_ event: CheckEvent) -> CheckStep {
        switch event {
        case .connected: return .send(Self.startup(user))
        case .sent: return .wait
        case .closed: return .end(CheckVerdict(.invalidResponse, info: "closed before an answer"))
        case .received(let bytes):
            answer += bytes.prefix(CheckLimits.answerBytes - answer.count)
            return read()
        }
    }

    /// A start-up message for a database of the user's name, as `psql` asks for.
    static func startup(_ user: String) -> [UInt8] {
        let fields = Array("user\0\(user)\0database\0\(user)\0\0".utf8)
        return bigEndian(UInt32(fields.count + 8)) + bigEndian(version) + fields
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> ($0 as UInt32)) }
    }

    private mutating func read() -> CheckStep {
        while answer.count >= 5 {
            // The length counts itself, but not the type.
            let count = answer[1..<5].reduce(0) { $0 << 8 | Int($1) }
            guard (4..<CheckLimits.answerBytes).contains(count) else { return Self.unknown }
            guard answer.count > count else { return .wait }
            let type = answer[0]
            let payload = answer[5..<(count + 1)]
            switch type {
            case UInt8(ascii: "R"): return Self.readAuthentication(payload)
            case UInt8(ascii: "E"): return .end(CheckVerdict(.wrongStatus, info: Self.message(payload)))
            // A notice, or an older version that both speak: the question follows.
            case UInt8(ascii: "N"), UInt8(ascii: "v"): answer.removeFirst(count + 1)
            default: return Self.unknown
            }
        }
        return .wait
    }

    private static let unknown = CheckStep.end(CheckVerdict(.invalidResponse, info: "no answer of PostgreSQL"))

    /// Any question for a password shows that the server takes sessions.
    private static func readAuthentication(_ payload: ArraySlice<UInt8>) -> CheckStep {
        guard payload.count >= 4 else { return unknown }
        let code = payload.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        switch code {
        case 0: return .end(CheckVerdict(.passed), farewell: terminate)
        case 2...10: return .end(CheckVerdict(.passed), farewell: [])
        default: return unknown
        }
    }

    /// Severity and message of an error: fields of a letter and a text that ends with a zero.
    private static func message(_ payload: ArraySlice<UInt8>) -> String {
        var fields: [UInt8: String] = [:]
        for field in payload.split(separator: 0) {
            if let letter = field.first { fields[letter] = String(decoding: field.dropFirst(), as: UTF8.self) }
        }
        let parts = [fields[UInt8(ascii: "S")], fields[UInt8(ascii: "M")]].compactMap { $0 }
        return parts.joined(separator: ": ")
    }
}
