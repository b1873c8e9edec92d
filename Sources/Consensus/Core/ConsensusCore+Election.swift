import ClusterModel

/// What a node remembers between and during elections.
struct ElectionState: Sendable {
    /// When to stand if no leader is heard; a stall shifts it.
    var deadline: Instant
    /// When this node last acknowledged a leader; never shifted, for leases rest on it.
    var lastAcknowledgement: Instant?
    /// Until when this node promised that leader or holder not to vote for another.
    var promisedUntil: Instant?
    var promisedTo: NodeID?
    var votes = NodeSet()
    /// The smallest q among the votes.
    var leastSinceAcknowledgement: Duration = .zero

    init(startedAt: Instant) { deadline = startedAt }
}

extension ConsensusCore {
    // MARK: Roles

    /// Follows nobody or `leader`, in `term`, whatever this node was before.
    mutating func becomeFollower(term: Term, leader: NodeID?) {
        precondition(term >= currentTerm, "terms do not go back")
        if currentRole == .leader { resign() }
        let isNews = term != currentTerm || leader != currentLeader
        if term > currentTerm {
            currentTerm = term
            votedFor = nil
            saveVote()
        }
        currentRole = .follower
        endHolding()
        if isNews {
            agreedIndex = 0
            incoming = nil
            setLeader(leader)
        }
        restartElectionTimer()
        if own.leaveBy != nil, leader != nil { finishLeaving() }
    }

    private mutating func resign() {
        // A leader acknowledges its own heartbeats, so its own leases bind its next vote like any other voter's.
        election.lastAcknowledgement = clock
        leadership = nil
        emit(.deposed(currentTerm))
    }

    private mutating func setLeader(_ leader: NodeID?) {
        currentLeader = leader
        own.lastLeader = leader ?? own.lastLeader
        emit(.leaderChanged(leader, currentTerm))
    }

    /// Follows whoever proved to lead in `term`.
    ///
    /// - Returns: false when this node leads that term itself, which election safety excludes.
    mutating func follow(_ peer: NodeID, term: Term) -> Bool {
        if term == currentTerm, currentRole == .leader {
            stopTakingPart("\(peer) leads term \(term) as this node does")
            return false
        }
        let isNews = term != currentTerm || currentLeader != peer
        if isNews || currentRole != .follower { becomeFollower(term: term, leader: peer) }
        // The sooner the leader knows that this node follows, the sooner it has a lease again.
        if isNews { sendHeartbeat(to: peer) }
        return true
    }

    /// Something that cannot be has happened: this node does nothing more that another could rely on.
    mutating func stopTakingPart(_ reason: String) {
        own.isStopped = true
        setStorage(working: false)
        endLease()
        emit(.mustStop(reason))
    }

    /// This node answers a message of its leader: the answer is a promise.
    mutating func acknowledgeLeader(_ peer: NodeID) {
        election.lastAcknowledgement = clock
        let asked = faults.ignoreAskedPromise ? .zero : promiseAsked(by: peer)
        let until = clock + max(timing.electionTimeout, asked)
        // A promise to the same leader never becomes shorter, not even with a shorter profile.
        election.promisedUntil = election.promisedTo == peer ? max(until, election.promisedUntil ?? until) : until
        election.promisedTo = peer
        restartElectionTimer()
    }

    /// The leader said that it leads no more, or runs as another incarnation: no need to wait for its silence.
    ///
    /// Leases
    /// stay safe, for votes still say how long ago it was acknowledged.
    mutating func leaderGone(_ peer: NodeID) {
        if election.promisedTo == peer { election.promisedUntil = nil }
        guard currentLeader == peer, currentRole == .follower else { return }
        setLeader(nil)
        election.deadline = min(election.deadline, clock + rankDelay())
    }

    // MARK: Timing

    mutating func restartElectionTimer() {
        let asked = currentLeader.map { promiseAsked(by: $0) } ?? .zero
        election.deadline = clock + max(timing.electionTimeout, asked) + rankDelay()
    }

    private func promiseAsked(by peer: NodeID) -> Duration {
        slot(of: peer).flatMap { records[$0].said?.promise } ?? .zero
    }

    /// The best candidate stands first, the next a little later, so that they seldom compete: who reaches more voters,
    /// then whose log is longer, then whose number is lower.
    private mutating func rankDelay() -> Duration {
        let voters = votingNodes
        let ownReach = reaches.intersection(voters).count
        let ownLast = log.last
        var better = 0
        for slot in records.indices where records[slot].isHeard {
            let peer = records[slot].id
            guard peer != currentLeader, voters.contains(peer), counts(at: slot),
                let reach = records[slot].said?.reaches.intersection(voters).count
            else { continue }
            let last = records[slot].lastPosition
            if reach != ownReach {
                if reach > ownReach { better += 1 }
            } else if last != ownLast {
                if last > ownLast { better += 1 }
            } else if peer < id {
                better += 1
            }
        }
        // In nanoseconds, for durations are multiplied in 128 bits, and this follows every answer to a leader.
        let rank = Int64(min(better, Self.mostRanks))
        return .nanoseconds(timing.electionSpread.nanoseconds / 2 * rank) + jitter()
    }

    /// Ranks behind this one stand together; chance separates them.
    private static let mostRanks = 6

    /// A chance part of a rank's distance.
    mutating func jitter() -> Duration {
        .nanoseconds(Int64.random(in: 0...max(0, timing.electionSpread.nanoseconds / 4), using: &random))
    }

    // MARK: Standing

    /// Asks the others whether they would vote, which changes nobody's term.
    mutating func stand() {
        currentRole = .preCandidate
        if currentLeader != nil { setLeader(nil) }
        agreedIndex = 0
        election.votes = NodeSet()
        election.votes.insert(id)
        election.deadline = clock + timing.heartbeatInterval + jitter() * 4
        if quorum.isReached(by: election.votes) {
            campaign(isTransfer: false)
            return
        }
        let request = VoteRequest(term: currentTerm + 1, last: log.last, isTransfer: false)
        for record in records where votingNodes.contains(record.id) { send(.preVote(request), to: record.id) }
        considerHolding()
    }

    /// Stands in a new term.
    ///
    /// The own vote counts, and others are asked, once it is on the disk.
    mutating func campaign(isTransfer: Bool) {
        endHolding()
        if currentLeader != nil { setLeader(nil) }
        agreedIndex = 0
        election.leastSinceAcknowledgement = sinceAcknowledgement
        election.votes = NodeSet()
        currentTerm += 1
        votedFor = id
        currentRole = .candidate
        saveVote()
        outbox.ownVote = currentTerm
        // Long enough for a slow disk on both sides, with chance against a second tie.
        election.deadline =
            clock + timing.electionTimeout / 3
            + .nanoseconds(Int64.random(in: 0...(timing.electionTimeout / 3).nanoseconds, using: &random))
        let request = VoteRequest(term: currentTerm, last: log.last, isTransfer: isTransfer)
        for record in records where votingNodes.contains(record.id) {
            sendAfterPersist(.vote(request), to: record.id)
        }
        if faults.sendBeforePersist { countOwnVote(currentTerm) }
    }

    mutating func countOwnVote(_ term: Term) {
        guard currentRole == .candidate, term == currentTerm else { return }
        election.votes.insert(id)
        if quorum.isReached(by: election.votes) { becomeLeader() }
    }

    mutating func receive(_ answer: PreVoteAnswer, from slot: Int) {
        guard currentRole == .preCandidate else { return }
        if answer.term > currentTerm {
            becomeFollower(term: answer.term, leader: nil)
            election.deadline = clock + rankDelay()
            return
        }
        guard answer.asked == currentTerm + 1 else { return }
        guard answer.granted else {
            if answer.retryAfter > 0, answer.retryAfter < timing.electionTimeout.nanoseconds {
                let retry = clock + .nanoseconds(Int64(answer.retryAfter)) + ConsensusTiming.tick / 10
                election.deadline = min(election.deadline, retry)
            }
            return
        }
        election.votes.insert(records[slot].id)
        if quorum.isReached(by: election.votes) { campaign(isTransfer: false) } else { considerHolding() }
    }

    mutating func receive(_ answer: VoteAnswer, from slot: Int) {
        guard currentRole == .candidate else { return }
        if answer.term > currentTerm {
            becomeFollower(term: answer.term, leader: nil)
            return
        }
        guard answer.term == currentTerm, answer.granted else { return }
        election.votes.insert(records[slot].id)
        let since = Duration.nanoseconds(Int64(clamping: answer.sinceAcknowledgement))
        election.leastSinceAcknowledgement = min(election.leastSinceAcknowledgement, since)
        if quorum.isReached(by: election.votes) { becomeLeader() }
    }

    // MARK: Voting

    mutating func answerPreVote(_ request: VoteRequest, from slot: Int) {
        guard takesPart, !abstains else { return }
        let candidate = records[slot].id
        let promise = promiseLeft(against: candidate)
        let granted = promise == .zero && request.term > currentTerm && isComplete(request)
        let answer = PreVoteAnswer(
            term: currentTerm,
            asked: request.term,
            granted: granted,
            retryAfter: UInt64(max(0, promise.nanoseconds))
        )
        send(.preVoteAnswer(answer), to: candidate)
    }

    mutating func answerVote(_ request: VoteRequest, from slot: Int) {
        guard takesPart, !abstains else { return }
        let candidate = records[slot].id
        // A node that a quorum does not miss cannot depose the leader by standing (Raft §6, last paragraph).
        if request.term > currentTerm, !request.isTransfer, promiseLeft(against: candidate) > .zero { return }
        if request.term > currentTerm { becomeFollower(term: request.term, leader: nil) }
        let isFree = votedFor == nil || votedFor == candidate || faults.voteTwice
        let granted =
            request.term == currentTerm && isFree && isComplete(request) && currentRole == .follower
            && currentLeader == nil
        if granted {
            if votedFor != candidate {
                votedFor = candidate
                saveVote()
            }
            restartElectionTimer()
        }
        let answer = VoteAnswer(
            term: currentTerm,
            granted: granted,
            sinceAcknowledgement: UInt64(max(0, sinceAcknowledgement.nanoseconds))
        )
        sendAfterPersist(.voteAnswer(answer), to: candidate)
    }

    /// Whether a candidate's log holds all that this one does (Raft §5.4.1).
    private func isComplete(_ request: VoteRequest) -> Bool { request.last >= log.last || faults.ignoreLogInVotes }

    /// What is left of the promise to a leader other than the candidate.
    func promiseLeft(against candidate: NodeID) -> Duration {
        if currentRole == .leader { return timing.electionTimeout }
        guard let until = election.promisedUntil, election.promisedTo != candidate, until > clock else { return .zero }
        return until - clock
    }
}
