import ClusterModel

/// What a node keeps while it holds half of the voters.
struct HoldingState: Sendable {
    /// When the pre-votes of the whole half were there.
    let since: Instant
    /// When the newest round of heartbeats was sent.
    var lastBeat: Instant
    /// From when on it may ask for the other half to be powered off.
    let fenceAfter: Instant
}

/// Half of a voter set (RULE 4.3-a): it renews the leases of what runs, orders nothing, and asks for the other half to be
/// powered off, because with that proof it decides.
///
/// A leader that half of the voters still answers stays leader for this. A half that has no leader chooses a holder by
/// pre-vote; its voters promise a holder what they promise a leader. Any other quorum holds one of these voters or has
/// proven them all dead.
extension ConsensusCore {
    /// How long the half with the leader is left alone with the power switches; twice that for the half that does not
    /// hold the lowest node either.
    static let fenceStagger = Duration.seconds(2)

    /// How long a voter that is heard has to hear nobody until the other half may shoot it: longer than an agent takes from
    /// its first heartbeat to the first that it hears, and shorter than a deaf node, which believes everybody dead, waits
    /// before it shoots a leader.
    static let deafnessBeforeFence = Duration.milliseconds(1500)

    // MARK: Quorum of a leader

    /// Notices that a quorum answers, or does not any more.
    ///
    /// Whoever answered again may have let a holder renew leases meanwhile: what this leader knew of leases is void, and
    /// it waits as after an election (RULE 4.3-c). Before the first quorum that is so only while leases of earlier leaders
    /// are left, for nobody renews one that has ended.
    mutating func reviewQuorum() {
        guard currentRole == .leader, let leadership else { return }
        let holds = !isMeeting && quorumLeaseEnd.map { $0 > clock } ?? false
        guard holds != leadership.isQuorate else { return }
        self.leadership?.isQuorate = holds
        if holds {
            let hadLapsed = leadership.wasQuorate || leadership.earlierLeasesOver > leadership.since
            if hadLapsed, !faults.forgetLapse {
                let over = max(leadership.earlierLeasesOver, clock + leaseCeiling)
                self.leadership?.earlierLeasesOver = over
            }
            self.leadership?.wasQuorate = true
        }
        emit(.quorum(holds))
        reviewFenceNeed()
    }

    // MARK: Holder

    /// Takes the leases of its half over once the whole half would vote for this node.
    mutating func considerHolding() {
        guard holding == nil, currentRole == .preCandidate, quorum.isHeld(by: election.votes), !isOutreached else {
            return
        }
        for slot in records.indices {
            records[slot].acknowledgedSend = nil
            records[slot].lastAcknowledgement = clock
        }
        let hasLowest = quorum.sets.allSatisfy { $0.voters.first.map { election.votes.contains($0.node) } ?? true }
        let stagger = hasLowest ? Self.fenceStagger : Self.fenceStagger * 2
        holding = HoldingState(since: clock, lastBeat: clock, fenceAfter: clock + stagger)
        sendHeartbeats()
    }

    /// Whether somebody of this half reaches more than half of the voters: it can be elected, and a promise to a holder
    /// would only keep it from standing.
    var isOutreached: Bool {
        records.contains { record in
            guard election.votes.contains(record.id), record.isHeard, let reaches = record.said?.reaches else {
                return false
            }
            return quorum.sets.allSatisfy { reaches.intersection($0.nodes).count * 2 > $0.count }
        }
    }

    /// A holder acknowledges itself until it ends, so its own leases bind its next vote.
    mutating func endHolding() {
        guard holding != nil else { return }
        election.lastAcknowledgement = clock
        holding = nil
        reviewFenceNeed()
    }

    /// When a holder gives up because its half does not answer; nil when it holds nothing or needs nobody.
    var holdingDeadline: Instant? { holding == nil ? nil : answersEnd }

    /// A voter of the half says that it promised.
    mutating func holderAcknowledged(_ ack: HeartbeatAck, by slot: Int) {
        acknowledged(ack.echo, by: slot, measuresRoundTrip: true)
        renewOwnLeaseAsHolder()
        if let said = records[slot].said { grantAsHolder(for: said, to: slot) }
    }

    /// Prolongs the holder's own lease, if it holds one.
    mutating func renewOwnLeaseAsHolder() {
        guard holding != nil, !own.denied.contains(id), let end = heldLeaseEnd else { return }
        guard let current = lease.end, current > clock else { return }
        renewLease(until: end, term: lease.term)
    }

    /// Prolongs a lease that its node still holds and that nobody else renews.
    mutating func grantAsHolder(for heartbeat: Heartbeat, to slot: Int) {
        guard holding != nil, heartbeat.holdsLease, heartbeat.wantsLease, heartbeat.leader == nil, !heartbeat.hasLeft,
            heartbeat.sentAt > records[slot].answered, !own.denied.contains(records[slot].id),
            let end = heldLeaseEnd
        else { return }
        grant(end - clock, for: heartbeat, to: slot)
    }

    // MARK: The rest of the half

    /// Promises a holder what a leader is promised.
    ///
    /// Only to one for which this node would vote: whoever has the longer log must be free to stand.
    mutating func heardHolder(_ heartbeat: Heartbeat, from slot: Int) {
        let peer = records[slot].id
        guard takesPart, !abstains, currentLeader == nil, promiseLeft(against: peer) == .zero,
            LogPosition(index: heartbeat.lastIndex, term: heartbeat.lastTerm) >= log.last
        else { return }
        switch currentRole {
        case .leader, .candidate: return
        case .preCandidate where holding != nil && id < peer: return
        case .preCandidate:
            endHolding()
            currentRole = .follower
        case .follower: break
        }
        acknowledgeLeader(peer)
        var ack = HeartbeatAck(term: currentTerm, echo: heartbeat.sentAt, remaining: 0)
        ack.isOfHolder = true
        send(.heartbeatAck(ack), to: peer)
    }

    /// A holder prolonged this node's lease; one that has ended stays ended, for nobody knows of it any more.
    mutating func takeLeaseOfHolder(_ ack: HeartbeatAck, from slot: Int) {
        guard currentLeader == nil, let current = lease.end, current > clock else { return }
        if let end = leaseEnd(of: ack, from: slot) { renewLease(until: end, term: lease.term) }
    }

    // MARK: Proof

    /// Asks for the other half to be powered off, or takes that back.
    mutating func reviewFenceNeed() {
        let need = wantedProof
        guard need != fenceNeed else { return }
        fenceNeed = need
        emit(.fenceForQuorum(need))
    }

    private var wantedProof: [Voter] {
        if let leadership {
            guard !leadership.isQuorate, leadership.transfer == nil else { return [] }
        } else {
            guard let holding, clock >= holding.fenceAfter else { return [] }
        }
        guard own.leaveBy == nil, takesPart, !isMeeting else { return [] }
        var half = NodeSet([id])
        for record in records where clock - record.lastAcknowledgement < timing.electionTimeout && !record.isLost {
            if counts(record) { half.insert(record.id) }
        }
        guard let unproven = quorum.unproven(besides: half) else { return [] }
        // Somebody who is still heard is no reason to shoot: leadership may move to whoever reaches more.
        let isCut = unproven.allSatisfy { voter in
            guard let slot = slot(of: voter.node) else { return false }
            // What it was is gone with its store; proof that the former start is dead lets it be listed anew.
            if !counts(at: slot) || isDeafToAll(records[slot]) { return true }
            guard records[slot].isLost else { return false }
            return !records.contains { half.contains($0.id) && $0.said?.hears.contains(voter.node) == true }
        }
        return isCut ? unproven : []
    }

    /// Whether a node is heard and has heard nobody for so long that it has not just started: it can lead nobody and
    /// follow nobody, and a half that needs it would wait for ever.
    private func isDeafToAll(_ record: PeerRecord) -> Bool {
        record.isHeard && record.deafSince.map { clock - $0 >= Self.deafnessBeforeFence } ?? false
    }
}
