import ClusterModel

/// Leases that were granted under times which hold no more.
struct FormerLeases: Hashable, Sendable {
    /// How long one of them may last, by any clock.
    var ceiling: Duration
    /// When none is left.
    var until: Instant

    init(_ timing: ConsensusTiming, now: Instant) {
        ceiling = timing.leaseCeiling
        until = now + timing.leaseCeiling
    }

    /// These and others that may be left as well.
    func and(_ other: FormerLeases?) -> FormerLeases {
        guard let other else { return self }
        var both = self
        both.ceiling = max(ceiling, other.ceiling)
        both.until = max(until, other.until)
        return both
    }
}

/// Changing the profile while the cluster runs.
///
/// Nodes apply the change one after the other, and a lease rests on the promises of other nodes, so each of them must be
/// right whichever times the others have:
/// - A promise is as long as the leader asks for (`Heartbeat.promise`) or as the voter's own times say, whichever is
///   longer, and no later promise to the same leader makes it end sooner. So no voter uses a shorter election time-out
///   than the lease of the leader that it answers.
/// - A leader whose lease becomes longer counts only answers to heartbeats that asked for the longer promise.
/// - A new leader takes no lease for ended before it has applied all that earlier leaders may have; then it waits for the
///   longest lease that may be left, of the present times and of those before the last change. A second change has to
///   wait until none of the latter is left.
/// - A peer is lost by this node's own time or by the one that the peer itself states, whichever is longer.
extension ConsensusCore {
    /// Whether no lease of the times before the last change can be left; the profile is not to be changed before.
    public var isTimingSettled: Bool { formerLeases.map { $0.until <= clock } ?? true }

    /// The longest lease, as another clock may measure it, that may be left of an earlier leader.
    var leaseCeiling: Duration {
        guard let formerLeases, formerLeases.until > clock else { return timing.leaseCeiling }
        return max(timing.leaseCeiling, formerLeases.ceiling)
    }

    mutating func setTiming(_ new: ConsensusTiming, former: ConsensusTiming?) {
        precondition(new.violation() == nil, "the times fit each other")
        // A node that applies several changes at once has not seen the ones in between.
        for earlier in [timing, former].compactMap(\.self) where earlier.leaseCeiling > new.leaseCeiling {
            formerLeases = FormerLeases(earlier, now: clock).and(formerLeases)
        }
        // What voters promised a holder was for its own times.
        endHolding()
        let old = timing
        timing = new
        for slot in records.indices {
            // What was acknowledged before promised less than a longer lease needs.
            if new.lease > old.lease { records[slot].acknowledgedSend = nil }
            // An answer is expected by the new times only to what is sent by them.
            records[slot].lastAcknowledgement = clock
        }
        if let leadership {
            // A heartbeat of this very instant may have been sent before.
            if new.lease > old.lease { self.leadership?.acknowledgedFrom = clock + .nanoseconds(1) }
            // An earlier leader may have applied this change before this one did.
            let over = leadership.since + leaseCeiling - leadership.leastSinceAcknowledgement
            self.leadership?.earlierLeasesOver = max(leadership.earlierLeasesOver, over)
        }
        if currentRole == .follower { restartElectionTimer() }
        heartbeatDue = clock + .nanoseconds(1)
    }
}
