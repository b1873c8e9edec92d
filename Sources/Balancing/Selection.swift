/// One server as the selection sees it: a plain record in a table that never changes once published.
public struct ServerRow: Sendable {
    /// Where its cookie's value starts in the table's text.
    public var cookieOffset: UInt32
    /// How long the value is; 0 for a server without a cookie.
    public var cookieLength: UInt16
    /// Whether clients with its cookie are sent to it.
    public var isUsable: Bool
    /// Whether it takes new clients.
    public var isEligible: Bool
    /// Whether it is usable only because its clients are to stay whatever happens (`option persist`).
    public var isForced: Bool

    /// States all of it.
    public init(cookieOffset: UInt32, cookieLength: UInt16, isUsable: Bool, isEligible: Bool, isForced: Bool = false) {
        self.cookieOffset = cookieOffset
        self.cookieLength = cookieLength
        self.isUsable = isUsable
        self.isEligible = isEligible
        self.isForced = isForced
    }
}

/// What a client's cookie says.
public enum CookieVerdict: Equatable, Sendable {
    /// Use the server at this index.
    case server(Int)
    /// It names servers, none of which is usable.
    case unusable
    /// It names none.
    case unknown
}

/// Picks servers; the only place that does.
public enum Selection {
    /// The first usable server, in the order of configuration, whose cookie has this value (HAProxy's rule: a main
    /// server and its stand-in may share one).
    public static func byCookie(_ value: Span<UInt8>, _ rows: Span<ServerRow>, text: Span<UInt8>) -> CookieVerdict {
        var verdict = CookieVerdict.unknown
        for index in rows.indices {
            let row = rows[index]
            guard row.cookieLength > 0, Int(row.cookieLength) == value.count else { continue }
            let start = Int(row.cookieOffset)
            var same = true
            for offset in value.indices where text[start + offset] != value[offset] {
                same = false
                break
            }
            guard same else { continue }
            if row.isUsable { return .server(index) }
            verdict = .unusable
        }
        return verdict
    }

    /// The next server of the sequence.
    ///
    /// - Parameters:
    ///   - sequence: From `RoundRobin.sequence`, over eligible servers only.
    ///   - cursor: Where this thread stands in it.
    ///   - avoided: A server that just failed: passed over if there is another one; -1 for none.
    /// - Returns: Its index; nil when the sequence is empty.
    public static func next(_ sequence: Span<UInt16>, cursor: inout UInt32, avoiding avoided: Int = -1) -> Int? {
        let count = UInt32(sequence.count)
        guard count > 0 else { return nil }
        var at = cursor % count
        var picked = Int(sequence[Int(at)])
        var steps: UInt32 = 1
        while picked == avoided, steps < count {
            at = (at + 1) % count
            picked = Int(sequence[Int(at)])
            steps += 1
        }
        cursor = (at + 1) % count
        return picked
    }
}
