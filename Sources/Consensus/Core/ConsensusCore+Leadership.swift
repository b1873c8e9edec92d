import ClusterModel

/// What only a leader keeps.
struct LeadershipState: Sendable {
    /// When this node was elected.
    let since: Instant
    /// From when on no lease of an earlier leader, or of a holder, is left anywhere.
    var earlierLeasesOver: Instant
    /// Whether a quorum answers, and whether one ever did.
    var isQuorate = false
    var wasQuorate = false
    /// The smallest q among its votes.
    let leastSinceAcknowledgement: Duration
    /// Only what was sent from then on can be acknowledged for the leader's lease.
    var acknowledgedFrom: Instant
    /// When the newest round of heartbeats was sent.
    var lastBeat: Instant
    /// Set once an entry of the own term is committed: only then is everything that earlier leaders committed known
    /// to be so, a fence under way included, and a node with a fence under way gets no lease.
    var grantsLeases = false
    var transfer: Transfer?
    /// No move of leadership for better reach before this instant.
    var noRelocationBefore: Instant
    /// Since when a follower has reached more voters than this leader does; nil while none does.
    var outreachedSince: Instant?

    struct Transfer: Sendable {
        let target: NodeID
        let deadline: Instant
        var isOrdered = false
    }
}

extension ConsensusCore {
    mutating func becomeLeader() {
        let least = min(election.leastSinceAcknowledgement, sinceNeededProof)
        let wait = max(.zero, leaseCeiling - least)
        currentRole = .leader
        leadership = LeadershipState(
            since: clock,
            earlierLeasesOver: clock + wait,
            leastSinceAcknowledgement: least,
            acknowledgedFrom: clock,
            lastBeat: clock,
            noRelocationBefore: clock + timing.electionTimeout
        )
        currentLeader = id
        own.lastLeader = id
        emit(.leaderChanged(id, currentTerm))
        emit(.becameLeader(currentTerm, recoverByLeaseAt: clock + wait + timing.grace))
        for slot in records.indices {
            records[slot].acknowledgedSend = nil
            records[slot].answeredSend = nil
            records[slot].lastAcknowledgement = clock
            records[slot].progress = Progress()
            records[slot].progress.next = log.last.index + 1
            // What this node noticed before it was elected it noticed without the right to act on it.
            if case .lost = records[slot].state {
                records[slot].state = .lost(since: clock)
                emit(.peer(records[slot].id, records[slot].state))
            }
        }
        appendAsLeader(.noop)
        sendHeartbeats()
        for slot in records.indices { replicate(to: slot, isUrgent: true) }
        advanceCommit()
    }

    /// How long the newest proof is known that the votes of half of a set needed; endless for a majority.
    ///
    /// What the dead half's leader or holder granted may be held elsewhere until then (RULE 4.3-c).
    private var sinceNeededProof: Duration {
        guard !faults.forgetProofTime else { return .seconds(3600) }
        var since = Duration.seconds(3600)
        for set in quorum.sets where election.votes.intersection(set.nodes).count * 2 == set.count {
            for voter in set.voters where !election.votes.contains(voter.node) {
                since = min(since, clock - (proofTimes[voter.node] ?? startedAt))
            }
        }
        return since
    }

    // MARK: Hand-over

    mutating func transferLeadership(to target: NodeID?) {
        guard currentRole == .leader, let leadership, leadership.transfer == nil else {
            emit(.transferFailed(to: target))
            return
        }
        // Until earlier leases are over this node's own right to act is not complete, so it has nothing to hand over.
        guard clock >= leadership.earlierLeasesOver, let best = target ?? bestSuccessor(), let slot = slot(of: best),
            isFit(records[slot])
        else {
            emit(.transferFailed(to: target))
            return
        }
        self.leadership?.transfer = .init(target: best, deadline: clock + timing.electionTimeout)
        continueTransfer(slot)
    }

    private func isFit(_ record: PeerRecord) -> Bool {
        guard case .alive = record.state, history.active.allSatisfy({ $0.nodes.contains(record.id) }), counts(record)
        else { return false }
        // One that does not hear this leader would never learn that it shall stand.
        return record.said?.term == currentTerm && record.said?.hears.contains(id) == true
    }

    /// Whoever reaches most voters, then is nearest to the end of the log, then has the lowest number.
    func bestSuccessor() -> NodeID? {
        let voters = votingNodes
        let eligible = settings.eligible
        return records.filter(isFit).max { left, right in
            // One that shall not vote would have to hand over in its turn.
            let shallVote = (eligible.contains(left.id), eligible.contains(right.id))
            if shallVote.0 != shallVote.1 { return shallVote.1 }
            let reach = (
                left.said?.reaches.intersection(voters).count ?? 0, right.said?.reaches.intersection(voters).count ?? 0
            )
            if reach.0 != reach.1 { return reach.0 < reach.1 }
            if left.progress.match != right.progress.match { return left.progress.match < right.progress.match }
            return left.id > right.id
        }?.id
    }

    /// Orders the successor to stand once it has the whole log.
    mutating func continueTransfer(_ slot: Int) {
        guard let transfer = leadership?.transfer, transfer.target == records[slot].id, !transfer.isOrdered else {
            return
        }
        guard records[slot].progress.match == log.last.index else {
            replicate(to: slot, isUrgent: false)
            return
        }
        leadership?.transfer?.isOrdered = true
        send(.standNow(StandNow(term: currentTerm)), to: transfer.target)
    }

    mutating func abandonTransfer() {
        guard let transfer = leadership?.transfer else { return }
        leadership?.transfer = nil
        emit(.transferFailed(to: transfer.target))
    }

    /// The successor runs no more, or anew: the start of its agent that was chosen cannot take over.
    mutating func successorGone(_ peer: NodeID) {
        if leadership?.transfer?.target == peer { abandonTransfer() }
    }

    mutating func receive(_ order: StandNow, from slot: Int) {
        guard currentRole == .follower, order.term == currentTerm, currentLeader == records[slot].id else { return }
        guard mayStand else { return }
        campaign(isTransfer: true)
    }

    /// In a partially connected cluster, moves leadership to a follower that reaches strictly more voters.
    ///
    /// Reach grows with every such move, so with links that stay as they are it ends; a pause bounds it when they do not.
    mutating func considerRelocation() {
        guard let leadership, leadership.transfer == nil, clock >= leadership.noRelocationBefore,
            clock >= leadership.earlierLeasesOver, own.leaveBy == nil
        else { return }
        let voters = votingNodes
        let ownReach = reaches.intersection(voters).count
        let isOutreached =
            ownReach < voters.count
            && records.contains { isFit($0) && ($0.said?.reaches.intersection(voters).count ?? 0) > ownReach }
        guard isOutreached else {
            self.leadership?.outreachedSince = nil
            return
        }
        let since = leadership.outreachedSince ?? clock
        self.leadership?.outreachedSince = since
        // When a link comes back, or a node dies, some know it earlier than others: by as much as a silence may last.
        guard clock - since >= timing.lostAfter, let best = bestSuccessor() else { return }
        self.leadership?.noRelocationBefore = clock + Self.relocationPause
        transferLeadership(to: best)
    }

    private static let relocationPause = Duration.seconds(5)
}
