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
    var quorumLeaseEnd: Instant? {
        guard let leadership else { return nil }
        if quorum.needed == 1 { return leadership.lastBeat + timing.lease }
        return quorum.reached(records) { $0.acknowledgedSend }.map { $0 + timing.lease }
    }

    /// A voter acknowledged a message that this leader sent at `echo`.
    mutating func acknowledged(_ echo: ClockEcho, by slot: Int, measuresRoundTrip: Bool) {
        guard let leadership else { return }
        var sent = Instant(echo: echo)
        // Only what this leader itself sent in this term can come back.
        guard sent >= leadership.since, sent <= clock else { return }
        if measuresRoundTrip { records[slot].roundTrip = clock - sent }
        records[slot].lastAcknowledgement = clock
        // The first must answer a heartbeat: that is where the voter learns for how long it has to promise.
        guard sent >= leadership.acknowledgedFrom, measuresRoundTrip || records[slot].acknowledgedSend != nil else {
            return
        }
        if faults.leaderLeaseFromReceipt { sent = clock }
        guard sent > records[slot].acknowledgedSend ?? leadership.since - .nanoseconds(1) else { return }
        let heldQuorum = quorumLeaseEnd.map { $0 > clock } ?? false
        records[slot].acknowledgedSend = sent
        renewOwnLeaseAsLeader()
        if !heldQuorum { grantWaiting() }
    }

    /// Answers the heartbeats that came while this leader could not grant anything yet; each keeps its own anchor.
    mutating func grantWaiting() {
        for slot in records.indices {
            if let said = records[slot].said { grantLease(for: said, to: slot) }
        }
    }

    /// The leader's node runs resources under the same lease that bounds what it grants.
    mutating func renewOwnLeaseAsLeader() {
        guard let leadership, leadership.grantsLeases, !own.denied.contains(id), let end = quorumLeaseEnd else {
            return
        }
        renewLease(until: end)
    }

    /// Answers a follower's heartbeat: the answer is its lease, bounded by what is left of the leader's own.
    mutating func grantLease(for heartbeat: Heartbeat, to slot: Int) {
        guard let leadership, leadership.grantsLeases, heartbeat.term == currentTerm, heartbeat.wantsLease,
            !heartbeat.hasLeft, heartbeat.sentAt > records[slot].answered
        else { return }
        guard !own.denied.contains(records[slot].id), let end = quorumLeaseEnd else { return }
        let remaining = end - clock
        guard remaining > .zero else { return }
        let over = clock + timing.stretched(min(timing.lease, remaining))
        records[slot].grantedUntil = max(records[slot].grantedUntil ?? over, over)
        records[slot].answered = heartbeat.sentAt
        let ack = HeartbeatAck(
            term: currentTerm,
            echo: heartbeat.sentAt,
            remaining: UInt64(remaining.nanoseconds)
        )
        send(.heartbeatAck(ack), to: records[slot].id)
    }

    /// A leader answered this node's heartbeat.
    mutating func takeLease(_ ack: HeartbeatAck, from slot: Int) {
        guard lease.isEligible, takesPart, ack.remaining > 0 else { return }
        let sent = Instant(echo: ack.echo)
        guard sent >= startedAt, sent <= clock else { return }
        records[slot].roundTrip = clock - sent
        let anchor = faults.followerLeaseFromReceipt ? clock : sent
        var length = min(timing.lease, .nanoseconds(Int64(clamping: ack.remaining)))
        if faults.ignoreLeaderRemainder { length = timing.lease }
        renewLease(until: anchor + length)
    }

    private mutating func renewLease(until end: Instant) {
        guard lease.isEligible, takesPart, end > clock else { return }
        lease.term = currentTerm
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
        if let last = election.lastAcknowledgement { return clock - last }
        return faults.forgetUptime ? .seconds(3600) : clock - startedAt
    }
}
