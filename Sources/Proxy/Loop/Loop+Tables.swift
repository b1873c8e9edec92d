import CLinux
import ClusterModel
import LinuxIO
import Synchronization

/// Taking over a new table, and giving up what the lease no longer covers.
extension Loop {
    /// Moves on to the newest table, if there is one.
    mutating func takeTable() {
        let address = mailbox.pointee.table.load(ordering: .acquiring)
        guard let fresh = UnsafeMutablePointer<RouteTable>(bitPattern: address), fresh != table else { return }
        let former = table
        table = fresh
        settleListeners()
        settleConnections(former)
        mailbox.pointee.applied.store(fresh.pointee.serial, ordering: .releasing)
    }

    /// Starts and stops listening as the table says.
    ///
    /// The control thread owns the sockets and closes them when no loop
    /// uses them any more.
    private mutating func settleListeners() {
        guard let table else { return }
        var known = Set<Int64>()
        hasVirtualBinds = false
        for index in 0..<slab.high {
            let slot = slab.slot(at: index)
            guard slot.pointee.kind == .listener else { continue }
            guard let bind = table.pointee.binds.first(where: { $0.id == slot.pointee.bodyLeft }) else {
                stopListening(slot)
                continue
            }
            known.insert(bind.id)
            configure(slot, bind)
        }
        for (index, bind) in table.pointee.binds.enumerated() where !known.contains(bind.id) {
            guard let slot = slab.take() else { continue }
            slot.pointee.kind = .listener
            slot.pointee.fd = table.pointee.sockets[index * threads + thread]
            // A listener reads no message; the field holds its bind's number.
            slot.pointee.bodyLeft = bind.id
            configure(slot, bind)
            slot.pointee.flags.insert(.registered)
            _ = haven_epoll_ctl(
                epoll,
                EPOLL_CTL_ADD,
                slot.pointee.fd,
                EPOLLIN.rawValue | EPOLLET.rawValue,
                UInt64(UInt(bitPattern: slot))
            )
        }
    }

    private mutating func configure(_ slot: SlotPointer, _ bind: BindEntry) {
        slot.pointee.listener = bind.listener
        if bind.isVirtual {
            slot.pointee.flags.insert(.virtual)
            hasVirtualBinds = true
        } else {
            slot.pointee.flags.remove(.virtual)
        }
        if slot.pointee.flags.contains(.paused) {
            // The limit may have been raised.
            enqueue(slot)
        }
    }

    /// Serves whoever is in the queue of the socket already, then listens no more.
    private mutating func stopListening(_ slot: SlotPointer) {
        acceptClients(slot)
        _ = haven_epoll_ctl(epoll, EPOLL_CTL_DEL, slot.pointee.fd, 0, 0)
        if slot.pointee.flags.contains(.paused) { pausedListeners -= 1 }
        wheel.remove(slot)
        dequeue(slot)
        slab.release(slot)
    }

    /// Lets go of servers that serve nobody now.
    private mutating func settleConnections(_ former: UnsafeMutablePointer<RouteTable>?) {
        for index in 0..<slab.high {
            let slot = slab.slot(at: index)
            if slot.pointee.kind == .client { settle(client: slot) }
            guard slot.pointee.kind == .server else { continue }
            if isLeft(slot.pointee.server, since: former), slot.pointee.phase != .idle {
                leave(slot)
                continue
            }
            let entry = server(slot.pointee.server)
            if entry.pointee.isUsable { continue }
            switch slot.pointee.phase {
            case .idle: closeIdle(slot)
            case _ where entry.pointee.isLost: serverVanished(slot)
            case .connecting, .handshake: connectFailed(slot, refused: false)
            default: break
            }
        }
    }

    private mutating func settle(client: SlotPointer) {
        guard client.pointee.phase == .turnAround else { return closeIfRemoved(client) }
        // The pause before a lost server would be asked again is of no use.
        if server(client.pointee.server).pointee.isLost { endTurnAround(client) }
    }

    /// Ends a client of a removed listener between two requests; in the middle of one it ends with the response.
    private mutating func closeIfRemoved(_ client: SlotPointer) {
        guard client.pointee.phase == .head, !client.pointee.flags.contains(.headStarted),
            client.pointee.flags.contains(.reused), client.pointee.input.isEmpty,
            listener(client.pointee.listener).pointee.isRemoved
        else { return }
        closeClient(client)
    }

    /// Compares the lease with the clock; without it, clients of virtual IPs are cut off.
    mutating func lookAtLease() {
        guard let lease else { return }
        let end = lease.end?.nanoseconds ?? 0
        let holds = end > haven_clock(CLOCK_MONOTONIC)
        if holds == holdsLease { return }
        holdsLease = holds
        if holds { return }
        for index in 0..<slab.high {
            let slot = slab.slot(at: index)
            guard slot.pointee.kind == .client, slot.pointee.flags.contains(.virtual) else { continue }
            counters.add(.resetWithoutLease, listener: slot.pointee.listener)
            abort(slot)
        }
    }
}
