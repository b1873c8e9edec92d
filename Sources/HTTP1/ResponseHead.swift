/// One response head: what it says, and where.
public struct ResponseHead: Sendable {
    /// Its field lines.
    public private(set) var fields = FieldTable()
    /// 100 to 999.
    public private(set) var status = 0
    /// From the status code to the end of its line: what follows `HTTP/1.1 `.
    public private(set) var statusRange = 0..<0
    /// 0 or 1, of HTTP/1.x.
    public private(set) var minorVersion: UInt8 = 1
    /// How its body ends.
    public private(set) var framing = Framing.none
    /// What Content-Length says (of a response to HEAD: what the body would have); -1 for nothing.
    public private(set) var contentLength: Int64 = -1
    /// Whether the server keeps the connection.
    public private(set) var keepsAlive = true
    /// Whether a cache could store it (freshness or validator, and nothing that forbids).
    public private(set) var isCacheable = false
    /// Whether there is a Set-Cookie field.
    public private(set) var hasSetCookie = false
    /// Whether Connection names further fields to leave out.
    public private(set) var nominates = false
    /// Of a 101, where the name of the new protocol stands.
    public private(set) var upgradeRange = 0..<0

    /// Nothing read yet.
    public init() {}

    /// Whether another head for the same request follows.
    public var isInterim: Bool { status < 200 && status != 101 }
    /// Whether the connection speaks another protocol from here on.
    public var switchesProtocol: Bool { status == 101 }

    /// Reads a head from the start of `bytes`.
    ///
    /// - Parameters:
    ///   - bytes: What has come so far.
    ///   - method: The request's, for a response to HEAD has no body.
    ///   - mayUpgrade: Whether the request asked for another protocol.
    /// - Returns: How far it got.
    public mutating func read(_ bytes: Span<UInt8>, to method: Method, mayUpgrade: Bool = false) -> HeadProgress {
        let window = bytes.extracting(first: min(bytes.count, HeadLimits.headBytes))
        do throws(HeadFault) {
            guard let start = try readLine(window) else { return incomplete(window) }
            let progress = fields.read(window, from: start)
            if case .incomplete = progress { return incomplete(window) }
            if case .complete = progress { try interpret(window, to: method, mayUpgrade) }
            return progress
        } catch { return .refused(error) }
    }

    private func incomplete(_ window: Span<UInt8>) -> HeadProgress {
        window.count == HeadLimits.headBytes ? .refused(.headTooLong) : .incomplete
    }

    private mutating func readLine(_ bytes: Span<UInt8>) throws(HeadFault) -> Int? {
        guard let minor = try VersionText.read(bytes, from: 0) else { return nil }
        minorVersion = minor
        var at = VersionText.length
        guard at + 4 < bytes.count else { return nil }
        guard bytes[at] == Characters.space else { throw .startLine }
        at += 1
        let codeStart = at
        status = 0
        while at < codeStart + 3 {
            guard Characters.isDigit(bytes[at]) else { throw .startLine }
            status = status * 10 + Int(bytes[at] &- 0x30)
            at += 1
        }
        guard status >= 100 else { throw .startLine }
        // The reason may be empty, and sloppy servers leave its space out too.
        guard bytes[at] == Characters.space || bytes[at] == Characters.cr else { throw .startLine }
        while at < bytes.count, bytes[at] != Characters.cr {
            guard bytes[at] >= 0x20 || bytes[at] == Characters.tab, bytes[at] != 0x7F else { throw .startLine }
            at &+= 1
        }
        guard at + 1 < bytes.count else { return nil }
        guard bytes[at + 1] == Characters.lf else { throw .bareLineEnd }
        statusRange = codeStart..<at
        return at + 2
    }

    private mutating func interpret(
        _ bytes: Span<UInt8>,
        to method: Method,
        _ mayUpgrade: Bool
    ) throws(HeadFault) {
        var upgrade = UpgradeFields()
        var framingFields = FramingFields()
        var options = ConnectionOptions()
        var caching = CachingFields()
        hasSetCookie = false
        for index in 0..<fields.count {
            let field = fields[index]
            switch field.kind {
            case .other, .hop, .host, .cookie, .expect, .forged, .forwardedProtocol: break
            case .connection: try options.add(bytes, field.value)
            case .upgrade: upgrade.add(field.value)
            case .contentLength: try framingFields.addLength(bytes, field.value)
            case .transferEncoding: try framingFields.addCoding(bytes, field.value)
            case .setCookie: hasSetCookie = true
            case .cacheControl: caching.add(bytes, field.value)
            case .cacheValidator: caching.isStorable = true
            }
        }
        nominates = options.nominates
        keepsAlive = minorVersion == 1 ? !options.close : options.keepAlive && !options.close
        isCacheable = caching.isStorable && !caching.forbids && method.isCacheable && Self.storable(status)
        contentLength = framingFields.contentLength
        upgradeRange = 0..<0
        guard status == 101 else { return try decideFraming(framingFields, to: method) }
        // Only what was asked for, said in full, and without a body.
        guard mayUpgrade, options.upgrade, minorVersion == 1, !framingFields.chunked, contentLength <= 0,
            let target = upgrade.target(bytes)
        else { throw .connection }
        upgradeRange = target
        contentLength = -1
        framing = .untilClose
        keepsAlive = false
    }

    private mutating func decideFraming(_ fields: FramingFields, to method: Method) throws(HeadFault) {
        // The coding would win (RFC 9112 §6.3), but not with every reader.
        guard !fields.chunked || contentLength < 0 else { throw .lengthAndCoding }
        if status < 200 || status == 204 || status == 304 || method == .head {
            framing = .none
            if status < 200 || status == 204 { contentLength = -1 }
        } else if fields.chunked {
            guard minorVersion == 1 else { throw .transferCoding }
            framing = .chunked
        } else if contentLength >= 0 {
            framing = .length
        } else {
            framing = .untilClose
            keepsAlive = false
        }
    }

    /// Codes that caches may store by default (RFC 9110 §15.1).
    private static func storable(_ status: Int) -> Bool {
        switch status {
        case 200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501: true
        default: false
        }
    }
}

/// What decides whether a response may be stored.
struct CachingFields {
    var isStorable = false
    var forbids = false

    mutating func add(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        var rest = value
        while !rest.isEmpty {
            let item = ListItem.next(bytes, &rest)
            if Characters.equals(bytes, item, "private") || Characters.equals(bytes, item, "no-store")
                || Characters.equals(bytes, item, "no-cache")
            {
                forbids = true
            } else if !item.isEmpty {
                isStorable = true
            }
        }
    }
}
