public import ClusterModel

/// What follows a connection attempt that failed; HAProxy's `retries` and `option redispatch`.
public struct RetryPolicy: Hashable, Sendable {
    /// Attempts after the first one.
    public var retries: Int
    /// Whether some of them may go to another server.
    public var redispatches: Bool
    /// Which of them does: with N every Nth one, with -N the Nth before the end, so that -1 is the last.
    public var interval: Int

    /// States all three.
    public init(retries: Int, redispatches: Bool, interval: Int = -1) {
        self.retries = retries
        self.redispatches = redispatches
        self.interval = interval
    }

    /// What to do next.
    public enum Step: Hashable, Sendable {
        /// The same server again, after a pause when the attempt was refused.
        case sameServer
        /// Another one now; a cookie no longer counts.
        case anotherServer
        /// Answer 503.
        case giveUp
    }

    /// Decides after a failure.
    ///
    /// - Parameters:
    ///   - attempt: How many retries were made already.
    ///   - followsCookie: Whether the server was chosen by the client's cookie.
    ///   - isUsable: Whether the server still counts as up.
    ///   - eligible: How many servers take new clients.
    /// - Returns: What to do next.
    public func step(attempt: Int, followsCookie: Bool, isUsable: Bool, eligible: Int) -> Step {
        guard attempt < retries else { return .giveUp }
        guard redispatches else { return .sameServer }
        // Without a cookie nobody cares which server it is, so the next one is tried without waiting.
        return !isUsable || isDue(attempt + 1) || (!followsCookie && eligible > 1) ? .anotherServer : .sameServer
    }

    /// Whether this retry, counted from 1, leaves the server.
    private func isDue(_ retry: Int) -> Bool {
        if interval > 0 { return retry % interval == 0 }
        return interval < 0 && retry == retries + 1 + interval
    }

    /// The pause before the same server is tried again after it refused: a second, or the connect time-out if shorter.
    public static func turnAround(connectTimeout: Milliseconds) -> Milliseconds {
        min(1000, connectTimeout)
    }
}
