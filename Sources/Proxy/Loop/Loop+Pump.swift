import CLinux
import HTTP1

/// Moving bodies: the same code for both directions and for TCP.
extension Loop {
    /// Where a pump stopped.
    enum PumpResult {
        /// Waits for a socket; an event will come.
        case blocked
        /// The message is complete and was handed to the kernel.
        case done
        /// The source ended; what it sent was handed to the kernel.
        case ended
        /// The source failed.
        case sourceFailed
        /// The sink failed.
        case sinkFailed
        /// The body breaks the chunked coding.
        case malformed
        /// Others shall have their turn; the source is in the run queue.
        case yielded
    }

    /// Reads from `source` and writes to `sink` until one of them has to wait.
    mutating func pump(_ source: SlotPointer, _ sink: SlotPointer) -> PumpResult {
        for _ in 0..<ProxyLimits.readsPerTurn {
            switch flush(sink) {
            case .done: break
            case let result: return result
            }
            if source.pointee.pipeCount > 0 {
                switch emptyPipe(source, sink) {
                case .done: break
                case let result: return result
                }
            }
            if source.pointee.framing == .none || (source.pointee.framing == .length && source.pointee.bodyLeft == 0) {
                return .done
            }
            if source.pointee.flags.contains(.ended) { return .ended }
            guard source.pointee.flags.contains(.readable) else {
                register(source)
                return .blocked
            }
            switch wantsSplice(source) ? fillPipe(source) : copy(source, sink) {
            case .done: continue
            case let result: return result
            }
        }
        enqueue(source)
        return .yielded
    }

    // MARK: Copying

    /// One read and one write.
    private mutating func copy(_ source: SlotPointer, _ sink: SlotPointer) -> PumpResult {
        let target = scratch + ProxyLimits.headRoom
        var want = ProxyLimits.readBytes
        switch source.pointee.framing {
        case .length: want = Int(min(Int64(want), source.pointee.bodyLeft))
        // What follows the last chunk is another request and must fit its buffer.
        case .chunked: want = ProxyLimits.headReadBytes
        case .none, .untilClose: break
        }
        let count = receive(source, target, want)
        if count <= 0 { return readEnded(source, count) }
        noteRead(source, count: count, wanted: want)
        guard let use = account(source, target, count) else { return .malformed }
        if use < count { keepInput(source, target + use, count - use) }
        return send(sink, target, use)
    }

    /// What a read without bytes means.
    private mutating func readEnded(_ source: SlotPointer, _ result: Int) -> PumpResult {
        switch result {
        case 0:
            source.pointee.flags.insert(.ended)
            return .ended
        case -Int(EAGAIN):
            source.pointee.flags.remove(.readable)
            register(source)
            return .blocked
        case -Int(EINTR): return .done
        default: return .sourceFailed
        }
    }

    /// A short read means that the socket is drained, unless its end was announced: that must be read too.
    ///
    /// Of a session nothing follows, for it gives a record at a time.
    @inline(__always)
    func noteRead(_ source: SlotPointer, count: Int, wanted: Int) {
        if source.pointee.tls != nil { return }
        if count < wanted {
            source.pointee.fullReads = 0
            if !source.pointee.flags.contains(.hup) { source.pointee.flags.remove(.readable) }
        } else if source.pointee.fullReads < 255 {
            source.pointee.fullReads += 1
        }
    }

    /// Counts bytes towards the message; says how many belong to it, nil for a malformed body.
    mutating func account(_ source: SlotPointer, _ bytes: UnsafeMutablePointer<UInt8>, _ count: Int) -> Int? {
        switch source.pointee.framing {
        case .none: return 0
        case .untilClose: return count
        case .length:
            let use = min(Int64(count), source.pointee.bodyLeft)
            source.pointee.bodyLeft -= use
            return Int(use)
        case .chunked:
            let buffer = UnsafeBufferPointer(start: bytes, count: count)
            switch source.pointee.chunks.scan(buffer.span) {
            case .more: return count
            case .finished(let end):
                source.pointee.framing = .none
                return end
            case .malformed: return nil
            }
        }
    }

    /// Keeps bytes that follow a message, for the next one.
    mutating func keepInput(_ slot: SlotPointer, _ bytes: UnsafeMutablePointer<UInt8>, _ count: Int) {
        var fresh = blocks.take(max(count, ProxyLimits.headReadBytes))
        fresh.base?.update(from: bytes, count: count)
        fresh.end = Int32(count)
        blocks.release(&slot.pointee.input)
        slot.pointee.input = fresh
    }

    /// Writes bytes, keeping those that the kernel does not take now.
    mutating func send(_ sink: SlotPointer, _ bytes: UnsafeMutablePointer<UInt8>, _ count: Int) -> PumpResult {
        var sent = transmit(sink, bytes, count)
        if sent == count { return .done }
        if sent < 0 {
            guard sent == -Int(EAGAIN) || sent == -Int(EINTR) else { return .sinkFailed }
            sent = 0
        }
        var rest = blocks.take(count - sent)
        rest.base?.update(from: bytes + sent, count: count - sent)
        rest.end = Int32(count - sent)
        sink.pointee.output = rest
        register(sink)
        return .blocked
    }

    /// Writes what was kept.
    mutating func flush(_ sink: SlotPointer) -> PumpResult {
        while !sink.pointee.output.isEmpty {
            guard let base = sink.pointee.output.base else { break }
            let start = Int(sink.pointee.output.start)
            let sent = transmit(sink, base + start, sink.pointee.output.count)
            if sent < 0 {
                if sent == -Int(EINTR) { continue }
                guard sent == -Int(EAGAIN) else { return .sinkFailed }
                register(sink)
                return .blocked
            }
            sink.pointee.output.start += Int32(sent)
        }
        if sink.pointee.output.base != nil { blocks.release(&sink.pointee.output) }
        return .done
    }

    // MARK: Splicing

    private mutating func wantsSplice(_ source: SlotPointer) -> Bool {
        // What is encrypted on either side has to be looked at.
        if source.pointee.tls != nil || source.pointee.peer?.pointee.tls != nil { return false }
        return switch source.pointee.framing {
        case .length: source.pointee.bodyLeft >= ProxyLimits.spliceBytes
        case .untilClose:
            source.pointee.fullReads
                >= (source.pointee.flags.contains(.bulk) ? 1 : ProxyLimits.fullReadsBeforeSplice)
        case .none, .chunked: false
        }
    }

    /// Moves bytes from the source into its pipe without copying them.
    private mutating func fillPipe(_ source: SlotPointer) -> PumpResult {
        guard takePipe(source) else {
            // No descriptors left: copying always works.
            source.pointee.fullReads = 0
            guard source.pointee.framing == .length, let sink = source.pointee.peer else { return .done }
            return copy(source, sink)
        }
        let limit = source.pointee.framing == .length ? source.pointee.bodyLeft : Int64(ProxyLimits.pipeBytes)
        let want = Int(min(limit, Int64(ProxyLimits.pipeBytes)))
        let moved = haven_splice(
            source.pointee.fd,
            source.pointee.pipe.write,
            want,
            UInt32(SPLICE_F_MOVE | SPLICE_F_NONBLOCK)
        )
        if moved <= 0 {
            if source.pointee.framing == .untilClose { source.pointee.fullReads = 0 }
            return readEnded(source, moved)
        }
        source.pointee.flags.insert(.bulk)
        source.pointee.pipeCount += Int64(moved)
        if source.pointee.framing == .length { source.pointee.bodyLeft -= Int64(moved) }
        return .done
    }

    private mutating func emptyPipe(_ source: SlotPointer, _ sink: SlotPointer) -> PumpResult {
        while source.pointee.pipeCount > 0 {
            let moved = haven_splice(
                source.pointee.pipe.read,
                sink.pointee.fd,
                Int(source.pointee.pipeCount),
                UInt32(SPLICE_F_MOVE | SPLICE_F_NONBLOCK)
            )
            if moved == -Int(EINTR) { continue }
            if moved == -Int(EAGAIN) {
                register(sink)
                return .blocked
            }
            guard moved > 0 else { return .sinkFailed }
            source.pointee.pipeCount -= Int64(moved)
        }
        return .done
    }
}
