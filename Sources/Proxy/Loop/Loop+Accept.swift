import Balancing
import CLinux
import HTTP1
import Synchronization

/// Taking new connections.
extension Loop {
    mutating func acceptClients(_ listening: SlotPointer) {
        if listening.pointee.flags.contains(.paused) {
            listening.pointee.flags.remove(.paused)
            pausedListeners -= 1
        }
        for _ in 0..<ProxyLimits.acceptsPerTurn {
            let refuses = listening.pointee.flags.contains(.virtual) && !holdsLease
            guard refuses || hasRoom(listening.pointee.listener) else { return pause(listening) }
            var address = sockaddr_storage()
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let result = haven_accept(listening.pointee.fd, &address, &length)
            if result < 0 {
                if !refuses { leaveRoom(listening.pointee.listener) }
                switch Int32(-result) {
                case EAGAIN: return
                case EMFILE, ENFILE, ENOBUFS, ENOMEM: return pause(listening)
                // The connection is gone again, or a network error of it is told here (accept(2)): go on.
                default: continue
                }
            }
            if refuses {
                counters.add(.resetWithoutLease, listener: listening.pointee.listener)
                _ = haven_close_with_reset(Int32(result))
            } else {
                admit(Int32(result), &address, from: listening)
            }
        }
        enqueue(listening)
    }

    /// Counts a connection in, if the listener's limit allows it.
    private mutating func hasRoom(_ number: Int32) -> Bool {
        let count = connections[Int(number)].add(1, ordering: .relaxed).newValue
        if count <= listener(number).pointee.maxConnections { return true }
        leaveRoom(number)
        return false
    }

    private mutating func leaveRoom(_ number: Int32) { connections[Int(number)].subtract(1, ordering: .relaxed) }

    /// Tries again a little later; meanwhile the kernel queues.
    private mutating func pause(_ listening: SlotPointer) {
        listening.pointee.flags.insert(.paused)
        pausedListeners += 1
        wheel.set(listening, now + ProxyLimits.acceptPause)
    }

    private mutating func admit(_ fd: Int32, _ address: inout sockaddr_storage, from listening: SlotPointer) {
        let number = listening.pointee.listener
        guard let client = slab.take() else {
            leaveRoom(number)
            _ = haven_close_with_reset(fd)
            return
        }
        client.pointee.kind = .client
        client.pointee.fd = fd
        client.pointee.listener = number
        client.pointee.flags = [.readable]
        if listening.pointee.flags.contains(.virtual) { client.pointee.flags.insert(.virtual) }
        counters.add(.accepted, listener: number)
        counters.add(.open, listener: number, 1)
        client.pointee.clientAddress = ClientAddress(&address)
        let entry = listener(number)
        if entry.pointee.method.isBySource { client.pointee.key = AddressText.hash(&address) }
        if entry.pointee.isHTTP {
            client.pointee.flags.insert(.http)
            if entry.pointee.forwardsFor { AddressText.write(&address, into: client) }
        }
        if let context = entry.pointee.tls { return acceptSession(client, context) }
        // Without its certificates a listener serves nobody, and least of all in clear text.
        if entry.pointee.isEncrypted { return discard(client, reset: true) }
        startClient(client)
    }

    /// Its bytes can be read from here on.
    mutating func startClient(_ client: SlotPointer) {
        guard client.pointee.flags.contains(.http) else { return openTunnel(client) }
        client.pointee.phase = .head
        wheel.set(client, now + listener(client.pointee.listener).pointee.request)
        readRequest(client)
    }

    /// Undoes what `admit` counted.
    mutating func countOut(_ client: SlotPointer) {
        counters.add(.open, listener: client.pointee.listener, -1)
        leaveRoom(client.pointee.listener)
    }
}

/// Client addresses as text.
enum AddressText {
    /// Writes the address part of a socket address into the client's slot.
    static func write(_ address: inout sockaddr_storage, into client: SlotPointer) {
        let family = Int32(address.ss_family)
        let length = withUnsafeBytes(of: &address) { raw -> Int in
            withUnsafeMutableBytes(of: &client.pointee.address) { target -> Int in
                let text = target.bindMemory(to: UInt8.self)
                return family == AF_INET ? v4(raw, text) : v6(raw, text)
            }
        }
        client.pointee.addressLength = UInt8(length)
    }

    /// The hash of the address, without the port.
    static func hash(_ address: inout sockaddr_storage) -> UInt32 {
        let family = Int32(address.ss_family)
        return withUnsafeBytes(of: &address) { raw in
            let range = family == AF_INET ? 4..<8 : 8..<24
            return ClientHash.of(UnsafeRawBufferPointer(rebasing: raw[range]).bindMemory(to: UInt8.self).span)
        }
    }

    private static func v4(_ raw: UnsafeRawBufferPointer, _ text: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var at = 0
        for index in 4..<8 {
            let byte = raw[index]
            if byte >= 100 {
                text[at] = 0x30 + byte / 100
                at += 1
            }
            if byte >= 10 {
                text[at] = 0x30 + byte / 10 % 10
                at += 1
            }
            text[at] = 0x30 + byte % 10
            at += 1
            if index < 7 {
                text[at] = UInt8(ascii: ".")
                at += 1
            }
        }
        return at
    }

    private static func v6(_ raw: UnsafeRawBufferPointer, _ text: UnsafeMutableBufferPointer<UInt8>) -> Int {
        guard let source = raw.baseAddress, let base = text.baseAddress else { return 0 }
        let target = UnsafeMutableRawPointer(base).assumingMemoryBound(to: CChar.self)
        guard inet_ntop(AF_INET6, source + 8, target, socklen_t(text.count)) != nil else { return 0 }
        return strlen(target)
    }
}
