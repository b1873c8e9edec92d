/// `redis-check`: PING, and for a master its role (RESP2).
struct RedisConversation {
    private let isMaster: Bool
    private var answer: [UInt8] = []
    private var asksRole = false

    private static let farewell = Array("QUIT\r\n".utf8)

    init(isMaster: Bool) { self.isMaster = isMaster }

    mutating func next(_ event: CheckEvent) -> CheckStep {
        switch event {
        case .connected: return .send(Array("PING\r\n".utf8))
        case .sent: return asksRole ? readRole() : .wait
        case .closed: return .end(CheckVerdict(.invalidResponse, info: "closed before an answer"))
        case .received(let bytes):
            answer += bytes.prefix(CheckLimits.answerBytes - answer.count)
            let step = asksRole ? readRole() : readPong()
            if step == .wait, answer.count == CheckLimits.answerBytes {
                return .end(CheckVerdict(.invalidResponse, info: "the answer is too long"))
            }
            return step
        }
    }

    /// The first line without its end.
    private var line: ArraySlice<UInt8>? {
        answer.firstIndex(of: 0x0A).map { answer[..<$0].last == 0x0D ? answer[..<($0 - 1)] : answer[..<$0] }
    }

    /// The end of a check whose answer is an error, or none of this protocol.
    private func unexpected(_ line: ArraySlice<UInt8>) -> CheckStep {
        let text = String(decoding: line.dropFirst(), as: UTF8.self)
        let isError = line.first == UInt8(ascii: "-")
        return .end(
            CheckVerdict(isError ? .wrongStatus : .invalidResponse, info: isError ? text : "no answer of Redis")
        )
    }

    private mutating func readPong() -> CheckStep {
        guard let line else { return .wait }
        guard line.elementsEqual("+PONG".utf8) else { return unexpected(line) }
        if !isMaster { return .end(CheckVerdict(.passed), farewell: Self.farewell) }
        asksRole = true
        answer.removeSubrange(...line.endIndex)
        if answer.first == 0x0A { answer.removeFirst() }
        return .send(Array("INFO replication\r\n".utf8))
    }

    /// A bulk string: `$LENGTH`, and that many bytes of lines.
    private func readRole() -> CheckStep {
        guard let line else { return .wait }
        guard line.first == UInt8(ascii: "$"), let count = Int(String(decoding: line.dropFirst(), as: UTF8.self)),
            (0...CheckLimits.answerBytes).contains(count)
        else { return unexpected(line) }
        let start = (answer.firstIndex(of: 0x0A) ?? 0) + 1
        let text = answer[start...].prefix(count)
        // The role is in the first lines, so an answer that is cut off after them is good enough.
        let role = text.split(separator: 0x0A).lazy.map { $0.last == 0x0D ? $0.dropLast() : $0 }
            .first { $0.starts(with: "role:".utf8) }
        guard let role, text.count == count || role.endIndex < text.endIndex else {
            return text.count == count
                ? .end(CheckVerdict(.invalidResponse, info: "no role"), farewell: Self.farewell) : .wait
        }
        let word = String(decoding: role, as: UTF8.self)
        let verdict = word == "role:master" ? CheckVerdict(.passed) : CheckVerdict(.wrongStatus, info: word)
        return .end(verdict, farewell: Self.farewell)
    }
}
