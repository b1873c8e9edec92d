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

    /// Reads a line: words between blanks or commas, of which unknown ones are a reason, as all behind a `#` is.
    ///
    /// - Returns: nil for a line without any known word.
    public init?(_ line: ArraySlice<UInt8>) {
        text = CheckVerdict.plain(line.last == 0x0D ? line.dropLast() : line)
        var isKnown = false
        let said = line.prefix { $0 != UInt8(ascii: "#") }
        for word in said.split(whereSeparator: { [0x20, 0x09, 0x2C, 0x0D].contains($0) }) {
            let plain = String(decoding: word, as: UTF8.self).lowercased()
            switch plain {
            case "up": isUp = true
            case "down", "stopped", "fail", "failed": isUp = false
            case "ready": admin = .ready
            case "drain": admin = .drain
            case "maint": admin = .maint
            default:
                let percent = plain.hasSuffix("%") ? Int(plain.dropLast()) : nil
                guard let percent, (0...Self.mostPercent).contains(percent) else { continue }
                weightPercent = percent
            }
            isKnown = true
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
            if let end = answer.firstIndex(of: 0x0A) { return judge(answer[..<end]) }
            return answer.count == CheckLimits.agentBytes ? Self.broken : .wait
        // Half a line may be half a word.
        case .closed: return Self.broken
        }
    }

    private static let broken = CheckStep.end(CheckVerdict(.invalidResponse, info: "no whole line"))

    private mutating func judge(_ line: ArraySlice<UInt8>) -> CheckStep {
        reply = AgentReply(line)
        let result = reply == nil ? CheckResult.invalidResponse : .passed
        return .end(CheckVerdict(result, info: String(decoding: line, as: UTF8.self)))
    }
}
