import ClusterModel

/// Messages to one peer that are too large for a datagram, sent part by part at a bounded pace.
struct PartQueue: Sendable {
    private var waiting: [Waiting] = []
    private var sent: [Sent] = []
    private var resend: [Part] = []
    private var bytes = 0
    private var lastMessage: UInt32 = 0
    /// When parts may go out again.
    private var paced: Instant?

    private struct Waiting {
        var messageClass: MessageClass
        var message: UInt32
        var bytes: [UInt8]
        var size: Int
        var next = 0
    }

    private struct Sent {
        var messageClass: MessageClass
        var message: UInt32
        var bytes: [UInt8]
        var size: Int
        var until: Instant
    }

    private struct Part {
        var header: PartHeader
        var bytes: [UInt8]
    }

    var isEmpty: Bool { waiting.isEmpty && resend.isEmpty }

    /// When there is something to do.
    var deadline: Instant? {
        let forget = sent.map(\.until).min()
        guard !isEmpty else { return forget }
        let send = paced ?? .zero
        return forget.map { min($0, send) } ?? send
    }

    /// Takes a message, to be cut into parts of a size; false when too many wait.
    mutating func append(_ message: [UInt8], _ messageClass: MessageClass, size: Int) -> Bool {
        guard waiting.count < TransportLimit.queuedMessages, bytes + message.count <= TransportLimit.queuedBytes else {
            return false
        }
        bytes += message.count
        lastMessage += 1
        let entry = Waiting(messageClass: messageClass, message: lastMessage, bytes: message, size: size)
        // The log goes before everything else that waits, but never before a message that has begun.
        let place =
            messageClass == .consensus
            ? waiting.firstIndex { $0.messageClass != .consensus && $0.next == 0 } ?? waiting.count : waiting.count
        waiting.insert(entry, at: place)
        return true
    }

    /// Forgets everything: the peer is in another session.
    mutating func removeAll() {
        waiting.removeAll()
        sent.removeAll()
        resend.removeAll()
        bytes = 0
    }

    /// Puts parts that the peer misses in front; of a message that is not kept any more, nothing.
    ///
    /// - Returns: Whether anything of it is sent again.
    @discardableResult
    mutating func again(_ content: MissingContent, size: Int) -> Bool {
        // While earlier ones are on their way, the request may be older than they are; the peer asks again.
        guard resend.isEmpty,
            let kept = sent.first(where: { $0.message == content.message && $0.messageClass == content.messageClass })
        else { return false }
        if size < kept.size {
            // Its parts do not fit the link any more: it is sent anew, in smaller ones.
            sent.removeAll { $0.message == kept.message && $0.messageClass == kept.messageClass }
            return append(kept.bytes, kept.messageClass, size: size)
        }
        for range in content.ranges {
            for index in range where resend.count < TransportLimit.parts {
                guard let part = Self.part(kept.messageClass, kept.message, kept.bytes, kept.size, Int(index)) else {
                    return true
                }
                resend.append(part)
            }
        }
        return true
    }

    /// The parts that may be sent in this pass.
    mutating func next(now: Instant) -> [(header: PartHeader, bytes: [UInt8])] {
        sent.removeAll { now >= $0.until }
        if let paced, now < paced { return [] }
        guard !isEmpty else { return [] }
        paced = now + TransportLimit.pace
        var parts: [(header: PartHeader, bytes: [UInt8])] = []
        while parts.count < TransportLimit.partsPerPass, !resend.isEmpty {
            let part = resend.removeFirst()
            parts.append((part.header, part.bytes))
        }
        while parts.count < TransportLimit.partsPerPass, let first = waiting.first {
            if let part = Self.part(first.messageClass, first.message, first.bytes, first.size, first.next) {
                parts.append((part.header, part.bytes))
                waiting[0].next += 1
            } else {
                finishFirst(now: now)
            }
        }
        if let first = waiting.first, first.next * first.size >= first.bytes.count { finishFirst(now: now) }
        return parts
    }

    private mutating func finishFirst(now: Instant) {
        let done = waiting.removeFirst()
        bytes -= done.bytes.count
        // One message is kept per class, as the receiver puts one together per class.
        sent.removeAll { $0.messageClass == done.messageClass }
        sent.append(
            Sent(
                messageClass: done.messageClass,
                message: done.message,
                bytes: done.bytes,
                size: done.size,
                until: now + TransportLimit.keptAfterSending
            )
        )
    }

    private static func part(
        _ messageClass: MessageClass,
        _ message: UInt32,
        _ bytes: [UInt8],
        _ size: Int,
        _ index: Int
    ) -> Part? {
        let start = index * size
        guard start < bytes.count else { return nil }
        let header = PartHeader(
            messageClass: messageClass,
            message: message,
            index: UInt16(index),
            count: UInt16((bytes.count + size - 1) / size),
            total: UInt32(bytes.count),
            size: UInt16(size)
        )
        return Part(header: header, bytes: Array(bytes[start..<min(start + size, bytes.count)]))
    }
}
