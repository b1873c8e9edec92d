import ClusterModel

/// What is known of one peer.
struct PeerState: Sendable {
    /// Its addresses, one a link.
    var links: [Endpoint]
    /// The session that was proven alive, if any.
    var current: Current?
    /// No session of a lower incarnation is accepted.
    var knownIncarnation: Incarnation = 0
    /// What the peer must echo.
    var challenge: Challenge?
    /// When it is greeted next, unless it is in session and heard.
    var nextHello: Instant = .zero
    /// When the last alarm about it was raised.
    var lastAlarm: Instant?
    /// Answers to its greetings.
    var answers = RateLimit(perSecond: TransportLimit.answersPerSecond)
    /// Keys derived for sessions that it does not have yet.
    var derivations = RateLimit(perSecond: TransportLimit.derivationsPerSecond)
    /// Large messages to it.
    var queue = PartQueue()

    /// A session of a peer.
    struct Current: Sendable {
        var incarnation: Incarnation
        var session: SessionID
        /// The peer has shown that it accepts this node's session.
        var confirmed = false
        var window = ReplayWindow()
        /// When it was heard last.
        var heard: Instant
        /// The link on which it was heard last.
        var link: Int
        /// Messages in parts, by class.
        var assemblies: [Reassembly] = Array(repeating: Reassembly(), count: MessageClass.allCases.count)
    }

    struct Challenge: Sendable {
        var value: Random128
        var made: Instant
    }

    init(links: [Endpoint]) { self.links = links }

    /// Whether the peer has to be greeted: until both sides are in session, and again when it falls silent.
    func helloDue() -> Instant {
        guard let current, current.confirmed else { return nextHello }
        return max(nextHello, current.heard + TransportLimit.silence)
    }

    /// The earliest moment at which something has to be done.
    var deadline: Instant {
        var earliest = helloDue()
        if let queue = queue.deadline { earliest = min(earliest, queue) }
        if let current {
            for assembly in current.assemblies {
                if let deadline = assembly.deadline { earliest = min(earliest, deadline) }
            }
        }
        return earliest
    }
}
