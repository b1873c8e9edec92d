import ClusterModel

/// A scripted check: `tcp-check connect`, `send` and `expect`, one after the other.
struct ScriptConversation {
    private enum Rule {
        case connect(UInt16?)
        case send([UInt8])
        case expect(Needle, isNegated: Bool)
    }

    private enum Needle {
        case bytes([UInt8])
        case pattern(BytePattern)
        /// A pattern that cannot be read; it was refused when it was configured, and here it is never found.
        case nothing
    }

    private let rules: [Rule]
    private var at = 0
    /// What has come since the last `send`; every `expect` looks at it from its start, as in HAProxy.
    private var answer: [UInt8] = []
    private var isClosed = false
    /// How far the present expectation has looked.
    private var scanned = 0
    private var scan: BytePatternScan?

    init(_ rules: [TCPCheckRule]) {
        self.rules = rules.map { rule in
            switch rule {
            case .connect(let port): return .connect(port)
            case .send(let text): return .send(Array(text.utf8))
            case .sendBinary(let bytes): return .send(bytes)
            case .expect(let expectation):
                return .expect(Self.needle(expectation.subject), isNegated: expectation.isNegated)
            }
        }
    }

    private static func needle(_ subject: TCPExpectation.Subject) -> Needle {
        switch subject {
        case .string(let text): return .bytes(Array(text.utf8))
        case .binary(let bytes): return .bytes(bytes)
        case .pattern(let text):
            guard let pattern = try? BytePattern(text) else { return .nothing }
            return .pattern(pattern)
        }
    }

    var firstPort: UInt16? {
        if case .connect(let port)? = rules.first { return port }
        return nil
    }

    /// Where it stands, for the operator.
    var place: String { "at rule \(at + 1) of tcp-check" }

    mutating func next(_ event: CheckEvent) -> CheckStep {
        switch event {
        case .connected, .sent: return advance()
        case .received(let bytes):
            answer += bytes.prefix(CheckLimits.answerBytes - answer.count)
            return isExpecting ? look() : .wait
        case .closed:
            isClosed = true
            if isExpecting { return look() }
            return .end(CheckVerdict(.invalidResponse, info: "closed \(place)"))
        }
    }

    private var isExpecting: Bool {
        guard at < rules.count, case .expect = rules[at] else { return false }
        return true
    }

    private mutating func advance() -> CheckStep {
        guard at < rules.count else {
            let spoke = rules.contains { if case .connect = $0 { false } else { true } }
            return .end(CheckVerdict(spoke ? .passed : .connected))
        }
        switch rules[at] {
        case .connect(let port):
            at += 1
            // The first connection stands already.
            if at == 1 { return advance() }
            forget()
            isClosed = false
            return .connect(port: port)
        case .send(let bytes):
            if isClosed { return .end(CheckVerdict(.invalidResponse, info: "closed \(place)")) }
            at += 1
            forget()
            return .send(bytes)
        case .expect(let needle, _):
            scanned = 0
            scan = nil
            if case .pattern(let pattern) = needle { scan = BytePatternScan(pattern) }
            return look()
        }
    }

    private mutating func forget() { answer.removeAll(keepingCapacity: true) }

    private mutating func look() -> CheckStep {
        guard case .expect(let needle, let isNegated) = rules[at] else { return .wait }
        let isEnd = isClosed || answer.count == CheckLimits.answerBytes
        let isFound = find(needle)
        guard isFound || isEnd else { return .wait }
        if isFound == isNegated {
            let what = isFound ? "unwanted answer" : "expected answer missing"
            return .end(CheckVerdict(.invalidResponse, info: "\(what) \(place)"))
        }
        at += 1
        return advance()
    }

    /// Goes on looking where it stopped before.
    private mutating func find(_ needle: Needle) -> Bool {
        defer { scanned = answer.count }
        switch needle {
        case .nothing: return false
        case .bytes(let bytes):
            let start = max(0, scanned - bytes.count + 1)
            return answer[start...].firstRange(of: bytes) != nil
        case .pattern:
            if scan?.feed(answer[scanned...]) == true { return true }
            // `$` is the end of what has come, as in HAProxy: a service that goes on talking never closes.
            var ending = scan
            return ending?.finish() == true
        }
    }
}
