/// Methods that the proxy treats differently.
public enum Method: UInt8, Sendable {
    /// GET.
    case get
    /// HEAD: its response has no body.
    case head
    /// OPTIONS.
    case options
    /// PUT and DELETE: may be repeated (RFC 9110 §9.2.2), responses are not cached.
    case idempotent
    /// POST.
    case post
    /// Any other.
    case other

    /// Whether sending it twice is the same as sending it once.
    public var isIdempotent: Bool { self != .other && self != .post }
    /// Whether its response may be stored by a cache as HAProxy's `nocache` understands it.
    public var isCacheable: Bool { self == .get || self == .head || self == .options }
}

/// One request head: what it says, and where.
///
/// The value is reused from request to request; reading one allocates nothing.
public struct RequestHead: Sendable {
    /// Its field lines.
    public private(set) var fields = FieldTable()
    /// The method.
    public private(set) var method = Method.other
    /// Where the method stands.
    public private(set) var methodRange = 0..<0
    /// Where the target stands, in origin form: an absolute target's scheme and authority are left out.
    public private(set) var targetRange = 0..<0
    /// Whether an absolute target had no path, so that `/` goes in front.
    public private(set) var targetNeedsSlash = false
    /// 0 or 1, of HTTP/1.x.
    public private(set) var minorVersion: UInt8 = 1
    /// How its body ends.
    public private(set) var framing = Framing.none
    /// The length of the body where `framing` is `length`.
    public private(set) var contentLength: Int64 = 0
    /// Whether the client can use the connection again.
    public private(set) var keepsAlive = true
    /// Whether the client waits for 100 before it sends its body.
    public private(set) var expectsContinue = false
    /// Whether there is a Cookie field.
    public private(set) var hasCookie = false
    /// Whether Connection names further fields to leave out.
    public private(set) var nominates = false
    /// Where the name of the protocol stands that the client wants to change to; empty when it does not, or when that
    /// is not passed on.
    public private(set) var upgradeRange = 0..<0
    /// Whether the server may answer with 101.
    public var wantsUpgrade: Bool { !upgradeRange.isEmpty }

    /// Nothing read yet.
    public init() {}

    /// Reads a head from the start of `bytes`.
    public mutating func read(_ bytes: Span<UInt8>) -> HeadProgress {
        let window = bytes.extracting(first: min(bytes.count, HeadLimits.headBytes))
        let progress: HeadProgress
        do throws(HeadFault) {
            progress = try readWindow(window)
        } catch { return .refused(error) }
        if case .incomplete = progress, window.count == HeadLimits.headBytes {
            return .refused(lineIsComplete ? .headTooLong : .targetTooLong)
        }
        return progress
    }

    private var lineIsComplete = false

    private mutating func readWindow(_ bytes: Span<UInt8>) throws(HeadFault) -> HeadProgress {
        lineIsComplete = false
        guard let fieldsStart = try readLine(bytes) else { return .incomplete }
        lineIsComplete = true
        let progress = fields.read(bytes, from: fieldsStart)
        if case .complete = progress { try interpret(bytes) }
        return progress
    }

    // MARK: Request line

    /// Reads the request line; nil when it is not all there.
    private mutating func readLine(_ bytes: Span<UInt8>) throws(HeadFault) -> Int? {
        guard let start = try Self.skipEmptyLines(bytes) else { return nil }
        let limit = bytes.count
        var at = start
        while at < limit, Characters.isToken(bytes[at]) { at &+= 1 }
        guard at - start <= HeadLimits.methodBytes else { throw .startLine }
        guard at < limit else { return nil }
        guard bytes[at] == Characters.space, at > start else { throw .startLine }
        methodRange = start..<at
        let targetStart = at + 1
        at = targetStart
        while at < limit, bytes[at] > 0x20, bytes[at] < 0x7F, bytes[at] != UInt8(ascii: "#") { at &+= 1 }
        guard at < limit else { return nil }
        guard bytes[at] == Characters.space, at > targetStart else {
            throw bytes[at] == Characters.cr || bytes[at] == Characters.lf ? .startLine : .target
        }
        targetRange = targetStart..<at
        guard let end = try readVersion(bytes, from: at + 1) else { return nil }
        try classifyMethod(bytes)
        return end
    }

    /// A robust server ignores empty lines before a request (RFC 9112 §2.2).
    private static func skipEmptyLines(_ bytes: Span<UInt8>) throws(HeadFault) -> Int? {
        var at = 0
        while at < bytes.count, bytes[at] == Characters.cr {
            guard at + 1 < bytes.count else { return nil }
            guard bytes[at + 1] == Characters.lf else { throw .bareLineEnd }
            at += 2
        }
        return at
    }

    private mutating func readVersion(_ bytes: Span<UInt8>, from start: Int) throws(HeadFault) -> Int? {
        guard let minor = try VersionText.read(bytes, from: start) else { return nil }
        let at = start + VersionText.length
        guard at < bytes.count else { return nil }
        guard bytes[at] == Characters.cr else { throw bytes[at] == Characters.lf ? .bareLineEnd : .startLine }
        guard at + 1 < bytes.count else { return nil }
        guard bytes[at + 1] == Characters.lf else { throw .bareLineEnd }
        minorVersion = minor
        return at + 2
    }

    private mutating func classifyMethod(_ bytes: Span<UInt8>) throws(HeadFault) {
        method = .other
        switch methodRange.count {
        case 3:
            if Self.isMethod(bytes, methodRange, "GET") {
                method = .get
            } else if Self.isMethod(bytes, methodRange, "PUT") {
                method = .idempotent
            }
        case 4 where Self.isMethod(bytes, methodRange, "HEAD"): method = .head
        case 4 where Self.isMethod(bytes, methodRange, "POST"): method = .post
        // A trace shows the server's answer to headers that the proxy added; nobody behind a load balancer needs it.
        case 5 where Self.isMethod(bytes, methodRange, "TRACE"): throw .forbiddenMethod
        case 6 where Self.isMethod(bytes, methodRange, "DELETE"): method = .idempotent
        case 7 where Self.isMethod(bytes, methodRange, "OPTIONS"): method = .options
        case 7 where Self.isMethod(bytes, methodRange, "CONNECT"): throw .method
        default: break
        }
    }

    /// Methods are case-sensitive (RFC 9110 §9.1).
    private static func isMethod(_ bytes: Span<UInt8>, _ range: Range<Int>, _ word: StaticString) -> Bool {
        let expected = unsafe word.utf8Start
        for offset in 0..<range.count where bytes[range.lowerBound + offset] != (unsafe expected[offset]) {
            return false
        }
        return true
    }

    // MARK: Fields

    private mutating func interpret(_ bytes: Span<UInt8>) throws(HeadFault) {
        var framingFields = FramingFields()
        var options = ConnectionOptions()
        var upgrade = UpgradeFields()
        var host: Range<Int>?
        expectsContinue = false
        hasCookie = false
        for index in 0..<fields.count {
            let field = fields[index]
            switch field.kind {
            case .other, .hop, .setCookie, .cacheControl, .cacheValidator, .forwardedProtocol: break
            case .host:
                guard host == nil else { throw .hostCount }
                host = field.value
            case .connection: try options.add(bytes, field.value)
            case .upgrade: upgrade.add(field.value)
            case .contentLength: try framingFields.addLength(bytes, field.value)
            case .transferEncoding: try framingFields.addCoding(bytes, field.value)
            case .cookie: hasCookie = true
            case .expect:
                guard Characters.equals(bytes, field.value, "100-continue") else { throw .expectation }
                expectsContinue = minorVersion == 1
            case .forged: throw .transferCoding
            }
        }
        try decideFraming(framingFields)
        keepsAlive = minorVersion == 1 ? !options.close : options.keepAlive && !options.close
        nominates = options.nominates
        // After a body nobody could say where the new protocol starts.
        let mayUpgrade = minorVersion == 1 && options.upgrade && framing == .none
        upgradeRange = mayUpgrade ? upgrade.target(bytes) ?? 0..<0 : 0..<0
        if let host {
            guard HostText.isValid(bytes, host) else { throw .host }
        } else if minorVersion == 1 {
            throw .hostCount
        }
        try normaliseTarget(bytes, host: host)
    }

    private mutating func decideFraming(_ fields: FramingFields) throws(HeadFault) {
        framing = .none
        contentLength = 0
        if fields.chunked {
            guard fields.contentLength < 0 else { throw .lengthAndCoding }
            guard minorVersion == 1 else { throw .transferCoding }
            framing = .chunked
        } else if fields.contentLength >= 0 {
            framing = .length
            contentLength = fields.contentLength
        }
    }

    /// Checks the form of the target and cuts an absolute one down to its path (RFC 9112 §3.2).
    private mutating func normaliseTarget(_ bytes: Span<UInt8>, host: Range<Int>?) throws(HeadFault) {
        targetNeedsSlash = false
        let target = targetRange
        if bytes[target.lowerBound] == UInt8(ascii: "/") { return }
        if target.count == 1, bytes[target.lowerBound] == UInt8(ascii: "*") {
            guard method == .options else { throw .target }
            return
        }
        let schemes: [2 of StaticString] = ["http://", "https://"]
        for index in schemes.indices {
            let length = schemes[index].utf8CodeUnitCount
            guard target.count > length,
                Characters.equals(bytes, target.lowerBound..<(target.lowerBound + length), schemes[index])
            else { continue }
            let start = target.lowerBound + length
            var end = start
            while end < target.upperBound, bytes[end] != UInt8(ascii: "/"), bytes[end] != UInt8(ascii: "?") { end += 1 }
            guard HostText.isValid(bytes, start..<end) else { throw .target }
            // Routing by one name and serving by another is how caches get poisoned.
            if let host, !Characters.equals(bytes, host, start..<end) { throw .hostMismatch }
            targetRange = end..<target.upperBound
            targetNeedsSlash = targetRange.isEmpty || bytes[end] == UInt8(ascii: "?")
            return
        }
        throw .target
    }
}
