import Balancing
import CLinux
import ClusterModel
import HTTP1
import ProxyControl

/// Picking servers and reaching them.
extension Loop {
    mutating func serverNumber(_ entry: UnsafePointer<ListenerEntry>, _ row: Int) -> Int32 {
        table?.pointee.rowServers[Int(entry.pointee.firstRow) + row] ?? -1
    }

    mutating func row(of server: Int32, _ entry: UnsafePointer<ListenerEntry>) -> Int {
        for row in 0..<Int(entry.pointee.rowCount) where serverNumber(entry, row) == server { return row }
        return -1
    }

    // MARK: Reaching

    /// Sends the request in `out` over an idle connection, or over a new one once it stands.
    mutating func forward(_ client: SlotPointer, _ count: Int) {
        let isReplayable = mayRepeat(client)
        while let server = takeReusable(client) {
            // What cannot be sent twice must not meet a connection that its server has just closed.
            if !isReplayable, !isAlive(server) {
                discard(server, reset: false)
                continue
            }
            if isReplayable { hold(client, count) }
            link(client, server)
            if case .sinkFailed = send(server, out, count) {
                // Nothing of it can have been read: the connection was closed before.
                closeServer(server)
                blocks.release(&client.pointee.request)
                continue
            }
            return startExchange(client, server)
        }
        hold(client, count)
        connect(client)
    }

    /// Keeps a copy of the request in `out`.
    private mutating func hold(_ client: SlotPointer, _ count: Int) {
        var copy = blocks.take(count)
        copy.base?.update(from: out, count: count)
        copy.end = Int32(count)
        client.pointee.request = copy
        if mayRepeat(client) { client.pointee.flags.insert(.replayable) }
    }

    private mutating func link(_ client: SlotPointer, _ server: SlotPointer) {
        server.pointee.peer = client
        client.pointee.peer = server
        counters.add(.open, server: server.pointee.server, 1)
        if server.pointee.phase == .idle {
            counters.add(.idle, server: server.pointee.server, -1)
            server.pointee.phase = .exchange
        }
    }

    /// Starts a connection to the client's server.
    mutating func connect(_ client: SlotPointer) {
        client.pointee.phase = .waiting
        client.pointee.deadline = .max
        let entry = server(client.pointee.server)
        let result = entry.pointee.family == 0 ? -Int(EADDRNOTAVAIL) : haven_tcp_socket(entry.pointee.family)
        guard result >= 0, let slot = slab.take() else {
            if result >= 0 { _ = haven_close(Int32(result)) }
            return failAttempt(client, refused: true)
        }
        let fd = Int32(result)
        slot.pointee.kind = .server
        slot.pointee.phase = .connecting
        slot.pointee.fd = fd
        slot.pointee.listener = client.pointee.listener
        slot.pointee.server = client.pointee.server
        if client.pointee.flags.contains(.http) { slot.pointee.flags.insert(.http) }
        link(client, slot)
        _ = haven_setsockopt_int(fd, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        let started = withUnsafeBytes(of: entry.pointee.address) { raw in
            haven_connect(fd, raw.baseAddress, entry.pointee.addressLength)
        }
        guard started >= 0 || started == -Int(EINPROGRESS) else { return connectFailed(slot, refused: true) }
        register(slot)
        slot.pointee.started = now
        let limit = ConnectPatience.limit(
            attempt: Int(client.pointee.attempts),
            timeout: listener(client.pointee.listener).pointee.connect,
            usual: connectTimes[Int(client.pointee.server)],
            next: hasOther(client) ? nextStep(client, after: .connectionFailure) : .sameServer
        )
        wheel.set(slot, now + limit)
        // On the same machine the connection stands by now; sending at once saves a pass.
        if slot.pointee.flags.contains(.http), !entry.pointee.isEncrypted { sendFirst(client, slot) }
    }

    /// An event on a connection under way.
    mutating func serveConnecting(_ slot: SlotPointer) {
        guard let client = slot.pointee.peer else { return }
        let entry = server(slot.pointee.server)
        // Sending finds out by itself whether the connection stands.
        if slot.pointee.flags.contains(.http), !entry.pointee.isEncrypted { return sendFirst(client, slot) }
        let error = haven_getsockopt_int(slot.pointee.fd, SOL_SOCKET, SO_ERROR)
        if error != 0 || slot.pointee.flags.contains(.failed) { return connectFailed(slot, refused: true) }
        guard entry.pointee.isEncrypted else { return connected(slot) }
        guard let context = entry.pointee.tls else { return connectFailed(slot, refused: true) }
        connectSession(slot, context)
    }

    /// The connection to a server is complete, with its encryption.
    mutating func connected(_ slot: SlotPointer) {
        guard let client = slot.pointee.peer else { return }
        if slot.pointee.flags.contains(.http) { return sendFirst(client, slot) }
        noteConnected(slot)
        startTunnel(client, slot)
    }

    private mutating func noteConnected(_ slot: SlotPointer) {
        let time = connectTimes + Int(slot.pointee.server)
        time.pointee = ConnectPatience.smoothed(time.pointee, sample: now - slot.pointee.started)
        noteReached(slot.pointee.server)
    }

    /// Sends the held request; that works as soon as the connection stands.
    private mutating func sendFirst(_ client: SlotPointer, _ slot: SlotPointer) {
        guard let base = client.pointee.request.base else { return connectFailed(slot, refused: true) }
        let count = client.pointee.request.count
        let sent = transmit(slot, base, count)
        if sent == -Int(EAGAIN) || sent == -Int(EINTR) { return }
        guard sent > 0 else { return connectFailed(slot, refused: true) }
        noteConnected(slot)
        if sent < count {
            var rest = blocks.take(count - sent)
            rest.base?.update(from: base + sent, count: count - sent)
            rest.end = Int32(count - sent)
            slot.pointee.output = rest
        }
        startExchange(client, slot)
    }

    private mutating func startExchange(_ client: SlotPointer, _ server: SlotPointer) {
        if !client.pointee.flags.contains(.replayable), client.pointee.request.base != nil {
            blocks.release(&client.pointee.request)
        }
        client.pointee.phase = .exchange
        server.pointee.phase = .exchange
        client.pointee.notes.noteConnected(now)
        counters.add(.requests, server: server.pointee.server)
        if client.pointee.flags.contains(.requestDone) {
            client.pointee.deadline = .max
            wheel.set(server, now + listener(client.pointee.listener).pointee.server)
        } else {
            server.pointee.deadline = .max
            pumpRequest(client, server)
        }
    }

    // MARK: Failures

    /// A connection attempt ended without a connection.
    mutating func connectFailed(_ slot: SlotPointer, refused: Bool) {
        guard let client = slot.pointee.peer else { return }
        closeServer(slot)
        failAttempt(client, refused: refused)
    }

    private mutating func failAttempt(_ client: SlotPointer, refused: Bool) {
        counters.add(.connectFailures, server: client.pointee.server)
        noteUnreached(client.pointee.server)
        let entry = listener(client.pointee.listener)
        let step = nextStep(client, after: .connectionFailure)
        if step != .giveUp { client.pointee.attempts &+= 1 }
        switch step {
        case .sameServer where refused:
            client.pointee.phase = .turnAround
            wheel.set(client, now + entry.pointee.turnAround)
        case .sameServer: connect(client)
        case .anotherServer: redispatch(client)
        case .giveUp: giveUp(client, .connectFailed)
        }
    }

    /// What follows if the attempt under way fails like this.
    mutating func nextStep(_ client: SlotPointer, after cause: RetryCauses) -> RetryPolicy.Step {
        let entry = listener(client.pointee.listener)
        guard entry.pointee.retryOn.contains(cause) else { return .giveUp }
        let policy = RetryPolicy(
            retries: Int(entry.pointee.retries),
            redispatches: entry.pointee.redispatches,
            interval: Int(entry.pointee.redispatchInterval)
        )
        return policy.step(
            attempt: Int(client.pointee.attempts),
            // A client that its hash brought here is as little at home elsewhere as one with a cookie.
            followsCookie: client.pointee.flags.contains(.followsCookie) || entry.pointee.method.isByHash,
            isUsable: server(client.pointee.server).pointee.isUsable,
            eligible: Int(entry.pointee.eligible)
        )
    }

    /// Whether there is another server than the client's for it.
    private mutating func hasOther(_ client: SlotPointer) -> Bool {
        let entry = listener(client.pointee.listener)
        if entry.pointee.eligible != 1 { return entry.pointee.eligible > 1 }
        let row = row(of: client.pointee.server, entry)
        guard let table, row >= 0 else { return true }
        return !table.pointee.rows[Int(entry.pointee.firstRow) + row].isEligible
    }

    /// Tries another server; the client's cookie counts no longer.
    mutating func redispatch(_ client: SlotPointer) {
        client.pointee.flags.remove(.followsCookie)
        client.pointee.notes.noteRedispatch()
        let failed = row(of: client.pointee.server, listener(client.pointee.listener))
        guard balance(client, avoiding: failed, reason: .redispatch) else { return giveUp(client, .noServer) }
        connect(client)
    }

    /// The pause before another attempt at the same server is over.
    mutating func endTurnAround(_ client: SlotPointer) {
        let entry = listener(client.pointee.listener)
        let isUsable = server(client.pointee.server).pointee.isUsable
        // A number that left the listener meanwhile may be somebody else's soon.
        let isLost = server(client.pointee.server).pointee.isLost
        if isLost || row(of: client.pointee.server, entry) < 0 || (entry.pointee.redispatches && !isUsable) {
            return redispatch(client)
        }
        connect(client)
    }

    private mutating func giveUp(_ client: SlotPointer, _ reason: AnswerReason) {
        if client.pointee.flags.contains(.http) { return answer(client, reason) }
        counters.add(reason, listener: client.pointee.listener)
        client.pointee.notes.answer = reason
        discard(client, reset: true)
    }

    /// The cluster says that the server's node is gone: nothing will ever come from it.
    mutating func serverVanished(_ slot: SlotPointer) {
        guard let client = slot.pointee.peer, !moveOrCut(client, slot) else { return }
        answerLost(client, slot)
    }

    /// A server shall serve its client no longer: moves a client whom it has been asked nothing for to another one, and cuts
    /// one whom it has told something.
    ///
    /// - Returns: Whether it did; not where the server has a request and its answer is still to come.
    mutating func moveOrCut(_ client: SlotPointer, _ slot: SlotPointer) -> Bool {
        if slot.pointee.phase == .connecting || slot.pointee.phase == .handshake {
            // Nothing was sent yet, so it may go elsewhere whatever it is; that is no retry of the client's.
            closeServer(slot)
            redispatch(client)
            return true
        }
        guard slot.pointee.phase == .tunnel || client.pointee.flags.contains(.responseStarted) else { return false }
        abort(client)
        return true
    }

    /// The server ended the connection before it answered: once more if that is harmless, else 502.
    mutating func answerLost(_ client: SlotPointer, _ slot: SlotPointer) {
        let entry = server(slot.pointee.server)
        let wasReused = slot.pointee.flags.contains(.reused)
        if client.pointee.flags.contains(.replayable), client.pointee.request.base != nil {
            if entry.pointee.isLost {
                closeServer(slot)
                return redispatch(client)
            }
            if wasReused, !client.pointee.flags.contains(.responseStarted) {
                closeServer(slot)
                return connect(client)
            }
        }
        noteBadAnswer(slot.pointee.server)
        if retry(client, slot, after: slot.pointee.input.isEmpty ? .emptyResponse : .junkResponse) { return }
        answer(client, .serverClosed)
    }
}
