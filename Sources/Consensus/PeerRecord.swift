import ClusterModel

/// What a node keeps of another voter.
struct PeerRecord: Sendable {
    let id: NodeID
    var incarnation: Incarnation = 0
    var detector: FailureDetector
    var state = PeerState.suspect
    /// `said`, or silence, and which of both: a look at one field then reads that field, where an optional would be copied
    /// as a whole first.
    private var newest = Heartbeat.silence
    private var hasSpoken = false
    var roundTrip: Duration?
    /// Since when this incarnation says that it hears nobody; nil while it hears somebody.
    var deafSince: Instant?

    // The rest means something only while this node leads.

    /// When the newest message that this peer has acknowledged was sent: the anchor of the leader's lease.
    var acknowledgedSend: Instant?
    /// The same, whether its word counts for a lease or not: how lately it answered.
    var answeredSend: Instant?
    /// When it last acknowledged anything; a stall shifts it, for it only decides when the leader gives up.
    var lastAcknowledgement: Instant
    /// Until when, on this node's clock, the peer may hold a lease that this node granted.
    var grantedUntil: Instant?
    /// `sentAt` of the newest heartbeat of this peer's that was answered by a lease.
    var answered: ClockEcho = 0
    var progress = Progress()

    init(id: NodeID, now: Instant) {
        self.id = id
        detector = FailureDetector(now: now)
        lastAcknowledgement = now
    }

    /// The newest heartbeat of this incarnation.
    var said: Heartbeat? {
        get { hasSpoken ? newest : nil }
        set {
            hasSpoken = newValue != nil
            newest = newValue ?? .silence
        }
    }

    /// The peer runs as a new incarnation: nothing that the old one said holds.
    mutating func restart(_ incarnation: Incarnation, now: Instant) {
        self.incarnation = incarnation
        detector = FailureDetector(now: now)
        said = nil
        deafSince = nil
        roundTrip = nil
        acknowledgedSend = nil
        answeredSend = nil
        answered = 0
        progress = Progress()
    }

    /// How long it may be silent: as long as this node's own times say, and at least as long as its own times say, for
    /// while a profile changes some nodes have the new one sooner than others.
    func silenceLimits(_ timing: ConsensusTiming) -> SilenceLimits {
        SilenceLimits(timing, stated: newest.lostAfter)
    }

    /// What the peer says of its own limit; zero before its first heartbeat.
    var statedLimit: Duration { newest.lostAfter }

    /// Whether its session belongs to another branch.
    func isForeign(to branch: BranchMark) -> Bool { hasSpoken && newest.branch.id != branch.id }

    /// Derives its state from its silence and from what it said last.
    ///
    /// - Returns: Whether it changed.
    mutating func updateState(now: Instant, timing: ConsensusTiming, branch: BranchMark) -> Bool {
        let derived: PeerState
        if newest.hasLeft {
            derived = .left
        } else {
            let verdict = detector.verdict(now: now, limits: silenceLimits(timing))
            switch isForeign(to: branch) ? .lost : verdict {
            case .alive: derived = .alive(holdsLease: newest.holdsLease)
            case .suspect: derived = .suspect
            case .lost:
                if case .lost = state { return false }
                derived = .lost(since: now)
            }
        }
        guard derived != state else { return false }
        state = derived
        return true
    }

    var isHeard: Bool { detector.lastHeard != nil && !isLost }

    var isLost: Bool {
        switch state {
        case .lost, .left: true
        case .alive, .suspect: false
        }
    }

    var lastPosition: LogPosition {
        LogPosition(index: newest.lastIndex, term: newest.lastTerm)
    }
}

/// How long one peer may be silent.
struct SilenceLimits: Hashable, Sendable {
    var suspectAfter: Duration
    var lostAfter: Duration

    /// As long as this node's own times say, or as the peer says if that is longer.
    init(_ timing: ConsensusTiming, stated: Duration) {
        // Nearly always; a division of a duration is not cheap, and this is asked of every peer at every message.
        let isOwn = stated <= timing.lostAfter
        suspectAfter = isOwn ? timing.suspectAfter : max(timing.suspectAfter, stated / 2)
        lostAfter = isOwn ? timing.lostAfter : stated
    }
}

/// Silence of one peer, judged in three steps.
///
/// Fixed limits, no adaptive estimate: on the networks that this is for, delay varies far less than the limits, and an
/// operator can say in advance when a node counts as lost. Silence is counted only while this process itself ran.
struct FailureDetector: Sendable {
    /// When it was last heard; nil before the first time.
    private(set) var lastHeard: Instant?
    /// From when silence counts: the last contact, or the start, moved on by every stall.
    private(set) var silentSince: Instant

    enum Verdict {
        case alive
        case suspect
        case lost
    }

    init(now: Instant) { silentSince = now }

    mutating func heard(now: Instant) {
        lastHeard = now
        silentSince = now
    }

    mutating func stalled(_ time: Duration, now: Instant) { silentSince = min(silentSince + time, now) }

    func verdict(now: Instant, limits: SilenceLimits) -> Verdict {
        let silence = now - silentSince
        if silence >= limits.lostAfter { return .lost }
        return silence >= limits.suspectAfter || lastHeard == nil ? .suspect : .alive
    }
}

/// How far a follower's log is known to agree with the leader's.
struct Progress: Sendable {
    /// Everything up to here is durable at the follower.
    var match: LogIndex = 0
    /// The next entry to send.
    var next: LogIndex = 1
    /// Whether `next` is known to be right, so that messages may follow each other without waiting.
    var isReplicating = false
    /// Messages sent behind `match` and not answered.
    var inFlight = 0
    /// When to send again what was not answered; nil when nothing is owed.
    var retryAt: Instant?
    /// How long to wait before that; grows while nothing comes back.
    var retryAfter: Duration = .zero
    /// Bytes of the snapshot that the follower has; nil when it needs none.
    var snapshotOffset: Int?
    /// The snapshot that `snapshotOffset` counts in.
    var snapshotIndex: LogIndex = 0

    /// How many messages may be on their way.
    var window: Int { isReplicating ? ConsensusLimits.appendsInFlight : 1 }
}
