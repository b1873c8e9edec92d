import ClusterModel

/// The clean end of an incarnation (RULE 4.2-c): hand over, stop voting, acknowledging and running, write down that this
/// incarnation is over, and only then say so, again and again until it has been heard.
///
/// Who hears it knows this incarnation to be dead for ever, exactly as if it had been powered off.
extension ConsensusCore {
    mutating func startLeaving() {
        guard own.leaveBy == nil else { return }
        own.leaveBy = clock + timing.electionTimeout
        if currentRole == .leader, !records.isEmpty {
            transferLeadership(to: nil)
        } else {
            finishLeaving()
        }
    }

    mutating func finishLeaving() {
        guard !own.hasLeft else { return }
        endHolding()
        if currentRole != .follower, !faults.leaveAndVote { becomeFollower(term: currentTerm, leader: nil) }
        own.hasLeft = true
        own.sayUntil = clock + timing.electionTimeout
        endLease()
        saveDeaths()
        outbox.endsIncarnation = true
    }

    /// The end of this incarnation is on the disk.
    mutating func incarnationEnded() {
        own.leftAt = clock
        learn(DeathFact(node: id, incarnation: incarnation, proof: .left))
        sendHeartbeats()
        endIfHeard()
    }

    /// A peer replied to something, perhaps to this node's departure.
    mutating func departureHeard(_ ack: HeartbeatAck, by slot: Int) {
        guard let leftAt = own.leftAt, Instant(echo: ack.echo) >= leftAt else { return }
        own.heardLeaving.insert(records[slot].id)
        endIfHeard()
    }

    private mutating func endIfHeard() {
        if records.allSatisfy({ !$0.isHeard || own.heardLeaving.contains($0.id) }) { end() }
    }

    mutating func end() {
        guard own.sayUntil != nil else { return }
        own.sayUntil = nil
        emit(.left)
    }

    /// A peer says that its incarnation is over: a fact for ever, and a reply lets it go.
    mutating func peerLeft(_ heartbeat: Heartbeat, slot: Int) {
        let peer = records[slot].id
        learn(DeathFact(node: peer, incarnation: heartbeat.incarnation, proof: .left))
        send(.heartbeatAck(HeartbeatAck(term: currentTerm, echo: heartbeat.sentAt, remaining: 0)), to: peer)
    }
}
