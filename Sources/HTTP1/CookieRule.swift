/// What a listener does with its persistence cookie: a plain record, and the decisions that follow from it.
public struct CookieRule: Sendable {
    /// Who makes the cookie.
    public enum Mode: UInt8, Sendable {
        /// The application, with the servers' own values; they are only read.
        case passive
        /// The proxy.
        case insert
        /// The application; the server's value takes the place of its own.
        case rewrite
        /// The application; the server's value stands in front of its own.
        case prefix
    }

    /// Who makes it.
    public var mode = Mode.insert
    /// Whether servers do not see it, and clients of their cookie's server no application's one of that name.
    public var isIndirect = false
    /// Whether only responses to POST set it.
    public var isPostOnly = false
    /// Whether the application's cookie of that name is left alone.
    public var preserves = false
    /// Whether cacheable responses that set it are marked private.
    public var marksPrivate = false
    /// After how many seconds without a request it counts no more; 0 for never.
    public var maxIdle: Int64 = 0
    /// After how many seconds in all; 0 for never.
    public var maxLife: Int64 = 0

    /// `insert` alone.
    public init() {}

    /// What stands between a server's value and the rest of the cookie: dates, or the application's own value.
    public var delimiter: UInt8 { mode == .prefix ? UInt8(ascii: "~") : UInt8(ascii: "|") }

    /// What a server sees of the cookie.
    public var requestTreatment: RequestCookie {
        switch mode {
        case .insert: isIndirect ? .removed : .untouched
        case .prefix: .withoutPrefix
        case .passive, .rewrite: .untouched
        }
    }

    /// What becomes of the application's cookie of this name.
    ///
    /// - Parameters:
    ///   - isDirect: Whether the client was sent to the server that its cookie named.
    ///   - hasValue: Whether the server has a value for the cookie.
    /// - Returns: What to do with each `Set-Cookie` of that name.
    public func responseTreatment(isDirect: Bool, hasValue: Bool) -> ResponseCookie {
        if preserves { return .untouched }
        if mode == .insert || (isDirect && isIndirect) { return .removed }
        guard hasValue else { return .untouched }
        switch mode {
        case .rewrite: return .replaced
        case .prefix: return .prefixed
        case .insert, .passive: return .untouched
        }
    }

    /// Whether a response gets a `Set-Cookie` of the proxy's own.
    ///
    /// - Parameters:
    ///   - isDirect: Whether the client was sent to the server that its cookie named.
    ///   - isStale: Whether its cookie has other dates than it should have; from `CookieDates`.
    ///   - isPost: Whether the request was a POST.
    ///   - appSets: Whether the server sets a cookie of that name.
    /// - Returns: Whether it does.
    public func inserts(isDirect: Bool, isStale: Bool, isPost: Bool, appSets: Bool) -> Bool {
        mode == .insert && (!isDirect || isStale) && (!isPostOnly || isPost) && !(preserves && appSets)
    }
}

/// What a server sees of a persistence cookie.
public enum RequestCookie: UInt8, Sendable {
    /// All of it.
    case untouched
    /// Nothing.
    case removed
    /// What follows the first `~`.
    case withoutPrefix
}

/// What a client sees of a `Set-Cookie` whose name is the persistence cookie's.
public enum ResponseCookie: UInt8, Sendable {
    /// All of it.
    case untouched
    /// Nothing.
    case removed
    /// The server's value in the place of the application's.
    case replaced
    /// The server's value and `~` in front of the application's.
    case prefixed
}
