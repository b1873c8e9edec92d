public import ClusterModel

/// What the program beside a server says of it: one line of HAProxy's words.
public struct AgentReply: Hashable, Sendable {
    /// `75%`: its share, as a part of the configured weight.
    public var weightPercent: Int?
    /// `ready`, `drain` or `maint`.
    public var admin: ServerAdminState?
    /// `up`; or `down`, `stopped`, `failed`.
    public var isUp: Bool?
    /// The line, for the operator; visible ASCII.
    public var text: String

    /// The highest percentage; the share is bounded by 256 all the same.
    public static let mostPercent = 25_600

    /// Reads a line: words between blanks or commas; what follows `#` after a word is a reason.
    ///
    /// - Returns: nil for a line without any known word.
    public init?(_ line: ArraySlice<UInt8>) {
        text = CheckVerdict.plain(line.last == 0x0D ? line.dropLast() : line)
        var isKnown = false
        let words = line.split { [0x20, 0x09, 0x2C, 0x0D].contains($0) }
        for word in words {
            let plain = String(decoding: word.prefix { $0 != UInt8(ascii: "#") }, as: UTF8.self).lowercased()
            switch plain {
            case "up": isUp = true
            case "down", "stopped", "fail", "failed": isUp = false
            case "ready": admin = .ready
            case "drain": admin = .drain
            case "maint": admin = .maint
            default:
                guard plain.hasSuffix("%"), let percent = Int(plain.dropLast()),
                    (0...Self.mostPercent).contains(percent)
                else { continue }
                weightPercent = percent
            }
            isKnown = true
            if word.contains(UInt8(ascii: "#")) { break }
        }
        guard isKnown else { return nil }
    }
}

/// `agent-check`: connects, and reads one line.
struct AgentConversation {
    private var answer: [UInt8] = []
    private(set) var reply: AgentReply?

    mutating func next(_ event: CheckEvent) -> CheckStep {
        switch event {
        case .connected, .sent: return .wait
        case .received(let bytes):
            answer += bytes.prefix(CheckLimits.agentBytes - answer.count)
            guard answer.contains(0x0A) || answer.count == CheckLimits.agentBytes else { return .wait }
            return judge()
        case .closed: return judge()
        }
    }

    private mutating func judge() -> CheckStep {
        let line = answer.prefix { $0 != 0x0A }
        reply = AgentReply(line)
        let result = reply == nil ? CheckResult.invalidResponse : .passed
        return .end(CheckVerdict(result, info: String(decoding: line, as: UTF8.self)))
    }
}
