import ClusterModel

/// How well one link carries what both ends send on it.
struct LinkQuality: Sendable {
    private var sentSequence: UInt32 = 0
    /// When the newest 64 were sent, by sequence modulo 64.
    private var sentAt = [Instant](repeating: .zero, count: 64)
    private var came = RecentNumbers()
    private var cameAt: Instant?
    /// Smoothed over about eight measurements.
    private(set) var roundTrip: Duration?
    /// What the other end misses of this one's, in thousandths.
    private(set) var lossOut = 0

    /// What this end misses of the other's, in thousandths.
    var lossIn: Int { came.lossPerMille }

    /// The report that goes with the next urgent message.
    mutating func report(number: UInt32, now: Instant) -> LinkReport {
        sentSequence += 1
        sentAt[Int(sentSequence % 64)] = now
        let held = cameAt.map { max(0, (now - $0).nanoseconds / 1000) } ?? 0
        return LinkReport(
            sequence: sentSequence,
            number: number,
            echo: came.newest,
            held: UInt32(clamping: held),
            received: came.seen
        )
    }

    /// Takes the other end's report.
    mutating func take(_ report: LinkReport, now: Instant) {
        let isNewest = report.sequence > came.newest
        guard came.note(report.sequence) else { return }
        if isNewest { cameAt = now }
        // A late report says nothing new, and a sequence that was never sent nothing at all.
        guard isNewest, report.echo > 0, report.echo <= sentSequence, sentSequence - report.echo < 64 else { return }
        lossOut = RecentNumbers.lossPerMille(report.received, of: report.echo)
        let elapsed = now - sentAt[Int(report.echo % 64)] - .nanoseconds(Int64(report.held) * 1000)
        guard elapsed >= .zero else { return }
        roundTrip = roundTrip.map { ($0 * 7 + elapsed) / 8 } ?? elapsed
    }
}

/// Keeps a link that comes and goes from being chosen each time that it comes.
struct FlapDamping: Sendable {
    /// When it went down lately.
    private var falls: [Instant] = []
    private var level = 0
    /// Until when it does not count as up; nil when it is not held.
    private(set) var heldUntil: Instant?

    /// The link went down.
    mutating func wentDown(now: Instant) {
        falls.removeAll { now - $0 > TransportLimit.flapWindow }
        if falls.isEmpty { level = 0 }
        falls.append(now)
        if falls.count > TransportLimit.flaps { falls.removeFirst() }
        guard falls.count == TransportLimit.flaps else { return }
        let hold = min(TransportLimit.shortestHold * (1 << level), TransportLimit.longestHold)
        if hold < TransportLimit.longestHold { level += 1 }
        heldUntil = now + hold
    }

    /// Whether it is held now.
    func holds(now: Instant) -> Bool { heldUntil.map { now < $0 } ?? false }
}
