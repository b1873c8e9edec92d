import Balancing
import CLinux
import HTTP1
import ProxyControl

/// Client side of HTTP: reading requests and starting exchanges.
extension Loop {
    mutating func serveClient(_ client: SlotPointer) {
        switch client.pointee.phase {
        case .head: readRequest(client)
        case .waiting, .turnAround: if client.pointee.flags.contains(.failed) { abort(client) }
        case .exchange: serveExchange(client)
        case .flushing:
            switch flush(client) {
            case .done: endExchange(client)
            case .sinkFailed: closeClient(client)
            default: break
            }
        case .lingering: drain(client)
        case .tunnel: serveTunnel(client)
        case .handshake: shakeHands(client)
        case .body, .connecting, .idle: break
        }
    }

    private mutating func serveExchange(_ client: SlotPointer) {
        guard !client.pointee.flags.contains(.failed) else { return abort(client) }
        guard let server = client.pointee.peer else { return }
        if !client.pointee.output.isEmpty || server.pointee.pipeCount > 0 { pumpResponse(client, server) }
        // The exchange may be over now, and another one with another server begun.
        guard client.pointee.kind == .client, client.pointee.phase == .exchange, client.pointee.peer == server else {
            return
        }
        if isSending(client) { pumpRequest(client, server) }
    }

    /// Whether more of the request's body is to be passed on.
    mutating func isSending(_ client: SlotPointer) -> Bool {
        client.pointee.flags.isDisjoint(with: [.requestDone, .stopped])
    }

    // MARK: Heads

    /// Reads until a head is complete or the socket is drained.
    mutating func readRequest(_ client: SlotPointer) {
        if !client.pointee.input.isEmpty, !client.pointee.flags.contains(.headStarted) {
            // Bytes that came with the request before.
            guard let base = client.pointee.input.base else { return }
            if parse(client, base, client.pointee.input.count, fromScratch: false) { return }
        }
        while client.pointee.flags.contains(.readable) {
            let held = Int(client.pointee.input.end)
            let want = ProxyLimits.headReadBytes - held
            let target = client.pointee.input.base ?? (scratch + ProxyLimits.headRoom)
            let count = receive(client, target + held, want)
            if count == -Int(EAGAIN) {
                client.pointee.flags.remove(.readable)
                break
            }
            if count == -Int(EINTR) { continue }
            guard count > 0 else { return closeClient(client) }
            noteRead(client, count: count, wanted: want)
            if held == 0 {
                if parse(client, target, count, fromScratch: true) { return }
                continue
            }
            client.pointee.input.end += Int32(count)
            // Without another line end the head cannot have become complete: a trickle costs no re-reading.
            if count < want, memchr(target + held, 0x0A, count) == nil { continue }
            if parse(client, target, held + count, fromScratch: false) { return }
        }
        register(client)
    }

    /// Looks at what is there of a head; true when the connection has moved on.
    private mutating func parse(
        _ client: SlotPointer,
        _ base: UnsafeMutablePointer<UInt8>,
        _ count: Int,
        fromScratch: Bool
    ) -> Bool {
        let bytes = UnsafeBufferPointer(start: base, count: count)
        switch requestHead.read(bytes.span) {
        case .incomplete:
            if !client.pointee.flags.contains(.headStarted) {
                client.pointee.flags.insert(.headStarted)
                // The first head is timed from the connection's start.
                if client.pointee.flags.contains(.reused) {
                    wheel.set(client, now + listener(client.pointee.listener).pointee.request)
                }
            }
            if fromScratch { keepInput(client, base, count) }
            return false
        case .refused(let fault):
            client.pointee.flags.remove([.keepAlive, .requestDone, .responseStarted])
            client.pointee.method = .other
            answer(client, AnswerReason(fault))
        case .complete(let end): startRequest(client, base, count, end)
        }
        return true
    }

    /// A head is complete: rewrites it, picks a server and sends it there with what came of the body.
    private mutating func startRequest(
        _ client: SlotPointer,
        _ base: UnsafeMutablePointer<UInt8>,
        _ count: Int,
        _ end: Int
    ) {
        let entry = listener(client.pointee.listener)
        prepare(client)
        guard let body = account(client, base + end, count - end) else { return answer(client, .badRequest) }
        if client.pointee.framing == .none || (client.pointee.framing == .length && client.pointee.bodyLeft == 0) {
            client.pointee.flags.insert(.requestDone)
        }
        let bytes = UnsafeBufferPointer(start: base, count: end)
        let found = choose(client, entry, bytes)
        var length = writeRequest(client, entry, bytes)
        guard length > 0 else { return answer(client, .headTooLong) }
        (out + length).update(from: base + end, count: body)
        length += body
        keepRest(client, base + end + body, count - end - body)
        guard found else { return answer(client, .noServer) }
        forward(client, length)
    }

    private mutating func prepare(_ client: SlotPointer) {
        client.pointee.flags.remove([
            .requestDone, .responseStarted, .followsCookie, .replayable, .headStarted, .keepAlive, .oldVersion,
            .stopped, .upgrading, .firstRequest,
        ])
        if !client.pointee.flags.contains(.reused) { client.pointee.flags.insert(.firstRequest) }
        client.pointee.notes.begin(now)
        if requestHead.wantsUpgrade { client.pointee.flags.insert(.upgrading) }
        client.pointee.flags.insert(.reused)
        if requestHead.keepsAlive, !listener(client.pointee.listener).pointee.isRemoved {
            client.pointee.flags.insert(.keepAlive)
        }
        if requestHead.minorVersion == 0 { client.pointee.flags.insert(.oldVersion) }
        client.pointee.phase = .waiting
        client.pointee.method = requestHead.method
        client.pointee.framing = requestHead.framing
        client.pointee.bodyLeft = requestHead.contentLength
        client.pointee.chunks = ChunkScanner()
        client.pointee.attempts = 0
        client.pointee.deadline = .max
        counters.add(.requests, listener: client.pointee.listener)
    }

    /// Writes the head for the server into `out`; 0 when it does not fit.
    private mutating func writeRequest(
        _ client: SlotPointer,
        _ entry: UnsafePointer<ListenerEntry>,
        _ bytes: UnsafeBufferPointer<UInt8>
    ) -> Int {
        let treatment = entry.pointee.hasCookie ? entry.pointee.cookie.requestTreatment : .untouched
        let name = text(treatment == .untouched ? TextRange() : entry.pointee.cookieName)
        return withUnsafeBytes(of: &client.pointee.address) { raw in
            let length = entry.pointee.forwardsFor ? Int(client.pointee.addressLength) : 0
            let address = UnsafeBufferPointer(rebasing: raw.bindMemory(to: UInt8.self)[..<length])
            var writer = HeadWriter(base: out, capacity: ProxyLimits.outBytes - ProxyLimits.headReadBytes)
            let edits = RequestEdits(
                cookie: name.span,
                treatment,
                forwardedFor: address.span,
                forwardsEncryption: entry.pointee.forwardsFor && entry.pointee.isEncrypted
            )
            requestHead.write(bytes.span, edits: edits, into: &writer)
            return writer.overflowed ? 0 : writer.count
        }
    }

    /// Keeps pipelined bytes and lets go of a partial head's buffer.
    private mutating func keepRest(_ client: SlotPointer, _ rest: UnsafeMutablePointer<UInt8>, _ count: Int) {
        guard count > 0 else {
            if client.pointee.input.base != nil { blocks.release(&client.pointee.input) }
            return
        }
        guard let own = client.pointee.input.base else { return keepInput(client, rest, count) }
        own.update(from: rest, count: count)
        client.pointee.input.end = Int32(count)
    }

    /// A piece of the current table's text.
    mutating func text(_ range: TextRange) -> UnsafeBufferPointer<UInt8> {
        guard range.count > 0, let base = table?.pointee.text.baseAddress else {
            return UnsafeBufferPointer(start: nil, count: 0)
        }
        return UnsafeBufferPointer(start: base + Int(range.start), count: Int(range.count))
    }

    // MARK: Bodies

    /// Passes on what came of the request's body.
    mutating func pumpRequest(_ client: SlotPointer, _ server: SlotPointer) {
        guard server.pointee.phase == .exchange || server.pointee.phase == .body else { return }
        let entry = listener(client.pointee.listener)
        switch pump(client, server) {
        case .done:
            client.pointee.flags.insert(.requestDone)
            client.pointee.deadline = .max
            wheel.set(server, now + entry.pointee.server)
        case .blocked:
            if server.pointee.output.isEmpty && client.pointee.pipeCount == 0 {
                wheel.set(client, now + entry.pointee.client)
            } else {
                client.pointee.deadline = .max
                wheel.set(server, now + entry.pointee.server)
            }
        case .yielded: break
        case .ended, .malformed:
            if client.pointee.flags.contains(.responseStarted) { return abort(client) }
            answer(client, .badRequest)
        case .sourceFailed: abort(client)
        case .sinkFailed:
            // The server stopped listening; it may have said why before.
            client.pointee.flags.insert(.stopped)
            client.pointee.flags.remove(.keepAlive)
            blocks.release(&server.pointee.output)
            releasePipe(client)
            server.pointee.flags.insert(.readable)
            wheel.set(server, now + entry.pointee.server)
            pumpResponse(client, server)
        }
    }

    // MARK: Ends

    /// The response is with the kernel: next request, or good-bye.
    mutating func endExchange(_ client: SlotPointer) {
        guard client.pointee.flags.contains(.keepAlive) else {
            let isClean = client.pointee.flags.contains(.requestDone) && client.pointee.input.isEmpty
            return isClean && !mayRead(client) ? closeClient(client) : linger(client)
        }
        client.pointee.phase = .head
        client.pointee.framing = .none
        wheel.set(client, now + listener(client.pointee.listener).pointee.request)
        if client.pointee.input.isEmpty && !mayRead(client) {
            register(client)
        } else {
            enqueue(client)
        }
    }

    /// Closes without a reset that could overtake the answer: says good-bye, then reads away what still comes.
    mutating func linger(_ client: SlotPointer) {
        blocks.release(&client.pointee.input)
        client.pointee.phase = .lingering
        endSending(client)
        client.pointee.flags.insert([.shut, .readable])
        wheel.set(client, now + ProxyLimits.linger)
        drain(client)
    }

    private mutating func drain(_ client: SlotPointer) {
        for _ in 0..<ProxyLimits.readsPerTurn {
            let count = haven_recv(client.pointee.fd, scratch, ProxyLimits.readBytes, 0)
            if count == -Int(EAGAIN) { return register(client) }
            guard count > 0 || count == -Int(EINTR) else { return closeClient(client) }
        }
        enqueue(client)
    }
}
