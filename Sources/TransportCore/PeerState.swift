import ClusterModel

/// What is known of one peer.
struct PeerState: Sendable {
    /// Its links.
    var links: [LinkState]
    /// When the best of them is chosen again.
    var nextChoice: Instant = .zero
    /// The session that was proven alive, if any.
    var current: Current?
    /// No session of a lower incarnation is accepted.
    var knownIncarnation: Incarnation = 0
    /// What the peer must echo.
    var challenge: Challenge?
    /// When it is greeted next, unless it is in session and heard.
    var nextHello: Instant = .zero
    /// What it offered last, while there is no level in common with it.
    var foreignLevels: LevelOffer?
    /// When the last alarm about it was raised.
    var lastAlarm: Instant?
    /// Answers to its greetings.
    var answers = RateLimit(perSecond: TransportLimit.answersPerSecond)
    /// Keys derived for sessions that it does not have yet.
    var derivations = RateLimit(perSecond: TransportLimit.derivationsPerSecond)
    /// Large messages to it.
    var queue = PartQueue()
    /// Answers to its probes.
    var probeAnswers = RateLimit(perSecond: TransportLimit.probeAnswersPerSecond)

    /// A session of a peer.
    struct Current: Sendable {
        var incarnation: Incarnation
        var session: SessionID
        /// The level that both speak.
        var level: UInt8
        /// The peer has shown that it accepts this node's session.
        var confirmed = false
        var window = ReplayWindow()
        /// When it was heard last.
        var heard: Instant
        /// The link that everything but heartbeats goes over.
        var link: Int
        /// The number of the last urgent message to it.
        var sentNumber: UInt32 = 0
        /// The urgent messages that came, on whichever link.
        var urgent = RecentNumbers()
        /// Messages in parts, by class.
        var assemblies: [Reassembly] = Array(repeating: Reassembly(), count: MessageClass.allCases.count)
    }

    struct Challenge: Sendable {
        var value: Random128
        var made: Instant
    }

    init(links: [LinkState] = []) { self.links = links }

    /// Which link an address is.
    func link(at endpoint: Endpoint) -> Int? { links.firstIndex { $0.endpoint == endpoint } }

    /// Whether the peer has to be greeted: until both sides are in session, and again when it falls silent.
    func helloDue() -> Instant {
        guard let current, current.confirmed else { return nextHello }
        return max(nextHello, current.heard + TransportLimit.silence)
    }

    /// The earliest moment at which something has to be done.
    func deadline(linkSilence: Duration) -> Instant {
        var earliest = helloDue()
        if let queue = queue.deadline { earliest = min(earliest, queue) }
        if let current {
            earliest = min(earliest, nextChoice)
            for link in links {
                earliest = min(earliest, link.path.deadline)
                if link.isUp { earliest = min(earliest, (link.heard ?? .zero) + linkSilence) }
            }
            for assembly in current.assemblies {
                if let deadline = assembly.deadline { earliest = min(earliest, deadline) }
            }
        }
        return earliest
    }
}
