public import ClusterModel

/// What follows a connection attempt that failed; HAProxy's `retries` and `option redispatch`.
public struct RetryPolicy: Hashable, Sendable {
    /// Attempts after the first one.
    public var retries: Int
    /// Whether the last one may go to another server.
    public var redispatches: Bool

    /// States both.
    public init(retries: Int, redispatches: Bool) {
        self.retries = retries
        self.redispatches = redispatches
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
        let isLast = attempt + 1 == retries
        // Without a cookie nobody cares which server it is, so the next one is tried without waiting.
        return !isUsable || isLast || (!followsCookie && eligible > 1) ? .anotherServer : .sameServer
    }

    /// The pause before the same server is tried again after it refused: a second, or the connect time-out if shorter.
    public static func turnAround(connectTimeout: Milliseconds) -> Milliseconds {
        min(1000, connectTimeout)
    }
}
