public import ClusterModel

/// Asks the addresses of the property `arbiter` again and again, so that it is known at any time, and can be shown long
/// before it matters, whether this node reaches them.
///
/// It decides nothing: what an answer is worth is for consensus to say. Each address has one open question at most; a
/// new one is asked once an interval, and from then on an answer to the one before is too late.
public struct ArbiterWatch: Sendable {
    /// When the next `tick` is due; nil for never.
    public private(set) var nextDeadline: Instant?
    /// Packets that were no answer to an open question, since the start.
    public private(set) var strangePackets: UInt64 = 0

    private var interval = Duration.zero
    private var window = Duration.zero
    private var entries: [Entry] = []
    private let identifier: UInt16
    private var nextSequence: UInt16 = 0

    private struct Entry: Sendable {
        let address: IPAddress
        /// Since when it is asked.
        let since: Instant
        var dueAt: Instant
        var open: (probe: EchoProbe, sent: Instant)?
        /// When the newest question was sent that was answered.
        var answered: Instant?
        /// Why the newest question could not be sent, or came back.
        var failure: String?
        var told = Standing.Condition.asked
    }

    /// What happened.
    public enum Input: Sendable {
        /// These are to be asked from now on, that often; whoever has answered no question of that last time is silent.
        /// An empty list ends it.
        case ask([IPAddress], every: Duration, window: Duration)
        /// A packet came, by the kernel's word from that address.
        case received([UInt8], from: IPAddress)
        /// A question could not be sent, or came back, for that reason.
        case unsent(IPAddress, String)
        /// The deadline asked for has come.
        case tick
    }

    /// What is to be done.
    public enum Effect: Hashable, Sendable {
        /// Send a question.
        case send(EchoProbe)
        /// An address answered what was sent at that moment.
        case answered(IPAddress, sent: Instant)
        /// An address answers for the first time, is silent, or answers again.
        case changed(Standing)
    }

    /// How an address is.
    public struct Standing: Hashable, Sendable {
        /// How it answers.
        public enum Condition: Hashable, Sendable {
            /// Asked only just now.
            case asked
            /// It does.
            case answers
            /// It does not.
            case silent
        }

        /// Who.
        public var address: IPAddress
        /// How.
        public var condition: Condition
        /// When the newest question was sent that was answered; nil for none since it is asked.
        public var answered: Instant?
        /// When it was asked first.
        public var since: Instant
        /// Why it could not be asked; nil where it could.
        public var failure: String?
    }

    /// Asks nobody before the first `ask`.
    ///
    /// - Parameter identifier: Drawn at random for each start of an agent.
    public init(identifier: UInt16) { self.identifier = identifier }

    /// How each address is, in the order of the property.
    public func standings(now: Instant) -> [Standing] {
        entries.map { entry in
            let condition: Standing.Condition =
                if let answered = entry.answered, now - answered <= window {
                    .answers
                } else {
                    entry.answered != nil || now - entry.since > window ? .silent : .asked
                }
            return Standing(
                address: entry.address,
                condition: condition,
                answered: entry.answered,
                since: entry.since,
                failure: entry.failure
            )
        }
    }

    /// Takes one input and says what to do about it.
    ///
    /// - Parameters:
    ///   - input: What happened.
    ///   - now: The present moment; never earlier than in the call before.
    ///   - random: Whose numbers nobody can guess.
    ///   - effects: What to do, appended in order.
    public mutating func receive(
        _ input: Input,
        now: Instant,
        using random: inout some RandomNumberGenerator,
        into effects: inout [Effect]
    ) {
        switch input {
        case .ask(let addresses, let interval, let window): follow(addresses, interval, window, now: now)
        case .received(let bytes, let source): take(bytes, from: source, into: &effects)
        case .unsent(let address, let reason):
            if let at = entries.firstIndex(where: { $0.address == address }) {
                entries[at].open = nil
                entries[at].failure = reason
            }
        case .tick: break
        }
        ask(now: now, using: &random, into: &effects)
        tellChanges(now: now, into: &effects)
        nextDeadline = entries.map(\.dueAt).min()
    }

    private mutating func follow(_ addresses: [IPAddress], _ interval: Duration, _ window: Duration, now: Instant) {
        self.interval = interval
        self.window = window
        let known = entries
        entries = addresses.prefix(ConfigurationLimits.arbiterAddresses).map { address in
            guard var entry = known.first(where: { $0.address == address }) else {
                return Entry(address: address, since: now, dueAt: now)
            }
            entry.dueAt = min(entry.dueAt, now + interval)
            return entry
        }
    }

    private mutating func take(_ bytes: [UInt8], from source: IPAddress, into effects: inout [Effect]) {
        guard let reply = try? EchoReply(parsing: bytes, from: source),
            let at = entries.firstIndex(where: { $0.open?.probe.isAnswered(by: reply) == true }),
            let open = entries[at].open
        else {
            strangePackets &+= 1
            return
        }
        entries[at].open = nil
        entries[at].answered = open.sent
        entries[at].failure = nil
        effects.append(.answered(source, sent: open.sent))
    }

    private mutating func ask(
        now: Instant,
        using random: inout some RandomNumberGenerator,
        into effects: inout [Effect]
    ) {
        for at in entries.indices where now >= entries[at].dueAt {
            let nonce = Random128(high: random.next(), low: random.next())
            let probe = EchoProbe(
                address: entries[at].address,
                identifier: identifier,
                sequence: nextSequence,
                nonce: nonce
            )
            nextSequence &+= 1
            entries[at].open = (probe, now)
            entries[at].dueAt = now + interval
            effects.append(.send(probe))
        }
    }

    private mutating func tellChanges(now: Instant, into effects: inout [Effect]) {
        for (at, standing) in standings(now: now).enumerated() where standing.condition != entries[at].told {
            entries[at].told = standing.condition
            effects.append(.changed(standing))
        }
    }
}
