/// A word of HAProxy's `retry-on`: after what a request is sent again.
///
/// A request is only sent again as long as all of it is held and nothing of a response has reached the client.
public enum RetryWord: String, Codable, CaseIterable, Sendable {
    /// No connection; nothing was sent, so that this is harmless with any request.
    case connectionFailure = "conn-failure"
    /// The server closed before it said anything.
    case emptyResponse = "empty-response"
    /// What it said was no HTTP, or ended inside its head.
    case junkResponse = "junk-response"
    /// It said nothing for the whole `timeout server`.
    case responseTimeout = "response-timeout"
    /// It answered 401.
    case status401 = "401"
    /// It answered 403.
    case status403 = "403"
    /// It answered 404.
    case status404 = "404"
    /// It answered 408.
    case status408 = "408"
    /// It answered 425.
    case status425 = "425"
    /// It answered 500.
    case status500 = "500"
    /// It answered 501.
    case status501 = "501"
    /// It answered 502.
    case status502 = "502"
    /// It answered 503.
    case status503 = "503"
    /// It answered 504.
    case status504 = "504"
    /// No cause of its own (the word is nginx's): requests of every method are sent again, those included that may do
    /// twice what they do, such as POST (RFC 9110 §9.2.2).
    case nonIdempotent = "non-idempotent"

    /// What HAProxy's `all-retryable-errors` stands for.
    public static let allRetryableErrors: [RetryWord] = [
        .connectionFailure, .emptyResponse, .junkResponse, .responseTimeout, .status500, .status502, .status503,
        .status504,
    ]
}

/// Which open connections to servers a request may be sent on; HAProxy's `http-reuse`.
public enum ReuseMode: String, Codable, CaseIterable, Sendable {
    /// Those alone that served the same client before.
    case never
    /// Any, but a client's first request gets a new one.
    case safe
    /// Any; a client's first request only one that has served several requests already.
    case aggressive
    /// Any.
    case always
}
