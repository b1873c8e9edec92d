public import ClusterModel

/// The open tokens of one agent: each serves one attempt, for fifteen minutes, until revoked.
public struct JoinTable: Sendable {
    private var entries: [Random128: Entry] = [:]
    private var limit = RateLimit(perSecond: JoinLimit.requestsPerSecond)

    private struct Entry {
        var expires: Instant
        var state: State
    }

    private enum State {
        case open
        case claimed(Random128)
        case settled(Random128, Result<[UInt8], JoinRefusal>)
        case used
    }

    /// What a request leads to.
    public enum Outcome: Hashable, Sendable {
        /// The first request of an attempt: the agent has to decide on it, and to `settle` it. The answer is "pending".
        case decide
        /// An answer.
        case answer(JoinResponseContent)
        /// No answer.
        case silent
    }

    /// Begins empty.
    public init() {}

    /// Opens a token; false when too many are open.
    public mutating func open(_ token: Random128, now: Instant) -> Bool {
        expire(now: now)
        guard entries.count < JoinLimit.tokens else { return false }
        entries[token] = Entry(expires: now + JoinLimit.tokenTime, state: .open)
        return true
    }

    /// Closes a token, whatever its state; an attempt under it gets no more answers.
    public mutating func revoke(_ token: Random128) { entries[token] = nil }

    /// Closes all tokens.
    public mutating func revokeAll() { entries.removeAll() }

    /// The tokens that exist; keys of others are not needed any more.
    public var tokens: Set<Random128> { Set(entries.keys) }

    /// Closes what is too old.
    public mutating func expire(now: Instant) { entries = entries.filter { now < $0.value.expires } }

    /// When the next token ends.
    public var nextDeadline: Instant? { entries.values.map(\.expires).min() }

    /// Whether a request under this token may be opened now.
    public mutating func admits(_ header: JoinHeader, now: Instant) -> Bool {
        guard header.kind == .joinRequest, let entry = entries[header.token], now < entry.expires else { return false }
        return limit.take(now: now)
    }

    /// Uses a request whose box was opened.
    public mutating func accept(_ header: JoinHeader, _ content: JoinRequestContent, now: Instant) -> Outcome {
        guard let entry = entries[header.token], now < entry.expires else { return .silent }
        switch entry.state {
        case .open:
            entries[header.token]?.state = .claimed(header.attempt)
            return .decide
        case .claimed(let attempt) where attempt == header.attempt:
            return .answer(JoinResponseContent(status: .pending))
        case .settled(let attempt, let result) where attempt == header.attempt:
            return answer(header, content, result)
        case .claimed, .settled, .used:
            return .answer(JoinResponseContent(status: .refused, sentence: JoinRefusal.used.sentence))
        }
    }

    /// Decides an attempt: the document that makes a member of the joiner, or why not.
    public mutating func settle(_ token: Random128, attempt: Random128, _ result: Result<[UInt8], JoinRefusal>) {
        guard case .claimed(attempt) = entries[token]?.state else { return }
        entries[token]?.state = .settled(attempt, result)
    }

    private mutating func answer(
        _ header: JoinHeader,
        _ content: JoinRequestContent,
        _ result: Result<[UInt8], JoinRefusal>
    ) -> Outcome {
        switch result {
        case .failure(let refusal): return .answer(JoinResponseContent(status: .refused, sentence: refusal.sentence))
        case .success(let document):
            if content.part == JoinRequestContent.received {
                // Who has the token later gets nothing for it.
                entries[header.token]?.state = .used
                return .silent
            }
            return JoinResponseContent(document: document, part: content.part).map { .answer($0) } ?? .silent
        }
    }
}

/// Why a joiner is turned away, as a sentence for its operator.
public struct JoinRefusal: Error, Hashable, Sendable {
    /// What went wrong and what to do.
    public var sentence: String

    /// Wraps a sentence.
    public init(_ sentence: String) { self.sentence = sentence }

    /// For a second attempt with one token.
    public static let used = JoinRefusal("this token was used already; make a new one with: haven cluster token")
}
