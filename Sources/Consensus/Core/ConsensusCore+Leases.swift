public import ClusterModel

/// This node's own lease.
struct LeaseState: Sendable {
    /// Nothing runs here that the leader does not know of, so a lease may be held.
    var isEligible = false
    var end: Instant?
    var term: Term = 0
}

extension ConsensusCore {
    /// Leader: the instant on its own clock from which a node's lease is certainly over, whichever leader granted it
    /// and however wrong both clocks run.
    ///
    /// The caller adds the grace.
    ///
    /// On a node that does not lead the answer means nothing: another leader may be granting leases. A leader that was
    /// deposed without knowing it is such a node, so what is decided by this answer takes effect only once a command
    /// that was proposed after asking is committed.
    public func leaseOver(of node: NodeID) -> Instant {
        // Before its first entry is committed a leader does not know all that earlier leaders did, their times included.
        guard let leadership, leadership.grantsLeases else {
            return max(leadership?.earlierLeasesOver ?? clock, clock + leaseCeiling)
        }
        let earlier = leadership.earlierLeasesOver
        if node == id { return max(earlier, lease.end ?? earlier) }
        guard let slot = slot(of: node), let granted = records[slot].grantedUntil else { return earlier }
        return max(earlier, granted)
    }

    /// The end of the leader's own hold on its quorum: L after the sending of what the last needed voter acknowledged.
    ///
    /// No election can have been won before it without its winner knowing that it must wait.
    ///
    /// Inlined, as what it uses: a call would take a copy of the core, and this is asked several times of every message.
    @inline(__always)
    var quorumLeaseEnd: Instant? { Self.leaseEnd(by: .decide, quorum, records, lastBeat, timing.lease) }

    /// The same for half of the voters, which renews leases (RULE 4.3-a).
    @inline(__always)
    var heldLeaseEnd: Instant? { Self.leaseEnd(by: .renew, quorum, records, lastBeat, timing.lease) }

    @inline(__always)
    private var lastBeat: Instant? { leadership?.lastBeat ?? holding?.lastBeat }

    private static func leaseEnd(
        by rule: Quorum.Rule,
        _ quorum: Quorum,
        _ records: [PeerRecord],
        _ lastBeat: Instant?,
        _ length: Duration
    ) -> Instant? {
        guard let lastBeat else { return nil }
        switch quorum.reached(rule, records, { $0.acknowledgedSend }) {
        case .alone: return lastBeat + length
        case .through(let sent): return sent + length
        case .never: return nil
        }
    }

    /// A voter acknowledged a message that this leader sent at `echo`.
    mutating func acknowledged(_ echo: ClockEcho, by slot: Int, measuresRoundTrip: Bool) {
        guard let since = leadership?.since ?? holding?.since,
            let counted = leadership?.acknowledgedFrom ?? holding?.since
        else { return }
        var sent = Instant(echo: echo)
        // Only what this leader itself sent in this term can come back.
        guard sent >= since, sent <= clock else { return }
        if measuresRoundTrip { records[slot].roundTrip = clock - sent }
        records[slot].answeredSend = max(sent, records[slot].answeredSend ?? sent)
        guard counts(at: slot) else { return }
        records[slot].lastAcknowledgement = clock
        // The first must answer a heartbeat: that is where the voter learns for how long it has to promise.
        guard sent >= counted, measuresRoundTrip || records[slot].acknowledgedSend != nil else {
            return
        }
        if faults.leaderLeaseFromReceipt { sent = clock }
        guard sent > records[slot].acknowledgedSend ?? since - .nanoseconds(1) else { return }
        let held = heldLeaseEnd.map { $0 > clock } ?? false
        records[slot].acknowledgedSend = sent
        guard leadership != nil else { return }
        reviewQuorum()
        renewOwnLeaseAsLeader()
        if !held { grantWaiting() }
    }

    /// Answers the heartbeats that came while this leader could not grant anything yet; each keeps its own anchor.
    mutating func grantWaiting() {
        for slot in records.indices {
            if let said = records[slot].said { grantLease(for: said, to: slot) }
        }
    }

    /// The leader's node runs resources under the same lease that bounds what it grants.
    mutating func renewOwnLeaseAsLeader() {
        guard let leadership, leadership.grantsLeases, !own.denied.contains(id), let end = heldLeaseEnd else {
            return
        }
        renewLease(until: end, term: currentTerm)
    }

    /// Answers a follower's heartbeat: the answer is its lease, bounded by what is left of the leader's own.
    mutating func grantLease(for heartbeat: Heartbeat, to slot: Int) {
        guard let leadership, leadership.grantsLeases, heartbeat.term == currentTerm, heartbeat.wantsLease,
            !heartbeat.hasLeft, heartbeat.sentAt > records[slot].answered
        else { return }
        guard !own.denied.contains(records[slot].id), let end = heldLeaseEnd else { return }
        grant(end - clock, for: heartbeat, to: slot)
    }

    /// Answers a heartbeat by what is left of the own lease, and remembers until when the peer may hold it.
    mutating func grant(_ remaining: Duration, for heartbeat: Heartbeat, to slot: Int) {
        // One that does not hear this node will not hear the answer either, and a lease that nobody holds would only keep
        // others from recovering what it had.
        guard remaining > .zero, heartbeat.hears.contains(id) else { return }
        let over = clock + timing.stretched(min(timing.lease, remaining))
        records[slot].grantedUntil = max(records[slot].grantedUntil ?? over, over)
        records[slot].answered = heartbeat.sentAt
        var ack = HeartbeatAck(term: currentTerm, echo: heartbeat.sentAt, remaining: UInt64(remaining.nanoseconds))
        ack.isOfHolder = leadership == nil
        send(.heartbeatAck(ack), to: records[slot].id)
    }

    /// A leader answered this node's heartbeat.
    mutating func takeLease(_ ack: HeartbeatAck, from slot: Int) {
        if let end = leaseEnd(of: ack, from: slot) { renewLease(until: end, term: currentTerm) }
    }

    /// Until when an answer lets this node hold its lease: counted from its own sending, never from the receipt.
    mutating func leaseEnd(of ack: HeartbeatAck, from slot: Int) -> Instant? {
        guard lease.isEligible, takesPart, ack.remaining > 0 else { return nil }
        let sent = Instant(echo: ack.echo)
        guard sent >= startedAt, sent <= clock else { return nil }
        records[slot].roundTrip = clock - sent
        let anchor = faults.followerLeaseFromReceipt ? clock : sent
        var length = min(timing.lease, .nanoseconds(Int64(clamping: ack.remaining)))
        if faults.ignoreLeaderRemainder { length = timing.lease }
        return anchor + length
    }

    mutating func renewLease(until end: Instant, term: Term) {
        guard lease.isEligible, takesPart, end > clock else { return }
        lease.term = term
        if let current = lease.end, current >= end { return }
        lease.end = end
        emit(.leaseChanged(end))
    }

    mutating func endLease() {
        guard lease.end != nil else { return }
        lease.end = nil
        emit(.leaseChanged(nil))
    }

    mutating func setLeaseEligible(_ eligible: Bool) {
        guard eligible != lease.isEligible else { return }
        lease.isEligible = eligible
        guard eligible else {
            endLease()
            return
        }
        if currentRole == .leader {
            renewOwnLeaseAsLeader()
        } else if let leader = currentLeader {
            sendHeartbeat(to: leader)
        }
    }

    /// q of the lease rule: how long ago this voter last acknowledged a leader, or, if it has not since it started,
    /// how long it has been running.
    ///
    /// A leader acknowledges itself until it is deposed.
    var sinceAcknowledgement: Duration {
        if faults.forgetAcknowledgements { return .seconds(3600) }
        if holding != nil { return .zero }
        if let last = election.lastAcknowledgement { return clock - last }
        return faults.forgetUptime ? .seconds(3600) : clock - startedAt
    }
}
