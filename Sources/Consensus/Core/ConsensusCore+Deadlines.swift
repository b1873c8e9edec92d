public import ClusterModel

extension ConsensusCore {
    /// When the next `.tick` is due.
    public var nextDeadline: Instant? {
        var next = heartbeatDue
        if currentRole == .leader {
            if let deadline = checkQuorumDeadline { next = min(next, deadline) }
            if let deadline = leadership?.transfer?.deadline { next = min(next, deadline) }
        } else if takesPart, own.leaveBy == nil {
            next = min(next, election.deadline)
        }
        if let end = lease.end { next = min(next, end) }
        if let leaveBy = own.leaveBy, !own.hasLeft { next = min(next, leaveBy) }
        for record in records {
            let verdict: FailureDetector.Verdict
            switch record.state {
            case .alive: verdict = .alive
            case .suspect: verdict = .suspect
            case .lost, .left: continue
            }
            let limits = record.silenceLimits(timing)
            if let change = record.detector.nextChange(after: verdict, limits: limits) { next = min(next, change) }
        }
        return next
    }

    /// Does whatever is due, in an order in which nothing acts on a time that has already passed.
    mutating func tick() {
        if let end = lease.end, end <= clock { endLease() }
        for slot in records.indices { updateState(slot) }
        if currentRole == .leader { leaderTick() }
        if currentRole != .leader, takesPart, own.leaveBy == nil, election.deadline <= clock { stand() }
        if let leaveBy = own.leaveBy, !own.hasLeft, leaveBy <= clock { finishLeaving() }
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
        guard currentRole == .leader else { return }
        for slot in records.indices { retryIfDue(slot) }
        considerRelocation()
    }

    /// When this leader gives up because no quorum answers (check-quorum).
    private var checkQuorumDeadline: Instant? {
        quorum.reached(records) { $0.lastAcknowledgement }.map { $0 + timing.electionTimeout }
    }

    mutating func setStorage(working: Bool) {
        own.storageWorks = working
        if !working, currentRole != .follower { becomeFollower(term: currentTerm, leader: nil) }
        if working { restartElectionTimer() }
    }

    // MARK: Leaving

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
        if currentRole != .follower { becomeFollower(term: currentTerm, leader: nil) }
        own.hasLeft = true
        endLease()
        emit(.left)
        sendHeartbeats()
    }
}
