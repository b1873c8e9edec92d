import ClusterModel

extension ConsensusCore {
    /// Finds out anew when the next `.tick` is due.
    mutating func updateDeadline() {
        var next = heartbeatDue
        if currentRole == .leader {
            if let deadline = checkQuorumDeadline { next = min(next, deadline) }
            if let deadline = leadership?.transfer?.deadline { next = min(next, deadline) }
            if leadership?.isQuorate == true, let end = quorumLeaseEnd { next = min(next, end) }
        } else if mayStand {
            next = min(next, election.deadline)
        }
        if holding != nil, let deadline = holdingDeadline { next = min(next, deadline) }
        if let end = lease.end { next = min(next, end) }
        if let leaveBy = own.leaveBy, !own.hasLeft { next = min(next, leaveBy) }
        if let sayUntil = own.sayUntil { next = min(next, sayUntil) }
        for slot in records.indices {
            // Field by field, for the whole record would be copied.
            let limits = SilenceLimits(timing, stated: records[slot].statedLimit)
            switch records[slot].state {
            case .alive: next = min(next, records[slot].detector.silentSince + limits.suspectAfter)
            case .suspect: next = min(next, records[slot].detector.silentSince + limits.lostAfter)
            case .lost, .left: break
            }
        }
        nextDeadline = next
    }

    /// Does whatever is due, in an order in which nothing acts on a time that has already passed.
    mutating func tick() {
        if let end = lease.end, end <= clock { endLease() }
        for slot in records.indices { updateState(slot) }
        if currentRole == .leader { leaderTick() }
        if let deadline = holdingDeadline, deadline <= clock { endHolding() }
        if currentRole != .leader, mayStand, election.deadline <= clock { stand() }
        if let leaveBy = own.leaveBy, !own.hasLeft, leaveBy <= clock { finishLeaving() }
        if let sayUntil = own.sayUntil, sayUntil <= clock { end() }
        if heartbeatDue <= clock { beat() }
    }

    private mutating func leaderTick() {
        if let deadline = checkQuorumDeadline, deadline <= clock {
            becomeFollower(term: currentTerm, leader: nil)
            return
        }
        if let transfer = leadership?.transfer, transfer.deadline <= clock { abandonTransfer() }
    }

    private mutating func beat() {
        sendHeartbeats()
        if holding != nil, isOutreached { endHolding() }
        reviewFenceNeed()
        considerActingAlone()
        guard currentRole == .leader else { return }
        for slot in records.indices { retryIfDue(slot) }
        considerRelocation()
        considerVoters()
    }

    /// When this leader gives up because not even half of the voters answers (check-quorum).
    private var checkQuorumDeadline: Instant? { answersEnd }

    /// Until when the voters that answer may be silent before leader or holder gives up; nil when it needs nobody.
    ///
    /// Inlined, for a call would take a copy of the core.
    @inline(__always)
    var answersEnd: Instant? {
        switch quorum.reached(.renew, records, { $0.lastAcknowledgement }) {
        case .alone: nil
        case .through(let last): last + timing.electionTimeout
        case .never: clock
        }
    }

    mutating func setStorage(working: Bool) {
        own.storageWorks = working
        if !working {
            endHolding()
            if currentRole != .follower { becomeFollower(term: currentTerm, leader: nil) }
        }
        if working { restartElectionTimer() }
    }
}
