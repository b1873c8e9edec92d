public import ClusterModel

/// Going on alone, and what follows when the others are met again (RULE 4.2-e).
///
/// A session belongs to one branch for ever: who changes branches starts its agent anew. So it is enough to look at what
/// the heartbeats of a session say.
extension ConsensusCore {
    /// Why this node cannot go on alone; nil when it can.
    ///
    /// - Parameter confirmed: The nodes that an operator says are dead.
    /// - Returns: The first reason.
    public func objectionToActingAlone(confirmed: NodeSet) -> ActingAloneObjection? {
        if isQuorate { return .quorate }
        if isMeeting { return .meeting }
        if isNewcomer || !takesPart { return .unfit }
        if votingNodes.nodes.allSatisfy({ $0 == id }) { return .alone }
        for node in votingNodes.nodes where node != id {
            guard let slot = slot(of: node), case .alive = records[slot].state else {
                if !confirmed.contains(node) && !isProvenDead(node) { return .unconfirmed(node) }
                continue
            }
            if confirmed.contains(node) { return .heard(node) }
            // A newcomer could not go on in this one's place, and nothing was committed with its help.
            if !counts(at: slot) { continue }
            if !isForeign(records[slot]), records[slot].lastPosition > log.last { return .knowsMore(node) }
        }
        return nil
    }

    private func isProvenDead(_ node: NodeID) -> Bool {
        quorum.sets.allSatisfy { set in
            set.voters.allSatisfy { $0.node != node || deaths.cover($0) }
        }
    }

    /// An operator has this node go on alone.
    mutating func actAlone(_ confirmed: [Voter], branchID: UInt64) {
        guard objectionToActingAlone(confirmed: NodeSet(confirmed.map(\.node))) == nil else { return }
        beginBranch(branchID, confirmed)
    }

    /// One of two nodes that nobody can power off goes on alone once the other is silent and its lease is over, be it dead
    /// or cut off: that is what an operator chose with two nodes and without fencing.
    ///
    /// Never after a start before the two have met, and not again right after they have: a link that flaps must not make a
    /// history of every interruption.
    mutating func considerActingAlone() {
        guard let lostSince = lossToActOn, !isVetoed(lostSince: lostSince) else { return }
        beginBranch(random.next(), [])
    }

    /// Since when the other of two is lost, once this node would go on alone for it; nil while it would not.
    var lossToActOn: Instant? {
        guard settings.actsAlone, own.leaveBy == nil, takesPart, !isNewcomer, !isQuorate, !isMeeting,
            quorum.sets.allSatisfy({ $0.count == 2 && $0.incarnation(of: id) == incarnation }),
            clock - own.togetherSince >= Self.leastTimeTogether
        else { return nil }
        var lostSince: Instant?
        for node in votingNodes.nodes where node != id {
            guard let slot = slot(of: node), case .lost(let since) = records[slot].state,
                clock - since >= leaseTimeOver
            else { return nil }
            lostSince = since
        }
        return lostSince
    }

    /// How long the other of two nodes has been lost until no lease of it is left.
    private var leaseTimeOver: Duration { leaseCeiling + timing.grace }

    /// How long two nodes have to have been one cluster before one of them goes on alone.
    static let leastTimeTogether = Duration.seconds(5)

    /// Begins a branch of this node's own: from here on it alone votes, and the agent starts anew with that.
    private mutating func beginBranch(_ branchID: UInt64, _ confirmed: [Voter]) {
        endHolding()
        for voter in confirmed {
            learn(DeathFact(node: voter.node, incarnation: voter.incarnation, proof: .poweredOff))
        }
        let mark = BranchMark(
            id: branchID,
            generation: branch.generation + 1,
            base: own.changes,
            founder: id,
            founderLed: own.lastLeader == id
        )
        let alone = ListedVoters(index: log.last.index, set: VoterSet([quorum.own]))
        outbox.writes.branch = DurableBranch(mark: mark, voters: alone)
        outbox.beginsAnew = true
        // Whatever is decided until the process ends belongs to neither history.
        own.branchLeft = mark
        if currentRole != .follower { becomeFollower(term: currentTerm, leader: nil) }
    }

    // MARK: Meeting

    /// Whether a peer's session belongs to another branch.
    func isForeign(_ record: PeerRecord) -> Bool { record.isForeign(to: branch) }

    /// Whether a peer's session has said that it belongs to this node's branch.
    public func sharesHistory(with peer: NodeID) -> Bool {
        guard let slot = slot(of: peer), records[slot].said != nil else { return false }
        return !isForeign(records[slot])
    }

    /// Whether a node of another branch is heard: until one history has given way nothing is started or changed.
    public var isMeeting: Bool {
        // Inlined, for a call would take a copy of the core.
        @inline(__always) get { metSlot != nil }
    }

    private var met: Heartbeat? { metSlot.flatMap { records[$0].said } }

    @inline(__always)
    private var metSlot: Int? {
        for slot in records.indices where records[slot].isForeign(to: branch) {
            guard records[slot].said?.hasLeft == false, records[slot].detector.lastHeard != nil else { continue }
            let limits = records[slot].silenceLimits(timing)
            if records[slot].detector.verdict(now: clock, limits: limits) != .lost { return slot }
        }
        return nil
    }

    /// The other branch, once nothing more is added to this one; `nobody` while there is none or this node does not speak
    /// for its branch.
    ///
    /// In the last words of a node, the branch that it gave its own up for.
    var metBranch: UInt64 {
        if own.leftAt != nil { return own.branchLeft?.id ?? Self.nobody }
        // What is on its way is waited for, unless it cannot be committed: whom that takes may be in the other branch.
        let isSettled = committed == log.last.index || quorumLeaseEnd.map { $0 <= clock } ?? true
        let speaks = currentRole == .leader ? isSettled : currentLeader == nil
        return speaks && own.branchLeft == nil ? met?.branch.id ?? Self.nobody : Self.nobody
    }

    /// No branch has this number: the one that the cluster began with has 0.
    static let nobody = UInt64.max

    /// Changes of operators in this branch, as far as anybody says who is heard: a newcomer has not applied them yet.
    var claimedChanges: UInt64 {
        var most = own.changes
        for slot in records.indices where records[slot].isHeard && !records[slot].isForeign(to: branch) {
            most = max(most, records[slot].said?.changes ?? 0)
        }
        return most
    }

    /// Branches that gave way to this one, as far as anybody says who is heard.
    var claimedGaveWay: [UInt64] {
        var result = own.gaveWay
        for slot in records.indices where records[slot].isHeard && !records[slot].isForeign(to: branch) {
            for branch in records[slot].said?.gaveWay ?? [] where !result.contains(branch) { result.append(branch) }
        }
        return result.suffix(ConsensusLimits.branchesGone)
    }

    /// A heartbeat of another branch came.
    mutating func meet(_ heartbeat: Heartbeat, from slot: Int) {
        let peer = records[slot].id
        if heartbeat.hasLeft {
            peerLeft(heartbeat, slot: slot)
            if heartbeat.meets == branch.id, !heartbeat.isNewcomer { emit(.branchGaveWay(heartbeat.branch)) }
            return
        }
        reviewQuorum()
        // Followers wait for what their leaders find.
        guard heartbeat.leader == nil || heartbeat.leader == peer, heartbeat.meets == branch.id,
            metBranch != Self.nobody
        else {
            return
        }
        let claim = BranchClaim(
            mark: branch,
            changes: claimedChanges,
            gaveWay: claimedGaveWay,
            hasLog: !isNewcomer || currentLeader != nil
        )
        let other = BranchClaim(
            mark: heartbeat.branch,
            changes: heartbeat.changes,
            gaveWay: heartbeat.gaveWay,
            hasLog: !heartbeat.isNewcomer || heartbeat.leader != nil
        )
        guard !claim.prevails(over: other) else { return }
        own.branchLeft = heartbeat.branch
        if currentRole != .follower { becomeFollower(term: currentTerm, leader: nil) }
        endLease()
        emit(.branchLost(to: heartbeat.branch))
    }
}

/// Why a node cannot go on alone.
public enum ActingAloneObjection: Hashable, Sendable {
    /// A quorum answers.
    case quorate
    /// A node of another branch is heard: one of the two gives way.
    case meeting
    /// The node has lost its disk, or cannot write to it.
    case unfit
    /// No other voter is listed: the node leads by itself in a moment, and another history would only begin again what it
    /// has.
    case alone
    /// This voter is silent, and nobody says that it is dead.
    case unconfirmed(NodeID)
    /// This voter is said to be dead and is heard.
    case heard(NodeID)
    /// This voter is heard and has more of the log.
    case knowsMore(NodeID)
}
