import ClusterModel

extension ConsensusCore {
    // MARK: Leader

    mutating func propose(_ command: [UInt8], token: UInt64) {
        guard currentRole == .leader, let leadership else {
            emit(.proposalRefused(token: token, leader: currentLeader, reason: .notLeader))
            return
        }
        var refusal: RefusalReason?
        if command.count > ConsensusLimits.commandBytes { refusal = .tooLong }
        if log.last.index - committed >= UInt64(ConsensusLimits.uncommittedEntries) { refusal = .busy }
        if log.byteCount(behind: committed) + command.count > ConsensusLimits.uncommittedBytes { refusal = .busy }
        if leadership.transfer != nil { refusal = .transferring }
        if isMeeting { refusal = .meeting }
        if let refusal {
            emit(.proposalRefused(token: token, leader: id, reason: refusal))
            return
        }
        appendAsLeader(.command(command))
        emit(.proposalAccepted(token: token, index: log.last.index, term: currentTerm))
        for slot in records.indices { replicate(to: slot, isUrgent: false) }
        advanceCommit()
    }

    mutating func appendAsLeader(_ payload: EntryPayload) {
        let entry = LogEntry(index: log.last.index + 1, term: currentTerm, payload: payload)
        appendToLog(entry)
        outbox.writes.replaceLog(from: entry.index, with: [entry])
    }

    /// Sends a follower what it lacks, as far as the window allows.
    ///
    /// - Parameters:
    ///   - slot: The follower.
    ///   - isUrgent: Send even without entries, to carry the commit index or to ask where the logs agree.
    mutating func replicate(to slot: Int, isUrgent: Bool) {
        guard !records[slot].isLost else { return }
        guard records[slot].progress.snapshotOffset == nil else { return }
        var sent = false
        while records[slot].progress.inFlight < records[slot].progress.window,
            records[slot].progress.next <= log.last.index
        {
            guard sendAppend(to: slot) else { return }
            sent = true
        }
        if isUrgent, !sent { _ = sendAppend(to: slot) }
    }

    /// - Returns: false when the follower needs a snapshot instead.
    private mutating func sendAppend(to slot: Int) -> Bool {
        let next = records[slot].progress.next
        guard let previousTerm = log.term(at: next - 1) else {
            startSnapshot(to: slot)
            return false
        }
        let entries = log.slice(from: next)
        let append = Append(
            term: currentTerm,
            sentAt: clock.echo,
            previous: LogPosition(index: next - 1, term: previousTerm),
            commitIndex: committed,
            entries: entries
        )
        send(.append(append), to: records[slot].id)
        if records[slot].progress.isReplicating { records[slot].progress.next += UInt64(entries.count) }
        if !entries.isEmpty || !records[slot].progress.isReplicating {
            records[slot].progress.inFlight += 1
            armRetry(slot)
        }
        return true
    }

    private func armedRetry(_ progress: Progress) -> Duration {
        max(progress.retryAfter, timing.heartbeatInterval)
    }

    mutating func armRetry(_ slot: Int) {
        guard records[slot].progress.retryAt == nil else { return }
        records[slot].progress.retryAt = clock + armedRetry(records[slot].progress)
    }

    /// Starts over behind what is known to agree, for a follower that owes an answer; less often each time.
    mutating func retryIfDue(_ slot: Int) {
        guard !records[slot].isLost else { return }
        var progress = records[slot].progress
        guard let retryAt = progress.retryAt else {
            // A peer that came back, or whose messages all were lost with their answers.
            if progress.match < log.last.index { replicate(to: slot, isUrgent: true) }
            return
        }
        guard retryAt <= clock else { return }
        progress.retryAfter = min(armedRetry(progress) * 2, Self.longestRetry)
        progress.retryAt = nil
        progress.inFlight = 0
        if progress.snapshotOffset == nil {
            if progress.match > 0 { progress.next = progress.match + 1 }
            progress.isReplicating = false
        }
        records[slot].progress = progress
        if progress.snapshotOffset == nil {
            replicate(to: slot, isUrgent: true)
        } else {
            sendSnapshotPart(to: slot)
        }
    }

    private static let longestRetry = Duration.seconds(1)

    mutating func receive(_ answer: AppendAnswer, from slot: Int) {
        if answer.term > currentTerm {
            noticeHigherTerm(answer.term)
            return
        }
        guard currentRole == .leader, answer.term == currentTerm else { return }
        acknowledged(answer.echo, by: slot, measuresRoundTrip: false)
        if answer.agreed {
            agreed(through: min(answer.index, log.last.index), slot: slot)
        } else {
            disagreed(answer, slot: slot)
        }
    }

    private mutating func agreed(through index: LogIndex, slot: Int) {
        var progress = records[slot].progress
        progress.match = max(progress.match, index)
        progress.next = max(progress.next, progress.match + 1)
        progress.isReplicating = true
        progress.snapshotOffset = nil
        progress.inFlight = max(0, progress.inFlight - 1)
        progress.retryAfter = .zero
        progress.retryAt = nil
        if progress.match + 1 == progress.next { progress.inFlight = 0 }
        if progress.inFlight > 0 { progress.retryAt = clock + timing.heartbeatInterval }
        records[slot].progress = progress
        advanceCommit()
        guard currentRole == .leader else { return }
        replicate(to: slot, isUrgent: false)
        continueTransfer(slot)
    }

    private mutating func disagreed(_ answer: AppendAnswer, slot: Int) {
        var progress = records[slot].progress
        // A refusal of something that has been agreed meanwhile is late; so is one of what is not being asked.
        guard answer.refused > progress.match, progress.snapshotOffset == nil else { return }
        guard progress.isReplicating || answer.refused == progress.next - 1 else { return }
        let agreement = log.lastAgreement(atOrBefore: answer.index, termAtMost: answer.hintTerm)
        progress.next = max(progress.match, min(agreement.index, answer.refused - 1)) + 1
        progress.isReplicating = false
        progress.inFlight = 0
        progress.retryAt = nil
        records[slot].progress = progress
        replicate(to: slot, isUrgent: true)
    }

    /// Commits what a quorum holds, if the newest of it is of this leader's term (Raft §5.3, §5.4.2).
    mutating func advanceCommit() {
        guard currentRole == .leader else { return }
        let written = faults.countUnwrittenLog ? log.last.index : pending.writtenIndex
        guard let index = quorumIndex(own: written), index > committed else { return }
        guard log.term(at: index) == currentTerm || faults.commitEarlierTerms else { return }
        commit(through: index)
        if leadership?.grantsLeases == false {
            leadership?.grantsLeases = true
            renewOwnLeaseAsLeader()
            grantWaiting()
        }
        for slot in records.indices where records[slot].progress.isReplicating {
            replicate(to: slot, isUrgent: true)
        }
    }

    /// The highest index that a quorum has on its disks, the own disk included only as far as it is written.
    private func quorumIndex(own written: LogIndex) -> LogIndex? {
        var best = quorum.isReached(by: holders(of: written, own: written)) ? written : nil
        for slot in records.indices {
            let candidate = records[slot].progress.match
            if let best, candidate <= best { continue }
            if quorum.isReached(by: holders(of: candidate, own: written)) { best = candidate }
        }
        return best
    }

    /// Who has an entry on its disk, as far as that counts.
    private func holders(of index: LogIndex, own written: LogIndex) -> NodeSet {
        var holders = NodeSet()
        if written >= index { holders.insert(id) }
        for slot in records.indices where records[slot].progress.match >= index && counts(at: slot) {
            holders.insert(records[slot].id)
        }
        return holders
    }

    // MARK: Follower

    mutating func receive(_ append: Append, from slot: Int) {
        let leader = records[slot].id
        guard takesPart else { return }
        guard append.term >= currentTerm else {
            let hint = LogPosition(index: 0, term: 0)
            let answer = AppendAnswer.refused(
                term: currentTerm,
                echo: append.sentAt,
                hint: hint,
                refused: append.previousIndex
            )
            sendAfterPersist(.appendAnswer(answer), to: leader)
            return
        }
        guard follow(leader, term: append.term), takesPart else { return }
        acknowledgeLeader(leader)
        var entries = append.entries[...]
        var previous = append.previous
        // What is committed is known to agree, and some of it may be compacted away.
        while previous.index < committed, let first = entries.first {
            previous = LogPosition(index: first.index, term: first.term)
            entries.removeFirst()
        }
        guard previous.index <= committed || log.term(at: previous.index) == previous.term else {
            refuse(append, to: leader)
            return
        }
        guard takeEntries(entries) else { return }
        answerAgreed(append, through: max(committed, previous.index + UInt64(entries.count)), to: leader)
        advanceCommit(toLeaders: append.commitIndex)
    }

    private mutating func answerAgreed(_ append: Append, through index: LogIndex, to leader: NodeID) {
        agreedIndex = max(agreedIndex, index)
        sendAfterPersist(
            .appendAnswer(.agreed(term: currentTerm, echo: append.sentAt, through: index)),
            to: leader
        )
    }

    private mutating func refuse(_ append: Append, to leader: NodeID) {
        let hint = log.lastAgreement(
            atOrBefore: append.previousIndex == 0 ? 0 : append.previousIndex - 1,
            termAtMost: append.previousTerm
        )
        let answer = AppendAnswer.refused(
            term: currentTerm,
            echo: append.sentAt,
            hint: hint,
            refused: append.previousIndex
        )
        sendAfterPersist(.appendAnswer(answer), to: leader)
    }

    /// Takes entries that follow what agrees; only a real conflict removes anything, so that a late message does not
    /// undo a newer one (Raft §5.3).
    ///
    /// - Returns: false when that would replace a committed entry, which the rules of Raft exclude.
    private mutating func takeEntries(_ entries: ArraySlice<LogEntry>) -> Bool {
        guard let start = entries.firstIndex(where: { log.term(at: $0.index) != $0.term }) else { return true }
        let fresh = entries[start...]
        guard let first = fresh.first else { return true }
        if first.index <= log.last.index {
            guard first.index > committed else {
                stopTakingPart("entry \(first.index) is committed, and the leader of term \(currentTerm) has another")
                return false
            }
            log.truncate(from: first.index)
            history.truncate(from: first.index)
            refreshQuorum()
            pending.truncated(from: first.index)
        }
        for entry in fresh { appendToLog(entry) }
        outbox.writes.replaceLog(from: first.index, with: Array(fresh))
        return true
    }

    /// The leader says what is committed; it holds here as far as the logs are known to agree.
    mutating func advanceCommit(toLeaders index: LogIndex) {
        commit(through: min(index, agreedIndex))
    }
}
