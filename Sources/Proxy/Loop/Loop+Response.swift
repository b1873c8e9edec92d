import CLinux
import HTTP1
import ProxyControl

/// Server side of HTTP: reading responses and passing them on.
extension Loop {
    mutating func serveServer(_ slot: SlotPointer) {
        switch slot.pointee.phase {
        case .connecting: serveConnecting(slot)
        case .idle: if slot.pointee.flags.contains(.readable), !isQuiet(slot) { closeIdle(slot) }
        case .handshake: shakeHandsWithServer(slot)
        case .exchange, .body:
            guard let client = slot.pointee.peer else { return }
            if isSending(client) {
                pumpRequest(client, slot)
                guard slot.pointee.kind == .server, slot.pointee.peer == client else { return }
            } else if !slot.pointee.output.isEmpty, case .sinkFailed = flush(slot) {
                blocks.release(&slot.pointee.output)
                client.pointee.flags.remove(.keepAlive)
            }
            pumpResponse(client, slot)
        case .tunnel: serveTunnel(slot)
        case .head, .waiting, .turnAround, .flushing, .lingering: break
        }
    }

    /// Reads what the server says and passes it on, as far as both sockets allow.
    mutating func pumpResponse(_ client: SlotPointer, _ server: SlotPointer) {
        if server.pointee.phase == .exchange { return readResponse(client, server) }
        pumpBody(client, server)
    }

    // MARK: Heads

    private mutating func readResponse(_ client: SlotPointer, _ server: SlotPointer) {
        while server.pointee.flags.contains(.readable) {
            let held = Int(server.pointee.input.end)
            let target = server.pointee.input.base ?? (scratch + ProxyLimits.headRoom)
            let want = held > 0 ? ProxyLimits.headReadBytes - held : ProxyLimits.readBytes
            let count = receive(server, target + held, want)
            if count == -Int(EAGAIN) {
                server.pointee.flags.remove(.readable)
                return
            }
            if count == -Int(EINTR) { continue }
            guard count > 0 else { return answerLost(client, server) }
            noteRead(server, count: count, wanted: want)
            server.pointee.fullReads = 0
            if held > 0 { server.pointee.input.end += Int32(count) }
            if interpret(client, server, target, held + count) { return }
        }
    }

    /// Looks at what is there of a response head; true when the exchange has moved on.
    private mutating func interpret(
        _ client: SlotPointer,
        _ server: SlotPointer,
        _ base: UnsafeMutablePointer<UInt8>,
        _ count: Int
    ) -> Bool {
        var start = 0
        while true {
            let bytes = UnsafeBufferPointer(start: base + start, count: count - start)
            let mayUpgrade = client.pointee.flags.contains(.upgrading)
            switch responseHead.read(bytes.span, to: client.pointee.method, mayUpgrade: mayUpgrade) {
            case .incomplete:
                // In front of the buffer, where the next read expects it; an interim head may have gone before.
                keepInput(server, base + start, count - start)
                return false
            case .refused:
                noteBadAnswer(server.pointee.server)
                if retry(client, server, after: .junkResponse) { return true }
                answer(client, .badResponse)
                return true
            case .complete(let end):
                if responseHead.isInterim {
                    guard passInterim(client, base + start, end) else { return true }
                    start += end
                    if start == count {
                        blocks.release(&server.pointee.input)
                        return false
                    }
                    continue
                }
                if responseHead.switchesProtocol {
                    switchProtocol(client, server, base + start, count - start, end)
                } else {
                    startResponse(client, server, base + start, count - start, end)
                }
                return true
            }
        }
    }

    /// Passes on a 1xx response; false when the client is gone.
    private mutating func passInterim(_ client: SlotPointer, _ base: UnsafeMutablePointer<UInt8>, _ end: Int) -> Bool {
        if client.pointee.flags.contains(.oldVersion) { return true }
        // A client that does not even take a hundred bytes can do without a hint.
        guard client.pointee.output.isEmpty else { return true }
        let bytes = UnsafeBufferPointer(start: base, count: end)
        let nothing = text(TextRange())
        var writer = HeadWriter(base: out, capacity: ProxyLimits.outBytes)
        let edits = ResponseEdits(
            cookie: nothing.span,
            .untouched,
            serverValue: nothing.span,
            addedCookie: nothing.span,
            marksPrivate: false,
            connection: .absent
        )
        responseHead.write(bytes.span, edits: edits, into: &writer)
        if case .sinkFailed = send(client, out, writer.count) {
            closeClient(client)
            return false
        }
        return true
    }

    /// The final head is here: rewrites it and sends it with what came of the body, in one piece.
    private mutating func startResponse(
        _ client: SlotPointer,
        _ server: SlotPointer,
        _ base: UnsafeMutablePointer<UInt8>,
        _ count: Int,
        _ end: Int
    ) {
        if retryForStatus(client, server) { return }
        server.pointee.framing = responseHead.framing
        server.pointee.bodyLeft = max(0, responseHead.contentLength)
        server.pointee.chunks = ChunkScanner()
        let isUnreadable = server.pointee.framing == .chunked && client.pointee.flags.contains(.oldVersion)
        guard !isUnreadable, let body = account(server, base + end, count - end) else {
            noteBadAnswer(server.pointee.server)
            return answer(client, .badResponse)
        }
        noteAnswer(server.pointee.server, status: responseHead.status)
        // Bytes after the response belong to no request.
        let isClean = responseHead.keepsAlive && end + body == count
        server.pointee.flags.formUnion(isClean ? .keepAlive : [])
        if !isClean { server.pointee.flags.remove(.keepAlive) }
        if server.pointee.framing == .untilClose || !client.pointee.flags.contains(.requestDone) {
            client.pointee.flags.remove(.keepAlive)
        }
        let length = writeResponse(client, server, UnsafeBufferPointer(start: base, count: end))
        guard length > 0 else {
            noteBadAnswer(server.pointee.server)
            return answer(client, .badResponse)
        }
        blocks.release(&client.pointee.request)
        client.pointee.flags.remove(.replayable)
        client.pointee.flags.insert(.responseStarted)
        server.pointee.phase = .body
        let sent = sendResponse(client, server, base + end, body, headBytes: length)
        if server.pointee.input.base != nil { blocks.release(&server.pointee.input) }
        if case .sinkFailed = sent { return closeClient(client) }
        if server.pointee.framing == .none || (server.pointee.framing == .length && server.pointee.bodyLeft == 0) {
            return finishResponse(client, server)
        }
        pumpBody(client, server)
    }

    /// Sends the head in `out` with the body bytes at `body`.
    mutating func sendResponse(
        _ client: SlotPointer,
        _ server: SlotPointer,
        _ body: UnsafeMutablePointer<UInt8>,
        _ count: Int,
        headBytes: Int
    ) -> PumpResult {
        // An interim response that is still on its way out goes first.
        if !client.pointee.output.isEmpty { return append(client, body, count, headBytes: headBytes) }
        if body - scratch >= headBytes, body - scratch <= ProxyLimits.headRoom + ProxyLimits.readBytes {
            let start = body - headBytes
            start.update(from: out, count: headBytes)
            return send(client, start, headBytes + count)
        }
        (out + headBytes).update(from: body, count: count)
        return send(client, out, headBytes + count)
    }

    /// Puts a response behind output that waits already; rare.
    private mutating func append(
        _ client: SlotPointer,
        _ body: UnsafeMutablePointer<UInt8>,
        _ count: Int,
        headBytes: Int
    ) -> PumpResult {
        let waiting = client.pointee.output.count
        var joined = blocks.take(waiting + headBytes + count)
        if let target = joined.base, let base = client.pointee.output.base {
            target.update(from: base + Int(client.pointee.output.start), count: waiting)
            (target + waiting).update(from: out, count: headBytes)
            (target + waiting + headBytes).update(from: body, count: count)
        }
        joined.end = Int32(waiting + headBytes + count)
        blocks.release(&client.pointee.output)
        client.pointee.output = joined
        return flush(client)
    }

    // MARK: Bodies

    private mutating func pumpBody(_ client: SlotPointer, _ server: SlotPointer) {
        let entry = listener(client.pointee.listener)
        switch pump(server, client) {
        case .done: finishResponse(client, server)
        case .ended where server.pointee.framing == .untilClose: finishResponse(client, server)
        case .blocked:
            if client.pointee.output.isEmpty && server.pointee.pipeCount == 0 {
                wheel.set(server, now + entry.pointee.server)
                if client.pointee.flags.contains(.requestDone) { client.pointee.deadline = .max }
            } else {
                server.pointee.deadline = .max
                wheel.set(client, now + entry.pointee.client)
            }
        case .yielded: break
        case .sinkFailed: closeClient(client)
        case .ended, .sourceFailed, .malformed:
            noteBadAnswer(server.pointee.server)
            abort(client)
        }
    }

    /// Whether nothing follows the response: a read that took exactly its last byte has left that open.
    private mutating func isDrained(_ server: SlotPointer) -> Bool {
        guard mayRead(server) else {
            server.pointee.flags.remove(.readable)
            return true
        }
        guard isAlive(server) else { return false }
        server.pointee.flags.remove(.readable)
        return true
    }

    /// The response is complete, but for what the client has not taken yet.
    private mutating func finishResponse(_ client: SlotPointer, _ server: SlotPointer) {
        let isReusable =
            server.pointee.flags.contains(.keepAlive) && client.pointee.flags.contains(.requestDone)
            && server.pointee.output.isEmpty && !server.pointee.flags.contains(.hup)
            && self.server(server.pointee.server).pointee.isUsable && isDrained(server)
        endNotes(client, isCut: false)
        client.pointee.peer = nil
        releasePipe(server)
        if isReusable {
            register(server)
            keep(server, for: client)
        } else {
            server.pointee.peer = nil
            discard(server, reset: false)
        }
        if client.pointee.output.isEmpty { return endExchange(client) }
        client.pointee.phase = .flushing
        wheel.set(client, now + listener(client.pointee.listener).pointee.client)
    }
}
