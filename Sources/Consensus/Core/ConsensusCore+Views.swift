public import ClusterModel

extension ConsensusCore {
    /// What this node is to the others.
    public var role: Role { currentRole }

    /// Who votes by the newest configuration entry of the own log, in ascending order.
    public var voters: [NodeID] { history.newest.set.voters.map(\.node) }

    /// The newest configuration entry of the own log, and what it says.
    public var listedVoters: ListedVoters { history.newest }

    /// What has to be counted now: the newest set and, until it is known committed, the one before it.
    public var activeVoterSets: [VoterSet] { quorum.sets }

    /// What is known to be dead for ever.
    public var deathFacts: DeathFacts { deaths }

    /// Whether a node is known to have been verified off when it ran as this incarnation or a later one.
    public func isProvenOff(_ node: NodeID, _ incarnation: Incarnation) -> Bool {
        deaths.list.contains { $0.node == node && $0.proof == .poweredOff && $0.incarnation >= incarnation }
    }

    /// Whether this node leads nobody and renews the leases of half of the voters while that half fences the other.
    public var isHolder: Bool { holding != nil }

    /// The newest term seen.
    public var term: Term { currentTerm }

    /// Whom this node follows, itself included.
    public var leader: NodeID? { currentLeader }

    /// Until when this node may run resources, on its own clock; nil when it holds no lease.
    ///
    /// The value may lie in the
    /// past for as long as no tick came.
    public var leaseEnd: Instant? { lease.end }

    /// The term of the leader that granted the lease; 0 before the first.
    public var leaseTerm: Term { lease.term }

    /// The last entry known committed.
    public var commitIndex: LogIndex { committed }

    /// The last entry of the log.
    public var lastIndex: LogIndex { log.last.index }

    /// The last entry in the newest snapshot; 0 without one.
    public var snapshotIndex: LogIndex { snapshot?.lastIndex ?? 0 }

    /// Leader: from when on anything may be recovered by lease; nil on other nodes.
    public var recoverByLeaseAt: Instant? {
        leadership.map { $0.earlierLeasesOver + timing.grace }
    }

    /// Whether this node is part of a quorum: it leads and a quorum answers, or it hears a leader.
    public var isQuorate: Bool {
        switch currentRole {
        case .leader: leadership?.isQuorate ?? false
        case .follower: currentLeader != nil
        case .preCandidate, .candidate: false
        }
    }

    /// Whether this node leads and a quorum has answered so lately that nobody else can have acted meanwhile.
    public func decides(at now: Instant) -> Bool {
        guard let leadership, leadership.isQuorate, let end = quorumLeaseEnd else { return false }
        return end > now
    }

    /// The digest of this node's applied configuration, as its heartbeats tell it.
    public var configurationDigest: UInt64 { own.configurationDigest }

    /// The other nodes in ascending order, whether they vote or not.
    public var peers: [PeerView] { records.map(view) }

    /// One other voter; nil for this node and for nodes that do not vote.
    public func peer(_ node: NodeID) -> PeerView? { slot(of: node).map { view(records[$0]) } }

    /// How one other voter is; nil for this node and for nodes that do not vote.
    public func state(of node: NodeID) -> PeerState? { slot(of: node).map { records[$0].state } }

    /// Whether another node belongs to the cluster, as far as this one was told.
    package func isPeer(_ node: NodeID) -> Bool { slot(of: node) != nil }

    /// Whom this node hears now.
    public var hears: NodeSet {
        var heard = NodeSet()
        for slot in records.indices where records[slot].isHeard { heard.insert(records[slot].id) }
        return heard
    }

    /// The nodes that are lost here and that a voter with a lease hears: they are not to be fenced yet, for leadership may
    /// be about to move to somebody who reaches them.
    public var lostAndHeardByLeaseHolders: NodeSet {
        var lost = NodeSet()
        for slot in records.indices {
            if case .lost = records[slot].state { lost.insert(records[slot].id) }
        }
        // Nearly always, and this is asked after every message.
        if lost.isEmpty { return lost }
        let holders = leaseHolders.intersection(votingNodes)
        var heard = NodeSet()
        for slot in records.indices where holders.contains(records[slot].id) {
            if let hears = records[slot].said?.hears { heard = heard.union(hears) }
        }
        return lost.intersection(heard)
    }

    /// The other nodes that are heard and say that they hold a lease.
    public var leaseHolders: NodeSet {
        var holders = NodeSet()
        for slot in records.indices where records[slot].state == .alive(holdsLease: true) {
            holders.insert(records[slot].id)
        }
        return holders
    }

    /// Whether a node is heard, holds no lease and does not hear this one, so that it can be given none.
    public func isDeaf(_ node: NodeID) -> Bool {
        guard let slot = slot(of: node), records[slot].state == .alive(holdsLease: false) else { return false }
        return records[slot].said?.hears.contains(id) == false
    }

    /// The term of an entry in the log; nil when it is compacted away or not there.
    package func termInLog(at index: LogIndex) -> Term? { log.term(at: index) }

    private func view(_ record: PeerRecord) -> PeerView {
        PeerView(
            id: record.id,
            incarnation: record.incarnation,
            state: record.state,
            lastHeard: record.detector.lastHeard,
            roundTrip: record.roundTrip,
            hears: record.said?.hears ?? NodeSet(),
            reaches: record.said?.reaches ?? NodeSet(),
            term: record.said?.term ?? 0,
            leader: record.said?.leader,
            lastIndex: record.said?.lastIndex ?? 0,
            commitIndex: record.said?.commitIndex ?? 0,
            configurationDigest: record.said?.configurationDigest ?? 0,
            lostAfter: record.said?.lostAfter ?? .zero,
            counts: counts(record)
        )
    }
}
