import Bytes
import ClusterModel

/// Listener options for checks in a service's own protocol, and for how often there are checks.
enum ServiceCheckWords {
    static let known = ["tcp-check", "redis-check", "mysql-check", "pgsql-check", "passive-check-factor"]

    /// Sets an option; false where it is none of these.
    static func set(_ setting: Setting, of listener: inout Listener) throws(WordProblem) -> Bool {
        let (name, value) = (setting.name, setting.value)
        if name == "passive-check-factor" {
            listener.passiveCheckFactor = try Values.integer(name, value, ConfigurationLimits.passiveCheckFactor)
            return true
        }
        guard let check = try service(name, value) else { return false }
        if let other = listener.serviceCheck {
            let remedy = "leave one of them out"
            throw WordProblem(name, "there are \(other.word) and \(name), but one check", remedy: remedy)
        }
        listener.serviceCheck = check
        return true
    }

    private static func service(_ name: String, _ value: String) throws(WordProblem) -> ServiceCheck? {
        switch name {
        case "tcp-check": return .script(try script(value))
        case "redis-check": return .redis(isMaster: try redis(value))
        case "mysql-check": return .mysql(user: try mysql(value))
        case "pgsql-check": return .postgres(user: try postgres(value))
        default: return nil
        }
    }

    /// Nothing, or `master`.
    private static func redis(_ text: String) throws(WordProblem) -> Bool {
        switch text {
        case "": return false
        case "master": return true
        default:
            let remedy = "give redis-check= for PING, or redis-check=master for a master"
            throw WordProblem("redis-check", "redis-check cannot be \"\(text)\"", remedy: remedy)
        }
    }

    /// Nothing, or `user NAME [post-41]`.
    private static func mysql(_ text: String) throws(WordProblem) -> String? {
        var words = try RuleWords.words("mysql-check", text)
        if words.isEmpty { return nil }
        if words.count == 3, words[2] == "post-41" { words.removeLast() }
        guard words.count == 2, words[0] == "user" else {
            let remedy = "give mysql-check= for the greeting, or mysql-check='user NAME' for a login"
            throw WordProblem("mysql-check", "mysql-check cannot be \"\(text)\"", remedy: remedy)
        }
        return words[1]
    }

    /// `user NAME`.
    private static func postgres(_ text: String) throws(WordProblem) -> String {
        let words = try RuleWords.words("pgsql-check", text)
        guard words.count == 2, words[0] == "user" else {
            throw WordProblem(
                "pgsql-check",
                "pgsql-check cannot be \"\(text)\"",
                remedy: "give pgsql-check='user NAME'"
            )
        }
        return words[1]
    }

    /// `connect …; send …; expect …`.
    private static func script(_ text: String) throws(WordProblem) -> [TCPCheckRule] {
        var rules: [TCPCheckRule] = []
        for words in try RuleWords.split("tcp-check", text) {
            var reader = RuleReader("tcp-check", words)
            switch reader.next() {
            case "connect": rules.append(try readConnect(&reader))
            case "send": rules.append(.send(try reader.value(of: "send")))
            case "send-binary":
                rules.append(.sendBinary(try RuleWords.bytes("tcp-check", try reader.value(of: "send-binary"))))
            case "expect": rules.append(.expect(try readExpectation(&reader)))
            case let word: throw reader.unknown(word ?? "", ["connect", "send", "send-binary", "expect"])
            }
            try reader.finish()
        }
        return rules
    }

    private static func readConnect(_ reader: inout RuleReader) throws(WordProblem) -> TCPCheckRule {
        guard let word = reader.next() else { return .connect(port: nil) }
        guard word == "port" else { throw reader.unknown(word, ["port"]) }
        return .connect(port: try Values.port("tcp-check", try reader.value(of: word)))
    }

    private static func readExpectation(_ reader: inout RuleReader) throws(WordProblem) -> TCPExpectation {
        let (isNegated, kind) = try reader.expectation()
        let value = try reader.value(of: kind)
        switch kind {
        case "string": return TCPExpectation(.string(value), isNegated: isNegated)
        case "rstring": return TCPExpectation(.pattern(value), isNegated: isNegated)
        case "binary":
            return TCPExpectation(.binary(try RuleWords.bytes("tcp-check", value)), isNegated: isNegated)
        default: throw reader.unknown(kind, ["string", "rstring", "binary"])
        }
    }

    /// The settings that `set` reads back.
    static func settings(_ listener: Listener) -> [Setting] {
        var settings: [Setting] = []
        if let check = listener.serviceCheck {
            let value =
                switch check {
                case .script(let rules): RuleWords.join(rules.map(words))
                case .redis(let isMaster): isMaster ? "master" : ""
                case .mysql(let user): user.map { "user \($0)" } ?? ""
                case .postgres(let user): "user \(user)"
                }
            settings.append(Setting(name: check.word, value: value))
        }
        if let factor = listener.passiveCheckFactor {
            settings.append(Setting(name: "passive-check-factor", value: "\(factor)"))
        }
        return settings
    }

    private static func words(_ rule: TCPCheckRule) -> [String] {
        switch rule {
        case .connect(let port): return ["connect"] + (port.map { ["port", "\($0)"] } ?? [])
        case .send(let text): return ["send", text]
        case .sendBinary(let bytes): return ["send-binary", Hex.encode(bytes)]
        case .expect(let expectation):
            let (kind, value) =
                switch expectation.subject {
                case .string(let text): ("string", text)
                case .pattern(let text): ("rstring", text)
                case .binary(let bytes): ("binary", Hex.encode(bytes))
                }
            return ["expect"] + (expectation.isNegated ? ["!"] : []) + [kind, value]
        }
    }
}
