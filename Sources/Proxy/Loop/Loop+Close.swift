import CLinux
import ProxyControl

/// Ends of connections.
extension Loop {
    /// Ends a client and its server connection at once; a response that was under way is cut with a reset.
    mutating func abort(_ client: SlotPointer) {
        if let server = client.pointee.peer { closeServer(server) }
        discard(client, reset: true)
    }

    /// Ends a client whose conversation is complete, or that went away.
    mutating func closeClient(_ client: SlotPointer) {
        if let server = client.pointee.peer { closeServer(server) }
        discard(client, reset: false)
    }

    /// Ends a server connection that serves a client.
    mutating func closeServer(_ server: SlotPointer) {
        if let client = server.pointee.peer { client.pointee.peer = nil }
        server.pointee.peer = nil
        discard(server, reset: server.pointee.phase == .tunnel)
    }

    /// Frees a slot with all it owns.
    mutating func discard(_ slot: SlotPointer, reset: Bool) {
        precondition(slot.pointee.kind != .free)
        if slot.pointee.kind == .client {
            if slot.pointee.notes.isOpen { endNotes(slot, isCut: reset || slot.pointee.phase != .tunnel) }
            if let own = slot.pointee.bound { closeIdle(own) }
            countOut(slot)
        } else {
            if slot.pointee.bound != nil { unbind(slot) }
            counters.add(slot.pointee.phase == .idle ? .idle : .open, server: slot.pointee.server, -1)
        }
        blocks.release(&slot.pointee.input)
        blocks.release(&slot.pointee.output)
        blocks.release(&slot.pointee.request)
        releasePipe(slot)
        wheel.remove(slot)
        dequeue(slot)
        endSession(slot, reset: reset)
        if reset {
            _ = haven_close_with_reset(slot.pointee.fd)
        } else {
            _ = haven_close(slot.pointee.fd)
        }
        slab.release(slot)
    }

    /// A deadline has passed.
    mutating func expire(_ slot: SlotPointer) {
        switch slot.pointee.kind {
        case .free: break
        case .listener: if slot.pointee.flags.contains(.paused) { acceptClients(slot) }
        case .client: expireClient(slot)
        case .server: expireServer(slot)
        }
    }

    private mutating func expireClient(_ client: SlotPointer) {
        switch client.pointee.phase {
        case .head:
            // Silence is no request: only one that was begun gets an answer.
            guard client.pointee.flags.contains(.headStarted) else { return closeClient(client) }
            answer(client, .requestTimeout)
        case .turnAround: endTurnAround(client)
        case .handshake:
            counters.add(.handshakeFailures, listener: client.pointee.listener)
            closeClient(client)
        case .exchange:
            guard !client.pointee.flags.contains(.requestDone), !client.pointee.flags.contains(.responseStarted) else {
                return abort(client)
            }
            answer(client, .requestTimeout)
        case .waiting, .body, .flushing, .lingering, .connecting, .idle, .tunnel: abort(client)
        }
    }

    private mutating func expireServer(_ server: SlotPointer) {
        switch server.pointee.phase {
        case .connecting, .handshake: connectFailed(server, refused: false)
        case .idle: closeIdle(server)
        case .exchange, .body:
            guard let client = server.pointee.peer else { return }
            if client.pointee.flags.contains(.responseStarted) { return abort(client) }
            if retry(client, server, after: .responseTimeout) { return }
            counters.add(.badResponses, server: server.pointee.server)
            answer(client, .serverTimeout)
        case .tunnel:
            if let client = server.pointee.peer { abort(client) }
        case .head, .waiting, .turnAround, .flushing, .lingering: break
        }
    }

    // MARK: Pipes

    /// Gives a slot a pipe, if the kernel has one.
    mutating func takePipe(_ slot: SlotPointer) -> Bool {
        if slot.pointee.pipe.read >= 0 { return true }
        if let pipe = pipes.popLast() {
            slot.pointee.pipe = pipe
            return true
        }
        var ends: (Int32, Int32) = (-1, -1)
        let result = withUnsafeMutableBytes(of: &ends) { raw in
            haven_pipe(raw.bindMemory(to: Int32.self).baseAddress, Int32(O_NONBLOCK))
        }
        guard result >= 0 else { return false }
        // A user's pipes are limited in all; a small one would be slower than copying.
        guard haven_fcntl(ends.0, F_SETPIPE_SZ, Int32(ProxyLimits.pipeBytes)) >= 0 else {
            _ = haven_close(ends.0)
            _ = haven_close(ends.1)
            return false
        }
        slot.pointee.pipe = Pipe(read: ends.0, write: ends.1)
        return true
    }

    /// Takes it back; a pipe that still holds bytes of one connection must never meet another.
    mutating func releasePipe(_ slot: SlotPointer) {
        let pipe = slot.pointee.pipe
        guard pipe.read >= 0 else { return }
        slot.pointee.pipe = Pipe()
        if slot.pointee.pipeCount == 0, pipes.count < ProxyLimits.pooledPipes {
            pipes.append(pipe)
        } else {
            _ = haven_close(pipe.read)
            _ = haven_close(pipe.write)
        }
        slot.pointee.pipeCount = 0
    }
}
