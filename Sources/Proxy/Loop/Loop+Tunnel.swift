import Balancing
import CLinux
import HTTP1
import ProxyControl

/// Two streams, passed on as they are: TCP mode, and HTTP mode after a change of protocol.
extension Loop {
    /// Gives a fresh client a server.
    mutating func openTunnel(_ client: SlotPointer) {
        client.pointee.phase = .waiting
        client.pointee.framing = .untilClose
        client.pointee.attempts = 0
        client.pointee.notes.begin(now)
        register(client)
        counters.add(.requests, listener: client.pointee.listener)
        guard balance(client, avoiding: -1, reason: .balance) else {
            counters.add(.noServer, listener: client.pointee.listener)
            client.pointee.notes.answer = .noServer
            return discard(client, reset: true)
        }
        connect(client)
    }

    /// The connection to the server stands.
    mutating func startTunnel(_ client: SlotPointer, _ server: SlotPointer) {
        client.pointee.phase = .tunnel
        server.pointee.phase = .tunnel
        server.pointee.framing = .untilClose
        server.pointee.flags.insert(.readable)
        client.pointee.notes.noteConnected(now)
        counters.add(.requests, server: server.pointee.server)
        register(server)
        serveTunnel(client)
    }

    /// The server changed to the protocol that the client asked for: what follows the head in `base` is no HTTP.
    mutating func switchProtocol(
        _ client: SlotPointer,
        _ server: SlotPointer,
        _ base: UnsafeMutablePointer<UInt8>,
        _ count: Int,
        _ end: Int
    ) {
        // A server that agrees before it was told all has not understood.
        guard server.pointee.output.isEmpty else {
            counters.add(.badResponses, server: server.pointee.server)
            return answer(client, .badResponse)
        }
        let length = writeResponse(client, server, UnsafeBufferPointer(start: base, count: end))
        guard length > 0 else {
            counters.add(.badResponses, server: server.pointee.server)
            return answer(client, .badResponse)
        }
        blocks.release(&client.pointee.request)
        client.pointee.flags.remove([.replayable, .keepAlive])
        client.pointee.flags.insert([.responseStarted, .readable])
        let sent = sendResponse(client, server, base + end, count - end, headBytes: length)
        if server.pointee.input.base != nil { blocks.release(&server.pointee.input) }
        if case .sinkFailed = sent { return closeClient(client) }
        // What the client sent behind its request is of the new protocol, too.
        server.pointee.output = client.pointee.input
        client.pointee.input = Buffer()
        for slot in [client, server] {
            slot.pointee.phase = .tunnel
            slot.pointee.framing = .untilClose
            slot.pointee.fullReads = 0
            register(slot)
        }
        server.pointee.flags.remove(.keepAlive)
        server.pointee.flags.insert(.readable)
        serveTunnel(client)
    }

    /// Moves what can be moved in both directions.
    mutating func serveTunnel(_ slot: SlotPointer) {
        let client = slot.pointee.kind == .client ? slot : slot.pointee.peer
        guard let client, let server = client.pointee.peer else { return }
        guard relay(client, to: server), relay(server, to: client) else { return abort(client) }
        if client.pointee.flags.contains(.shut), server.pointee.flags.contains(.shut) {
            return closeTunnel(client, server)
        }
        let entry = listener(client.pointee.listener)
        wheel.set(client, now + entry.pointee.tunnelClient)
        wheel.set(server, now + entry.pointee.tunnelServer)
    }

    /// One direction; false when the connection broke.
    private mutating func relay(_ source: SlotPointer, to sink: SlotPointer) -> Bool {
        if sink.pointee.flags.contains(.shut) { return true }
        switch pump(source, sink) {
        case .blocked, .yielded: return true
        case .ended:
            sink.pointee.flags.insert(.shut)
            endSending(sink)
            return true
        case .sinkFailed where sink.pointee.kind == .server:
            stopSending(source, sink)
            return true
        case .sourceFailed where sink.pointee.flags.contains(.stopped):
            // It said all that it had to say before it refused to hear more.
            sink.pointee.flags.insert(.shut)
            endSending(sink)
            return true
        case .done, .sourceFailed, .sinkFailed, .malformed: return false
        }
    }

    /// The server hears nothing more, but what it said before it closed is still the client's.
    private mutating func stopSending(_ client: SlotPointer, _ server: SlotPointer) {
        client.pointee.flags.insert(.stopped)
        blocks.release(&server.pointee.output)
        releasePipe(client)
        server.pointee.flags.insert([.shut, .readable])
    }

    /// Both sides said all: nothing is lost by closing.
    private mutating func closeTunnel(_ client: SlotPointer, _ server: SlotPointer) {
        endNotes(client, isCut: false)
        client.pointee.peer = nil
        server.pointee.peer = nil
        discard(server, reset: false)
        // Bytes that nobody took would make the kernel send a reset, which overtakes the server's last words.
        if client.pointee.flags.contains(.stopped) { return linger(client) }
        discard(client, reset: false)
    }
}
