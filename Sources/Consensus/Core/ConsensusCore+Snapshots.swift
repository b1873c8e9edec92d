import ClusterModel

/// The limits that decide when a snapshot is needed and in how many parts it travels.
package struct CompactionBounds: Sendable {
    /// Entries after which a snapshot is asked for.
    package var logEntries = ConsensusLimits.logEntries
    /// Entries kept behind a snapshot.
    package var retainedEntries = ConsensusLimits.retainedEntries
    /// Bytes of a snapshot in one message.
    package var snapshotChunkBytes = ConsensusLimits.snapshotChunkBytes

    /// As in production.
    package init() {}
}

/// A snapshot that is coming in parts.
struct IncomingSnapshot: Sendable {
    let last: LogPosition
    let total: Int
    var data: [UInt8] = []
}

extension ConsensusCore {
    // MARK: Own log

    mutating func askForSnapshot() {
        guard !snapshotWanted, committed > (snapshot?.lastIndex ?? 0) else { return }
        guard log.count > bounds.logEntries || log.byteCount > ConsensusLimits.logBytes else { return }
        snapshotWanted = true
        emit(.wantSnapshot)
    }

    /// Keeps the shell's state and forgets the entries before it, but for a few that a slow follower may still need.
    mutating func compact(upTo index: LogIndex, data: [UInt8]) {
        snapshotWanted = false
        guard index > snapshot?.lastIndex ?? 0, index <= handedOut, let term = log.term(at: index) else { return }
        let fresh = Snapshot(lastIndex: index, lastTerm: term, data: data, voters: history.set(asOf: index))
        snapshot = fresh
        history.compact(through: index)
        outbox.writes.snapshot = fresh
        let retained = UInt64(bounds.retainedEntries)
        guard index > retained, index - retained > log.base.index else { return }
        log.compact(through: index - retained)
        outbox.writes.dropLogThrough = index - retained - 1
    }

    // MARK: Leader

    mutating func startSnapshot(to slot: Int) {
        guard let snapshot else { return }
        records[slot].progress.snapshotOffset = 0
        records[slot].progress.snapshotIndex = snapshot.lastIndex
        records[slot].progress.retryAt = nil
        sendSnapshotPart(to: slot)
    }

    mutating func sendSnapshotPart(to slot: Int) {
        guard let snapshot, var offset = records[slot].progress.snapshotOffset else { return }
        if records[slot].progress.snapshotIndex != snapshot.lastIndex {
            // A newer one was made meanwhile; the parts of the old one are of no use.
            records[slot].progress.snapshotIndex = snapshot.lastIndex
            offset = 0
        }
        offset = min(offset, snapshot.data.count)
        records[slot].progress.snapshotOffset = offset
        let end = min(offset + bounds.snapshotChunkBytes, snapshot.data.count)
        let part = SnapshotPart(
            term: currentTerm,
            sentAt: clock.echo,
            last: LogPosition(index: snapshot.lastIndex, term: snapshot.lastTerm),
            total: snapshot.data.count,
            offset: offset,
            data: Array(snapshot.data[offset..<end]),
            voters: snapshot.voters ?? history.set(asOf: snapshot.lastIndex)
        )
        send(.snapshotPart(part), to: records[slot].id)
        armRetry(slot)
    }

    mutating func receive(_ answer: SnapshotAnswer, from slot: Int) {
        if answer.term > currentTerm {
            noticeHigherTerm(answer.term)
            return
        }
        guard currentRole == .leader, answer.term == currentTerm else { return }
        acknowledged(answer.echo, by: slot, measuresRoundTrip: false)
        let progress = records[slot].progress
        guard let offset = progress.snapshotOffset, progress.snapshotIndex == answer.lastIndex,
            Int(answer.received) != offset
        else { return }
        records[slot].progress.snapshotOffset = Int(answer.received)
        records[slot].progress.retryAt = nil
        records[slot].progress.retryAfter = .zero
        sendSnapshotPart(to: slot)
    }

    // MARK: Follower

    mutating func receive(_ part: SnapshotPart, from slot: Int) {
        let leader = records[slot].id
        guard takesPart else { return }
        guard part.term >= currentTerm else {
            let answer = SnapshotAnswer(term: currentTerm, echo: part.sentAt, lastIndex: part.lastIndex, received: 0)
            sendAfterPersist(.snapshotAnswer(answer), to: leader)
            return
        }
        guard follow(leader, term: part.term), takesPart else { return }
        acknowledgeLeader(leader)
        if part.lastIndex <= committed {
            answerInstalled(part, to: leader)
            return
        }
        var building = incoming ?? IncomingSnapshot(last: part.last, total: Int(part.total))
        if building.last != part.last || building.total != Int(part.total) {
            building = IncomingSnapshot(last: part.last, total: Int(part.total))
        }
        if Int(part.offset) == building.data.count { building.data.append(contentsOf: part.data) }
        guard building.data.count == building.total else {
            let answer = SnapshotAnswer(
                term: currentTerm,
                echo: part.sentAt,
                lastIndex: part.lastIndex,
                received: building.data.count
            )
            incoming = building
            send(.snapshotAnswer(answer), to: leader)
            return
        }
        incoming = nil
        let last = part.last
        install(Snapshot(lastIndex: last.index, lastTerm: last.term, data: building.data, voters: part.voters))
        answerInstalled(part, to: leader)
    }

    private mutating func answerInstalled(_ part: SnapshotPart, to leader: NodeID) {
        agreedIndex = max(agreedIndex, committed)
        let answer = AppendAnswer.agreed(term: currentTerm, echo: part.sentAt, through: committed)
        sendAfterPersist(.appendAnswer(answer), to: leader)
    }

    /// Replaces the state; entries behind the snapshot stay if the log agrees with it (Raft §7).
    private mutating func install(_ fresh: Snapshot) {
        let last = LogPosition(index: fresh.lastIndex, term: fresh.lastTerm)
        if log.term(at: last.index) == last.term, last.index > log.base.index {
            log.compact(through: last.index)
            if let voters = fresh.voters { history.rebase(on: voters, through: last.index) }
            outbox.writes.dropLogThrough = last.index
        } else {
            log.reset(to: last)
            if let voters = fresh.voters { history.reset(to: voters) }
            pending.truncated(from: 1)
            outbox.writes.replaceLog(from: 1, with: [])
        }
        snapshot = fresh
        outbox.writes.snapshot = fresh
        committed = last.index
        handedOut = last.index
        outbox.writes.committedVoters = history.committedIndex
        refreshQuorum()
        beListed()
        snapshotWanted = false
        emit(.snapshotInstalled(fresh))
    }
}
