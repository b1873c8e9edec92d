import ClusterModel

extension ConsensusCore {
    /// Tells every peer how this node is; renews what the peers know and, from a leader, asks for its lease.
    mutating func sendHeartbeats() {
        // Keeps the rhythm, unless this round is out of it or comes a whole interval late.
        let next = heartbeatDue + timing.heartbeatInterval
        heartbeatDue = heartbeatDue <= clock && next > clock ? next : clock + timing.heartbeatInterval
        if currentRole == .leader {
            leadership?.lastBeat = clock
            renewOwnLeaseAsLeader()
        }
        if holding != nil {
            holding?.lastBeat = clock
            renewOwnLeaseAsHolder()
        }
        let message = Message.heartbeat(makeHeartbeat())
        outbox.sendNow.reserveCapacity(outbox.sendNow.count + records.count)
        for slot in records.indices { send(message, to: records[slot].id) }
    }

    /// Tells one peer at once, outside of the rhythm.
    mutating func sendHeartbeat(to peer: NodeID) { send(.heartbeat(makeHeartbeat()), to: peer) }

    private func makeHeartbeat() -> Heartbeat {
        var heartbeat = Heartbeat(
            incarnation: incarnation,
            term: currentTerm,
            leader: currentLeader,
            last: log.last,
            commitIndex: committed,
            configurationDigest: own.configurationDigest,
            sentAt: clock.echo
        )
        heartbeat.hears = hears
        heartbeat.reaches = reaches
        heartbeat.holdsLease = lease.end.map { $0 > clock } ?? false
        heartbeat.wantsLease = lease.isEligible && takesPart
        heartbeat.hasLeft = own.leftAt != nil
        heartbeat.isHolder = holding != nil
        heartbeat.isNewcomer = isNewcomer
        heartbeat.deaths = deaths
        heartbeat.lostAfter = timing.lostAfter
        heartbeat.promise = timing.electionTimeout
        heartbeat.branch = branch
        heartbeat.changes = claimedChanges
        heartbeat.meets = metBranch
        heartbeat.gaveWay = claimedGaveWay
        return heartbeat
    }

    /// Whom this node hears and is heard by, itself included.
    var reaches: NodeSet {
        var result = NodeSet()
        result.insert(id)
        for slot in records.indices where records[slot].isHeard {
            if records[slot].said?.hears.contains(id) == true { result.insert(records[slot].id) }
        }
        return result
    }

    mutating func receive(_ heartbeat: Heartbeat, from slot: Int) {
        guard accepts(heartbeat, from: slot) else {
            if heartbeat.hasLeft, heartbeat.incarnation == records[slot].incarnation { peerLeft(heartbeat, slot: slot) }
            return
        }
        let didCount = counts(at: slot)
        records[slot].said = heartbeat
        if !heartbeat.hears.isEmpty {
            records[slot].deafSince = nil
        } else if records[slot].deafSince == nil {
            records[slot].deafSince = clock
        }
        heard(slot)
        if isForeign(records[slot]) { return meet(heartbeat, from: slot) }
        if heartbeat.deaths != deaths { learn(heartbeat.deaths) }
        let peer = records[slot].id
        if heartbeat.hasLeft {
            peerLeft(heartbeat, slot: slot)
            leaderGone(peer)
            return
        }
        if heartbeat.leader == peer {
            heardLeader(heartbeat, from: slot)
        } else {
            if currentLeader == peer, heartbeat.term >= currentTerm { leaderGone(peer) }
            noticeHigherTerm(heartbeat.term)
            if heartbeat.isHolder { heardHolder(heartbeat, from: slot) }
        }
        if currentRole == .leader {
            grantLease(for: heartbeat, to: slot)
            if !didCount, counts(at: slot) { advanceCommit() }
        }
        if holding != nil { grantAsHolder(for: heartbeat, to: slot) }
    }

    /// Drops what is of an older incarnation, late, or a copy; learns a new incarnation.
    private mutating func accepts(_ heartbeat: Heartbeat, from slot: Int) -> Bool {
        if heartbeat.incarnation < records[slot].incarnation { return false }
        if heartbeat.incarnation > records[slot].incarnation {
            sessionBegan(records[slot].id, heartbeat.incarnation)
        }
        guard let said = records[slot].said else { return true }
        return heartbeat.sentAt > said.sentAt && !said.hasLeft
    }

    private mutating func heardLeader(_ heartbeat: Heartbeat, from slot: Int) {
        guard heartbeat.term >= currentTerm, takesPart else { return }
        let peer = records[slot].id
        guard follow(peer, term: heartbeat.term), takesPart else { return }
        acknowledgeLeader(peer)
        send(.heartbeatAck(HeartbeatAck(term: currentTerm, echo: heartbeat.sentAt, remaining: 0)), to: peer)
        advanceCommit(toLeaders: heartbeat.commitIndex)
    }

    /// A later term than this node's exists, but nobody who leads in it speaks.
    ///
    /// A leader or candidate cannot win in
    /// its own term any more; the others wait for whoever stands.
    mutating func noticeHigherTerm(_ term: Term) {
        guard term > currentTerm, currentRole != .preCandidate else { return }
        if currentRole == .follower, currentLeader != nil { return }
        let led = currentRole == .leader
        becomeFollower(term: term, leader: nil)
        // The others still follow this node's old term, and they let it stand again without waiting.
        if led { election.deadline = clock + jitter() }
    }

    mutating func receive(_ ack: HeartbeatAck, from slot: Int) {
        if own.leftAt != nil {
            departureHeard(ack, by: slot)
            return
        }
        if ack.isOfHolder {
            if holding != nil { holderAcknowledged(ack, by: slot) } else { takeLeaseOfHolder(ack, from: slot) }
            return
        }
        if ack.term > currentTerm {
            noticeHigherTerm(ack.term)
            return
        }
        guard ack.term == currentTerm else { return }
        if currentRole == .leader {
            acknowledged(ack.echo, by: slot, measuresRoundTrip: true)
        } else if currentLeader == records[slot].id {
            takeLease(ack, from: slot)
        }
    }

    // MARK: Failure detection

    /// A message of the peer's present session came.
    mutating func heard(_ slot: Int) {
        records[slot].detector.heard(now: clock)
        updateState(slot)
    }

    /// Derives a peer's state from its silence and from what it said last, and tells when it changed.
    mutating func updateState(_ slot: Int) {
        var wasLost = false
        if case .lost = records[slot].state { wasLost = true }
        guard records[slot].updateState(now: clock, timing: timing, branch: branch) else { return }
        if wasLost { own.togetherSince = clock }
        let peer = records[slot].id
        emit(.peer(peer, records[slot].state))
        if records[slot].isLost { successorGone(peer) }
    }

    mutating func sessionBegan(_ peer: NodeID, _ incarnation: Incarnation) {
        guard let slot = slot(of: peer), incarnation > records[slot].incarnation else { return }
        let isFirst = records[slot].incarnation == 0
        records[slot].restart(incarnation, now: clock)
        if !isFirst {
            emit(.peerRestarted(peer, incarnation))
            successorGone(peer)
            leaderGone(peer)
        }
        if currentRole == .leader { records[slot].progress.next = log.last.index + 1 }
        updateState(slot)
    }

    mutating func stalled(_ time: Duration) {
        guard time > .zero else { return }
        for slot in records.indices {
            records[slot].detector.stalled(time, now: clock)
            records[slot].lastAcknowledgement = min(records[slot].lastAcknowledgement + time, clock)
        }
        election.deadline = election.deadline + time
        if faults.compensateLeases, let end = lease.end {
            lease.end = end + time
            emit(.leaseChanged(lease.end))
        }
    }
}

extension Instant {
    /// The reading as messages carry it.
    var echo: ClockEcho { UInt64(bitPattern: nanoseconds) }

    /// A reading that came back.
    init(echo: ClockEcho) { self.init(nanoseconds: Int64(bitPattern: echo)) }
}
