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
        var next = 0
    }

    private struct Sent {
        var messageClass: MessageClass
        var message: UInt32
        var bytes: [UInt8]
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

    /// Takes a message; false when too many wait.
    mutating func append(_ message: [UInt8], _ messageClass: MessageClass) -> Bool {
        guard waiting.count < TransportLimit.queuedMessages, bytes + message.count <= TransportLimit.queuedBytes else {
            return false
        }
        bytes += message.count
        lastMessage += 1
        let entry = Waiting(messageClass: messageClass, message: lastMessage, bytes: message)
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
    mutating func again(_ content: MissingContent) {
        // While earlier ones are on their way, the request may be older than they are; the peer asks again.
        guard resend.isEmpty,
            let kept = sent.first(where: { $0.message == content.message && $0.messageClass == content.messageClass })
        else { return }
        for range in content.ranges {
            for index in range where resend.count < TransportLimit.parts {
                guard let part = Self.part(kept.messageClass, kept.message, kept.bytes, Int(index)) else { return }
                resend.append(part)
            }
        }
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
            if let part = Self.part(first.messageClass, first.message, first.bytes, first.next) {
                parts.append((part.header, part.bytes))
                waiting[0].next += 1
            } else {
                finishFirst(now: now)
            }
        }
        if let first = waiting.first, first.next * TransportLimit.payload >= first.bytes.count { finishFirst(now: now) }
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
                until: now + TransportLimit.keptAfterSending
            )
        )
    }

    private static func part(_ messageClass: MessageClass, _ message: UInt32, _ bytes: [UInt8], _ index: Int) -> Part? {
        let start = index * TransportLimit.payload
        guard start < bytes.count else { return nil }
        let header = PartHeader(
            messageClass: messageClass,
            message: message,
            index: UInt16(index),
            count: UInt16((bytes.count + TransportLimit.payload - 1) / TransportLimit.payload),
            total: UInt32(bytes.count)
        )
        return Part(header: header, bytes: Array(bytes[start..<min(start + TransportLimit.payload, bytes.count)]))
    }
}
