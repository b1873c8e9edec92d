import ClusterModel

/// Who votes: keeping track of configuration entries, and the leader's decisions to append one.
extension ConsensusCore {
    // MARK: Keeping track

    /// Every node whose vote counts anywhere now.
    package var votingNodes: NodeSet { quorum.nodes }

    mutating func appendToLog(_ entry: LogEntry) {
        log.append(entry)
        guard case .voters = entry.payload else { return }
        history.append(entry)
        votersChanged()
        beListed()
    }

    /// A newcomer that is listed as it runs counts from then on.
    ///
    /// Whoever lists it has had its former start taken out by the others before, so nothing that was forgotten is asked of
    /// it any more.
    mutating func beListed() {
        guard isNewcomer, history.newest.set.incarnation(of: id) == incarnation else { return }
        isNewcomer = false
        outbox.writes.endsNewcomer = true
        if let leader = currentLeader { sendHeartbeat(to: leader) }
    }

    /// Whether a peer's votes and acknowledgements count: not while it is a newcomer, and not while a start that is not
    /// listed has not said that it is none.
    ///
    /// A newcomer that is listed as it runs counts, whether it knows that yet or not: it has promised nothing to anybody
    /// else, and what it has acknowledged it keeps. It votes for nobody before it knows.
    func counts(_ record: PeerRecord) -> Bool {
        if faults.countNewcomers { return true }
        if let isNewcomer = record.said?.isNewcomer { return !isNewcomer || isListedAsItRuns(record) }
        return quorum.sets.allSatisfy { record.incarnation <= $0.incarnation(of: record.id) ?? record.incarnation }
    }

    /// The same for the record in this place: handing one over from a function that changes the core takes a copy of all.
    func counts(at slot: Int) -> Bool {
        if faults.countNewcomers { return true }
        if let isNewcomer = records[slot].said?.isNewcomer { return !isNewcomer || isListedAsItRuns(records[slot]) }
        return counts(records[slot])
    }

    private func isListedAsItRuns(_ record: PeerRecord) -> Bool {
        let listed = quorum.sets.compactMap { $0.incarnation(of: record.id) }
        return !listed.isEmpty && listed.allSatisfy { $0 == record.incarnation }
    }

    mutating func commit(through index: LogIndex) {
        guard index > committed else { return }
        committed = index
        guard history.commit(through: index) else { return }
        outbox.writes.committedVoters = history.committedIndex
        votersChanged()
    }

    private mutating func votersChanged() {
        own.togetherSince = clock
        refreshQuorum()
        emit(.votersChanged(history.newest, isCommitted: history.isSettled))
    }

    /// Takes over what decides who is counted.
    mutating func refreshQuorum() {
        quorum.sets = history.active
        quorum.deaths = deaths
        quorum.holdsByHalf = settings.holdsByHalf
        recordsAreDue = true
    }

    mutating func take(_ settings: QuorumSettings) {
        guard settings != self.settings else { return }
        if settings.arbiters != self.settings.arbiters { own.arbiterAnswers = nil }
        self.settings = settings
        refreshQuorum()
    }

    /// Keeps a record of every node that votes, gets the log, or is asked; called when nobody holds a place in the list.
    mutating func refreshRecords() {
        recordsAreDue = false
        var wanted = settings.members.union(votingNodes)
        wanted.remove(id)
        guard NodeSet(records.lazy.map(\.id)) != wanted else { return }
        var kept = records.filter { wanted.contains($0.id) }
        let known = NodeSet(kept.map(\.id))
        for node in wanted.nodes where !known.contains(node) {
            var record = PeerRecord(id: node, now: clock)
            record.progress.next = log.last.index + 1
            kept.append(record)
        }
        records = kept.sorted { $0.id < $1.id }
        slots = [UInt8](repeating: .max, count: 256)
        for (slot, record) in records.enumerated() { slots[Int(record.id.rawValue)] = UInt8(slot) }
    }

    // MARK: Deciding

    /// Leader: appends the next change of the voter set that is due, one at a time (RULES 4.2-a, b and d).
    mutating func considerVoters() {
        guard let leadership, currentRole == .leader, leadership.isQuorate,
            leadership.grantsLeases || faults.changeVotersEarly, leadership.transfer == nil, own.leaveBy == nil,
            clock >= leadership.earlierLeasesOver
        else { return }
        let set = history.newest.set
        guard history.isSettled || faults.changeVotersEarly, !settings.keepsVoters else { return }
        guard set.nodes.contains(id), settings.eligible.contains(id) else {
            // This node is no voter any more, or shall be none: another leads on, if there is one who shall vote.
            if let best = bestSuccessor(), settings.eligible.contains(best) || !set.nodes.contains(id) {
                transferLeadership(to: best)
                return
            }
            considerVoters(after: set)
            return
        }
        considerVoters(after: set)
    }

    private mutating func considerVoters(after set: VoterSet) {
        guard let changed = nextVoters(after: set) else { return }
        appendAsLeader(.voters(changed))
        countNewcomers()
        for slot in records.indices { replicate(to: slot, isUrgent: false) }
        advanceCommit()
    }

    /// What a newcomer has acknowledged before it was listed counts once it is: it promised like everybody else, and a
    /// leader of two would have no quorum until it is heard again.
    private mutating func countNewcomers() {
        guard let counted = leadership?.acknowledgedFrom else { return }
        for slot in records.indices where records[slot].said?.isNewcomer == true && counts(at: slot) {
            // Only with a heartbeat it learns for how long it has to promise.
            guard records[slot].roundTrip != nil, let sent = records[slot].answeredSend, sent >= counted else {
                continue
            }
            records[slot].acknowledgedSend = max(sent, records[slot].acknowledgedSend ?? sent)
            records[slot].lastAcknowledgement = max(sent, records[slot].lastAcknowledgement)
        }
    }

    private func nextVoters(after set: VoterSet) -> VoterSet? {
        if set.incarnation(of: id) != incarnation, settings.eligible.contains(id) {
            let changed = set.listing(quorum.own)
            if isDecidable(changed) { return changed }
        }
        for voter in set.voters where voter.node != id {
            guard let fresh = listable(voter.node), fresh.incarnation > voter.incarnation else { continue }
            // A newcomer does not know what its former start promised, so that one is taken out without its help first.
            let isUncounted = slot(of: voter.node).map { !counts(at: $0) } ?? false
            let changed = isUncounted ? set.removing(voter.node) : set.listing(fresh)
            if isDecidable(changed) { return changed }
        }
        for voter in set.voters where voter.node != id {
            guard !settings.eligible.contains(voter.node) || isRemovable(voter, from: set) else { continue }
            let changed = set.removing(voter.node)
            if isDecidable(changed) { return changed }
        }
        guard set.count < ConsensusLimits.voters else { return nil }
        for peer in records.indices.lazy.map({ records[$0].id }) where !set.nodes.contains(peer) {
            guard let fresh = listable(peer) else { continue }
            let changed = set.listing(fresh)
            if isDecidable(changed) { return changed }
        }
        return nil
    }

    /// Whether those who answer now decide in a set: with another one this leader would have no quorum any more, and
    /// could not even take the change back.
    private func isDecidable(_ set: VoterSet) -> Bool {
        if faults.changeVotersEarly { return true }
        var wanted = quorum
        wanted.sets = [set]
        var answering = NodeSet()
        answering.insert(id)
        for slot in records.indices {
            guard let said = records[slot].said, let sent = records[slot].answeredSend,
                clock - sent <= timing.lostAfter
            else { continue }
            let isListed = set.incarnation(of: records[slot].id) == records[slot].incarnation
            if !said.isNewcomer || isListed { answering.insert(records[slot].id) }
        }
        return wanted.isReached(by: answering)
    }

    /// A peer as it runs now, if it has everything that is committed and answered this leader's last heartbeat or the one
    /// before: so a joiner that dies blocks nobody for longer than that.
    private func listable(_ node: NodeID) -> Voter? {
        guard let slot = slot(of: node), settings.eligible.contains(node) else { return nil }
        guard case .alive = records[slot].state, records[slot].progress.isReplicating,
            records[slot].progress.match >= committed,
            let sent = records[slot].answeredSend, clock - sent <= timing.heartbeatInterval * 2
        else { return nil }
        let voter = Voter(node: node, incarnation: records[slot].incarnation)
        return deaths.cover(voter) ? nil : voter
    }

    /// Whether a voter that is proven dead may be taken out: of an even set always, of an odd one only if what is left
    /// can lose a voter again because each can be powered off.
    private func isRemovable(_ voter: Voter, from set: VoterSet) -> Bool {
        guard deaths.cover(voter) else { return false }
        if set.count.isMultiple(of: 2) || faults.shrinkOddSets { return true }
        return set.voters.allSatisfy { $0.node == voter.node || settings.fenceable.contains($0.node) }
    }
}
