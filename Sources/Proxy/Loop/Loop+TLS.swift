import CLinux
import CTLS

/// Encrypted connections: the same reads and writes as on plain ones, with a session in between.
extension Loop {
    // MARK: Bytes

    /// Reads what has come; a count, 0 for the end, or -errno.
    @inline(__always)
    func receive(_ slot: SlotPointer, _ target: UnsafeMutablePointer<UInt8>, _ count: Int) -> Int {
        guard let session = slot.pointee.tls else { return haven_recv(slot.pointee.fd, target, count, 0) }
        return haven_tls_read(session, target, count)
    }

    /// Writes as much as goes now; a count, or -errno.
    @inline(__always)
    mutating func transmit(_ slot: SlotPointer, _ bytes: UnsafeMutablePointer<UInt8>, _ count: Int) -> Int {
        guard let session = slot.pointee.tls else { return haven_send(slot.pointee.fd, bytes, count, 0) }
        return transmit(session, bytes, count)
    }

    /// One record after the other: each is a write of its own.
    private mutating func transmit(_ session: OpaquePointer, _ bytes: UnsafeMutablePointer<UInt8>, _ count: Int) -> Int
    {
        var sent = 0
        while sent < count {
            let result = haven_tls_write(session, bytes + sent, count - sent)
            guard result > 0 else { return sent > 0 ? sent : result }
            sent += result
        }
        return sent
    }

    /// Whether a read may give something at once: a session may hold bytes that the socket has none of any more.
    @inline(__always)
    func mayRead(_ slot: SlotPointer) -> Bool {
        guard slot.pointee.flags.contains(.readable) else { return false }
        guard let session = slot.pointee.tls else { return true }
        return slot.pointee.wire.state & HAVEN_WIRE_READABLE != 0 || SSL_has_pending(session) != 0
    }

    /// An event on an encrypted connection.
    mutating func noteEvent(_ slot: SlotPointer, _ bits: UInt32) {
        if bits & (EPOLLIN.rawValue | EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 {
            slot.pointee.wire.state |= HAVEN_WIRE_READABLE
        }
        if bits & (EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 {
            slot.pointee.wire.state |= HAVEN_WIRE_ENDS
        }
        if bits & EPOLLOUT.rawValue != 0, slot.pointee.wire.state & HAVEN_WIRE_WRITES != 0 {
            slot.pointee.wire.state &= ~HAVEN_WIRE_WRITES
            // A read had something to say first, and goes on now.
            slot.pointee.flags.insert(.readable)
        }
    }

    /// Says that nothing more will be sent.
    mutating func endSending(_ slot: SlotPointer) {
        if let session = slot.pointee.tls { haven_tls_say_end(session) }
        _ = haven_shutdown(slot.pointee.fd, Int32(SHUT_WR))
    }

    /// Frees the session; a connection that is not reset says good-bye before.
    mutating func endSession(_ slot: SlotPointer, reset: Bool) {
        guard let session = slot.pointee.tls else { return }
        if !reset, !slot.pointee.flags.contains(.shut) { haven_tls_say_end(session) }
        SSL_free(session)
        slot.pointee.tls = nil
    }

    // MARK: Handshakes

    /// Starts a session on a fresh connection; false when memory is short.
    private mutating func open(_ slot: SlotPointer, _ context: OpaquePointer, accepts: Bool) -> Bool {
        slot.pointee.wire = haven_wire(fd: slot.pointee.fd, state: HAVEN_WIRE_READABLE)
        guard let offset = MemoryLayout<Slot>.offset(of: \.wire) else { return false }
        let wire = (UnsafeMutableRawPointer(slot) + offset).assumingMemoryBound(to: haven_wire.self)
        slot.pointee.tls = haven_tls_open(context, wire, accepts ? 1 : 0)
        return slot.pointee.tls != nil
    }

    /// A client of an encrypting listener has connected.
    mutating func acceptSession(_ client: SlotPointer, _ context: OpaquePointer) {
        client.pointee.phase = .handshake
        guard open(client, context, accepts: true) else { return discard(client, reset: true) }
        wheel.set(client, now + listener(client.pointee.listener).pointee.request)
        shakeHands(client)
    }

    /// Goes on with a client's handshake, and with the client once it is complete.
    mutating func shakeHands(_ client: SlotPointer) {
        guard let session = client.pointee.tls else { return }
        switch haven_tls_handshake(session) {
        case 1: startClient(client)
        case -Int(EAGAIN): register(client)
        default:
            counters.add(.handshakeFailures, listener: client.pointee.listener)
            // The reason is on its way to the client, if there was any.
            discard(client, reset: false)
        }
    }

    /// The connection to a server that wants encryption stands.
    mutating func connectSession(_ slot: SlotPointer, _ context: OpaquePointer) {
        slot.pointee.phase = .handshake
        guard open(slot, context, accepts: false), let session = slot.pointee.tls else {
            return connectFailed(slot, refused: true)
        }
        let name = text(server(slot.pointee.server).pointee.serverName)
        // The text ends with a zero byte.
        if name.count > 1, let base = name.baseAddress {
            let characters = UnsafeRawPointer(base).assumingMemoryBound(to: CChar.self)
            guard haven_tls_set_server_name(session, characters) == 1 else {
                return connectFailed(slot, refused: true)
            }
        }
        shakeHandsWithServer(slot)
    }

    /// Goes on with the handshake of a server connection.
    mutating func shakeHandsWithServer(_ slot: SlotPointer) {
        guard let session = slot.pointee.tls else { return }
        switch haven_tls_handshake(session) {
        case 1: connected(slot)
        case -Int(EAGAIN): register(slot)
        default:
            counters.add(.handshakeFailures, server: slot.pointee.server)
            connectFailed(slot, refused: true)
        }
    }
}
