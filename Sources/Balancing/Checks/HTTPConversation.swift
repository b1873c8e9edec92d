import ClusterModel

/// An HTTP check: one request, and the answer to it.
struct HTTPConversation {
    private let check: HTTPCheck
    private var answer: [UInt8] = []

    init(_ check: HTTPCheck) { self.check = check }

    mutating func next(_ event: CheckEvent) -> CheckStep {
        switch event {
        case .connected: return .send(Self.request(check))
        case .sent: return .wait
        case .received(let bytes):
            answer += bytes.prefix(CheckLimits.answerBytes - answer.count)
            return judge(isEnd: answer.count == CheckLimits.answerBytes)
        case .closed: return judge(isEnd: true)
        }
    }

    /// The bytes of a check's request.
    static func request(_ check: HTTPCheck) -> [UInt8] {
        // Without a Host there is no HTTP/1.1; HAProxy's default request is HTTP/1.0 for the same reason.
        let hasHost = check.host != nil || (check.headers ?? []).contains { $0.name.lowercased() == "host" }
        let version = check.version ?? (hasHost ? .http11 : .http10)
        var head = "\(check.method) \(check.uri) \(version.rawValue)\r\n"
        if let host = check.host { head += "Host: \(host)\r\n" }
        for header in check.headers ?? [] { head += "\(header.name): \(header.value)\r\n" }
        if version == .http11 { head += "Connection: close\r\n" }
        let body = Array((check.body ?? "").utf8)
        if !body.isEmpty || ["POST", "PUT"].contains(check.method) { head += "Content-Length: \(body.count)\r\n" }
        return Array("\(head)\r\n".utf8) + body
    }

    private func judge(isEnd: Bool) -> CheckStep {
        switch HTTPReply.status(answer[...]) {
        case .invalid: return .end(CheckVerdict(.invalidResponse, info: "no HTTP"))
        case .incomplete: return isEnd ? .end(CheckVerdict(.invalidResponse, info: "closed before an answer")) : .wait
        case .status(let status): return judge(status, isEnd: isEnd)
        }
    }

    private func judge(_ status: Int, isEnd: Bool) -> CheckStep {
        if status == 404, check.disableOn404 == true {
            return .end(CheckVerdict(.conditionallyPassed, status: status))
        }
        guard let rules = check.expect, !rules.isEmpty else {
            let passes = Self.contains(check.expectStatus, status)
            return .end(CheckVerdict(passes ? .passed : .wrongStatus, status: status))
        }
        for rule in rules where !rule.looksAtBody {
            if Self.matches(rule, status) == rule.isNegated {
                return .end(CheckVerdict(.wrongStatus, status: status, info: rule.failure))
            }
        }
        if rules.contains(where: \.looksAtBody) {
            guard let body = HTTPReply.body(answer, isEnd: isEnd, hasNoBody: check.method == "HEAD") else {
                return .wait
            }
            for rule in rules where rule.looksAtBody && Self.matches(rule, body) == rule.isNegated {
                return .end(CheckVerdict(.invalidResponse, status: status, info: rule.failure))
            }
        }
        return .end(CheckVerdict(.passed, status: status))
    }

    private static func contains(_ ranges: [StatusRange], _ status: Int) -> Bool {
        ranges.contains { ($0.first...max($0.first, $0.last)).contains(status) }
    }

    private static func matches(_ rule: HTTPExpectation, _ status: Int) -> Bool {
        switch rule.subject {
        case .status(let ranges): return contains(ranges, status)
        case .statusPattern(let text): return pattern(text, matches: Array("\(status)".utf8))
        case .string, .pattern: return false
        }
    }

    private static func matches(_ rule: HTTPExpectation, _ body: [UInt8]) -> Bool {
        switch rule.subject {
        case .string(let text): return body.firstRange(of: Array(text.utf8)) != nil
        case .pattern(let text): return pattern(text, matches: body)
        case .status, .statusPattern: return false
        }
    }

    /// A pattern that cannot be read was refused when it was configured; here it matches nothing.
    private static func pattern(_ text: String, matches bytes: [UInt8]) -> Bool {
        (try? BytePattern(text))?.matches(bytes) ?? false
    }
}

extension HTTPExpectation {
    /// Whether the status line is not enough.
    var looksAtBody: Bool {
        switch subject {
        case .status, .statusPattern: false
        case .string, .pattern: true
        }
    }

    fileprivate var failure: String {
        switch subject {
        case .status, .statusPattern: "unexpected status"
        case .string(let text): isNegated ? "holds \"\(text)\"" : "does not hold \"\(text)\""
        case .pattern(let text): isNegated ? "matches \"\(text)\"" : "does not match \"\(text)\""
        }
    }
}
