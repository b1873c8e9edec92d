import CLinux
import CTLS

/// Idle server connections of this thread, per server, the most recently used first.
extension Loop {
    /// Takes one for use; nil when there is none.
    mutating func takeIdle(_ server: Int32) -> SlotPointer? {
        guard let slot = pools[Int(server)].first else { return nil }
        unpool(slot)
        slot.pointee.flags.insert(.reused)
        return slot
    }

    /// Keeps one for later.
    mutating func putIdle(_ slot: SlotPointer) {
        rest(slot)
        let pool = pools + Int(slot.pointee.server)
        slot.pointee.poolPrevious = nil
        slot.pointee.poolNext = pool.pointee.first
        if let first = pool.pointee.first {
            first.pointee.poolPrevious = slot
        } else {
            pool.pointee.last = slot
        }
        pool.pointee.first = slot
        pool.pointee.count += 1
        if pool.pointee.count > ProxyLimits.idlePerServer, let oldest = pool.pointee.last { closeIdle(oldest) }
    }

    /// Lets a connection that has served its client wait for the next one, wherever it is kept.
    mutating func rest(_ slot: SlotPointer) {
        slot.pointee.phase = .idle
        slot.pointee.peer = nil
        counters.add(.open, server: slot.pointee.server, -1)
        counters.add(.idle, server: slot.pointee.server, 1)
        wheel.set(slot, now + ProxyLimits.idleServer)
    }

    /// Ends an idle connection.
    mutating func closeIdle(_ slot: SlotPointer) {
        if slot.pointee.bound == nil { unpool(slot) }
        discard(slot, reset: false)
    }

    /// Takes one out of its pool.
    mutating func unpool(_ slot: SlotPointer) {
        let pool = pools + Int(slot.pointee.server)
        let next = slot.pointee.poolNext
        let previous = slot.pointee.poolPrevious
        if let next { next.pointee.poolPrevious = previous } else { pool.pointee.last = previous }
        if let previous { previous.pointee.poolNext = next } else { pool.pointee.first = next }
        slot.pointee.poolNext = nil
        slot.pointee.poolPrevious = nil
        pool.pointee.count -= 1
    }

    /// Whether an event on an idle connection was of the protocol itself, such as a ticket for a later session.
    mutating func isQuiet(_ slot: SlotPointer) -> Bool {
        guard slot.pointee.tls != nil, !slot.pointee.flags.contains(.hup), isAlive(slot) else { return false }
        slot.pointee.flags.remove(.readable)
        return true
    }

    /// Whether the server still has its end open, as far as this machine has heard.
    mutating func isAlive(_ slot: SlotPointer) -> Bool {
        var byte: UInt8 = 0
        if let session = slot.pointee.tls {
            // The read asks the socket, whatever the last event said.
            slot.pointee.wire.state |= HAVEN_WIRE_READABLE
            return haven_tls_peek(session, &byte, 1) == -Int(EAGAIN)
        }
        return haven_recv(slot.pointee.fd, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) == -Int(EAGAIN)
    }
}
