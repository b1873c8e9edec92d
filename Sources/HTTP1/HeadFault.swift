/// Why a head was refused; the first rule that it broke.
public enum HeadFault: UInt8, Error, CaseIterable, Sendable {
    /// The request or status line is not of its form (RFC 9112 §3, §4).
    case startLine
    /// The target has a forbidden byte or form (§3.2).
    case target
    /// A version that is not HTTP/1.x (RFC 9110 §2.5).
    case version
    /// CR without LF or LF without CR (§2.2).
    case bareLineEnd
    /// A field name that is no token, or space before the colon (§5.1).
    case fieldName
    /// A control byte in a field value (§5.5).
    case fieldValue
    /// A folded line, or space before the first field (§5.2, §2.2).
    case folded
    /// More fields than `HeadLimits.fields`.
    case tooManyFields
    /// No end of the head within `HeadLimits.headBytes`.
    case headTooLong
    /// No end of the request line within `HeadLimits.headBytes`.
    case targetTooLong
    /// HTTP/1.1 without exactly one Host (§3.2).
    case hostCount
    /// A Host value that is no host with an optional port.
    case host
    /// An absolute target for another host than Host names.
    case hostMismatch
    /// A length that is not plain decimal, or two that differ (§6.3).
    case contentLength
    /// A length together with a transfer coding (§6.1).
    case lengthAndCoding
    /// A transfer coding that is malformed, repeated or in HTTP/1.0 (§6.1).
    case transferCoding
    /// A transfer coding other than `chunked`.
    case unknownCoding
    /// A Connection field that names a framing field, or is malformed (RFC 9110 §7.6.1).
    case connection
    /// CONNECT, which asks for a tunnel.
    case method
    /// TRACE, whose answer would show what the proxy adds.
    case forbiddenMethod
    /// An expectation other than 100-continue (RFC 9110 §10.1.1).
    case expectation

    /// The status that tells a client so.
    public var status: Int {
        switch self {
        case .version: 505
        case .tooManyFields, .headTooLong: 431
        case .targetTooLong: 414
        case .forbiddenMethod: 405
        case .unknownCoding, .method: 501
        case .expectation: 417
        default: 400
        }
    }
}

/// How far a head is read.
public enum HeadProgress: Equatable, Sendable {
    /// All of it; what follows starts at this offset.
    case complete(end: Int)
    /// More bytes are needed.
    case incomplete
    /// It must not be forwarded.
    case refused(HeadFault)
}
