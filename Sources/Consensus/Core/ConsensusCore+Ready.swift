import ClusterModel

/// What one input has brought about so far.
struct Outbox: Sendable {
    var sendNow: [Outgoing] = []
    /// Messages that rest on something that must be durable first.
    var held: [Outgoing] = []
    var writes = DurableWrites()
    var events: [Event] = []
    /// The term in which this input made the node vote for itself.
    var ownVote: Term?
    /// This input made the node end its incarnation.
    var endsIncarnation = false
    /// This input made the node begin a branch.
    var beginsAnew = false
}

/// Batches on their way to the disk, with what waits for them.
struct PendingWrites: Sendable {
    struct Flight: Sendable {
        let id: PersistID
        /// Everything up to here is on the disk when this batch is, unless a later batch replaced it.
        var lastIndex: LogIndex
        var held: [Outgoing]
        let ownVote: Term?
        let endsIncarnation: Bool
        let beginsAnew: Bool
    }

    var flights: [Flight] = []
    var nextID: PersistID = 1
    /// The own log is on the disk up to here.
    var writtenIndex: LogIndex = 0

    /// The log was cut: what an earlier batch writes there is not what the log holds now.
    mutating func truncated(from index: LogIndex) {
        writtenIndex = min(writtenIndex, index - 1)
        for position in flights.indices { flights[position].lastIndex = min(flights[position].lastIndex, index - 1) }
    }
}

extension ConsensusCore {
    /// Sends a message in this call.
    mutating func send(_ message: Message, to peer: NodeID) {
        outbox.sendNow.append(Outgoing(to: peer, message: message))
    }

    /// Sends a message once everything that was decided up to now is on the disk.
    mutating func sendAfterPersist(_ message: Message, to peer: NodeID) {
        outbox.held.append(Outgoing(to: peer, message: message))
    }

    mutating func emit(_ event: Event) { outbox.events.append(event) }

    mutating func saveVote() {
        outbox.writes.vote = VoteRecord(term: currentTerm, votedFor: votedFor)
    }

    /// A batch and all before it are on the disk: lets go what waited.
    ///
    /// A disk that was full works again when a write has succeeded: the shell tries for as long as it takes.
    mutating func persisted(_ receipt: PersistReceipt) {
        if !own.storageWorks, !own.isStopped { setStorage(working: true) }
        var count = 0
        for flight in pending.flights {
            guard flight.id <= receipt.id else { break }
            count += 1
            outbox.sendNow.append(contentsOf: flight.held)
            pending.writtenIndex = max(pending.writtenIndex, flight.lastIndex)
            if let ownVote = flight.ownVote { countOwnVote(ownVote) }
            if flight.endsIncarnation { incarnationEnded() }
            if flight.beginsAnew { emit(.beginsAnew) }
        }
        pending.flights.removeFirst(count)
        if count > 0, currentRole == .leader { advanceCommit() }
    }

    /// Turns what the input has brought about into the shell's work.
    mutating func makeReady() -> Ready {
        if recordsAreDue { refreshRecords() }
        var entries: [LogEntry] = []
        if committed > handedOut {
            entries = Array(log.entries(handedOut + 1...committed))
            handedOut = committed
        }
        askForSnapshot()
        var batch: PersistBatch?
        if faults.sendBeforePersist { releaseHeld() }
        if !outbox.writes.isEmpty {
            batch = PersistBatch(writes: outbox.writes, id: pending.nextID)
            let flight = PendingWrites.Flight(
                id: pending.nextID,
                lastIndex: log.last.index,
                held: outbox.held,
                ownVote: outbox.ownVote,
                endsIncarnation: outbox.endsIncarnation,
                beginsAnew: outbox.beginsAnew
            )
            pending.flights.append(flight)
            pending.nextID += 1
        } else if outbox.held.isEmpty {
            // Nothing to write and nothing that waits.
        } else if let last = pending.flights.indices.last {
            // Nothing new to write, but what an answer says may still be on its way to the disk.
            let room = ConsensusLimits.heldMessages - pending.flights[last].held.count
            pending.flights[last].held.append(contentsOf: outbox.held.prefix(max(0, room)))
        } else {
            releaseHeld()
        }
        var done = Outbox()
        swap(&done, &outbox)
        return Ready(persist: batch, sendNow: done.sendNow, events: done.events, committed: entries)
    }

    private mutating func releaseHeld() {
        outbox.sendNow.append(contentsOf: outbox.held)
        outbox.held.removeAll()
    }
}
