/// What became of one attempt, as a line that the prober writes and the tour reads.
public struct ProbeRecord: Hashable, Sendable {
    /// When it began and ended, by CLOCK_MONOTONIC, which all hosts of a lab share.
    public var began: Int64
    /// See `began`.
    public var ended: Int64
    /// What became of it.
    public var outcome: Outcome
    /// The session that it belongs to; 0 where there are none.
    public var session: Int

    /// What became of an attempt.
    public enum Outcome: Hashable, Sendable {
        /// The right answer, from this host.
        case good(host: String)
        /// The right answer, but the session was on another host before.
        case moved(from: String, to: String)
        /// No answer within the attempt's time, or a connection that was refused or reset.
        case none(reason: String)
        /// An answer that is not the right one.
        case wrong(reason: String)
    }

    /// Describes an attempt.
    public init(began: Int64, ended: Int64, outcome: Outcome, session: Int = 0) {
        self.began = began
        self.ended = ended
        self.outcome = outcome
        self.session = session
    }

    /// Whether it was answered rightly.
    public var isGood: Bool { host != nil }

    /// The host that answered rightly.
    public var host: String? {
        switch outcome {
        case .good(let host), .moved(_, let host): host
        case .none, .wrong: nil
        }
    }

    /// One line without its end.
    public var line: String {
        let words: [String] =
            switch outcome {
            case .good(let host): ["good", host]
            case .moved(let from, let to): ["moved", from, to]
            case .none(let reason): ["none", reason]
            case .wrong(let reason): ["wrong", reason]
            }
        let all = ["\(began)", "\(ended)", "\(session)"] + words.map { $0.replacing(" ", with: "-") }
        return all.joined(separator: " ")
    }

    /// Reads a line; nil for one that is none.
    public init?(line: Substring) {
        let words = line.split(separator: " ").map(String.init)
        guard words.count >= 5, let began = Int64(words[0]), let ended = Int64(words[1]), let session = Int(words[2])
        else { return nil }
        switch (words[3], words.count) {
        case ("good", 5): outcome = .good(host: words[4])
        case ("moved", 6): outcome = .moved(from: words[4], to: words[5])
        case ("none", 5): outcome = .none(reason: words[4])
        case ("wrong", 5): outcome = .wrong(reason: words[4])
        default: return nil
        }
        self.began = began
        self.ended = ended
        self.session = session
    }
}
