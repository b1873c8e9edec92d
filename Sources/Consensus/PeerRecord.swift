import ClusterModel

/// What a node keeps of another voter.
struct PeerRecord: Sendable {
    let id: NodeID
    var incarnation: Incarnation = 0
    var detector: FailureDetector
    var state = PeerState.suspect
    /// A flag beside the heartbeat in place of an optional: a look at one field then reads that field, where an optional
    /// would be copied as a whole first.
    private var hasSpoken = false
    private var newest = Heartbeat.silence
    var roundTrip: Duration?

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
            if let newValue { newest = newValue }
        }
    }

    /// The peer runs as a new incarnation: nothing that the old one said holds.
    mutating func restart(_ incarnation: Incarnation, now: Instant) {
        self.incarnation = incarnation
        detector = FailureDetector(now: now)
        said = nil
        roundTrip = nil
        acknowledgedSend = nil
        answeredSend = nil
        answered = 0
        progress = Progress()
    }

    /// How long it may be silent: as long as this node's own times say, and at least as long as its own times say, for
    /// while a profile changes some nodes have the new one sooner than others.
    @inline(__always)
    func silenceLimits(_ timing: ConsensusTiming) -> SilenceLimits {
        let stated = hasSpoken ? newest.lostAfter : .zero
        // Nearly always; a division of a duration is not cheap, and this is asked of every peer at every message.
        guard stated > timing.lostAfter else {
            return SilenceLimits(suspectAfter: timing.suspectAfter, lostAfter: timing.lostAfter)
        }
        return SilenceLimits(suspectAfter: max(timing.suspectAfter, stated / 2), lostAfter: stated)
    }

    /// Whether its session belongs to another branch.
    func isForeign(to branch: BranchMark) -> Bool { hasSpoken && newest.branch.id != branch.id }

    /// Derives its state from its silence and from what it said last.
    ///
    /// - Returns: Whether it changed.
    mutating func updateState(now: Instant, timing: ConsensusTiming, branch: BranchMark) -> Bool {
        let derived: PeerState
        if hasSpoken, newest.hasLeft {
            derived = .left
        } else {
            let verdict = detector.verdict(now: now, limits: silenceLimits(timing))
            switch isForeign(to: branch) ? .lost : verdict {
            case .alive: derived = .alive(holdsLease: hasSpoken && newest.holdsLease)
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

    /// When its state gets worse by itself; nil when it cannot.
    ///
    /// Inlined, like the limits: a call would take a copy of the record.
    @inline(__always)
    func nextChange(_ timing: ConsensusTiming) -> Instant? {
        switch state {
        case .alive: detector.nextChange(after: .alive, limits: silenceLimits(timing))
        case .suspect: detector.nextChange(after: .suspect, limits: silenceLimits(timing))
        case .lost, .left: nil
        }
    }

    var isHeard: Bool { detector.lastHeard != nil && !isLost }

    var isLost: Bool {
        switch state {
        case .lost, .left: true
        case .alive, .suspect: false
        }
    }

    var lastPosition: LogPosition {
        hasSpoken ? LogPosition(index: newest.lastIndex, term: newest.lastTerm) : LogPosition(index: 0, term: 0)
    }
}

/// How long one peer may be silent.
struct SilenceLimits: Hashable, Sendable {
    var suspectAfter: Duration
    var lostAfter: Duration
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

    /// When the verdict gets worse by itself; nil when it cannot.
    func nextChange(after verdict: Verdict, limits: SilenceLimits) -> Instant? {
        switch verdict {
        case .alive: silentSince + limits.suspectAfter
        case .suspect: silentSince + limits.lostAfter
        case .lost: nil
        }
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
