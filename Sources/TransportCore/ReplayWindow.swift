import ClusterModel

/// Which counters of a peer's session were seen (a ring of bits as in RFC 6479).
///
/// A sender counts its datagrams to all receivers together, so each receiver sees gaps. The window spans what a sender
/// sends in a quarter of a second at full pace, and so forgives reordering up to that.
struct ReplayWindow: Sendable {
    /// Counters older than the newest by this are taken as seen.
    static let span: UInt64 = 4032

    private var words: [UInt64]
    private var newest: UInt64 = 0
    private static let wordCount: UInt64 = 64

    init() { words = Array(repeating: 0, count: Int(Self.wordCount)) }

    /// Whether a counter was not seen yet.
    func isFresh(_ counter: UInt64) -> Bool {
        if counter == 0 { return false }
        if counter > newest { return true }
        if newest - counter >= Self.span { return false }
        return words[Self.word(counter)] & Self.bit(counter) == 0
    }

    /// Notes a counter as seen; to be called only for a datagram whose seal was checked.
    mutating func mark(_ counter: UInt64) {
        if counter > newest {
            // Words between the old and the new newest belong to older counters: they are cleared, at most all of them.
            let first = newest / 64 + 1
            let last = counter / 64
            if last >= first {
                for word in 0..<min(last - first + 1, Self.wordCount) {
                    words[Int((first + word) % Self.wordCount)] = 0
                }
            }
            newest = counter
        }
        words[Self.word(counter)] |= Self.bit(counter)
    }

    private static func word(_ counter: UInt64) -> Int { Int(counter / 64 % wordCount) }
    private static func bit(_ counter: UInt64) -> UInt64 { 1 << (counter % 64) }
}

/// Lets something happen so many times a second, and as many at once.
struct RateLimit: Sendable {
    private let perSecond: Int64
    /// Billionths of an occasion.
    private var credit: Int64
    private var last: Instant?

    init(perSecond: Int64) {
        self.perSecond = perSecond
        credit = perSecond * 1_000_000_000
    }

    /// Takes one occasion if there is one.
    mutating func take(now: Instant) -> Bool {
        if let last, now > last {
            let elapsed = min((now - last).nanoseconds, 1_000_000_000)
            credit = min(credit + elapsed * perSecond, perSecond * 1_000_000_000)
        }
        last = max(now, last ?? now)
        guard credit >= 1_000_000_000 else { return false }
        credit -= 1_000_000_000
        return true
    }
}
