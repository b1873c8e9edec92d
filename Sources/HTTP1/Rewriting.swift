/// What a request head gets on its way to a server.
public struct RequestEdits: ~Escapable {
    /// The cookie that does not go through as it is.
    public var cookie: Span<UInt8>
    /// What becomes of it.
    public var treatment: RequestCookie
    /// The client's address for X-Forwarded-For; empty for none.
    public var forwardedFor: Span<UInt8>
    /// Whether the server is told that the client's connection is encrypted, whatever the client says of that.
    public var forwardsEncryption: Bool

    /// States all of them.
    @_lifetime(copy cookie, copy forwardedFor)
    public init(
        cookie: Span<UInt8>,
        _ treatment: RequestCookie,
        forwardedFor: Span<UInt8>,
        forwardsEncryption: Bool = false
    ) {
        self.cookie = cookie
        self.treatment = treatment
        self.forwardedFor = forwardedFor
        self.forwardsEncryption = forwardsEncryption
    }
}

extension RequestHead {
    /// Writes the head as a server shall see it: own connection and framing fields, none of the client's hop.
    public func write(_ bytes: Span<UInt8>, edits: borrowing RequestEdits, into out: inout HeadWriter) {
        out.append(bytes, methodRange)
        out.append(targetNeedsSlash ? " /" : " ")
        out.append(bytes, targetRange)
        out.append(minorVersion == 1 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n")
        var run = LineRun()
        let lines = fields.lines
        for index in lines.indices {
            let field = lines[index]
            if passes(field, bytes, edits) {
                run.keep(field)
                continue
            }
            run.flush(bytes, into: &out)
            if field.kind == .cookie, !(nominates && fields.connectionNames(field, bytes)) {
                CookieScan.copy(field, edits.cookie, edits.treatment, bytes, into: &out)
            }
        }
        run.flush(bytes, into: &out)
        FramingLines.append(framing, contentLength, into: &out)
        if minorVersion == 0 { out.append("Connection: close\r\n") }
        if wantsUpgrade { UpgradeLines.append(bytes, upgradeRange, into: &out) }
        if edits.forwardedFor.count > 0 {
            out.append("X-Forwarded-For: ")
            out.append(edits.forwardedFor)
            out.append("\r\n")
        }
        if edits.forwardsEncryption { out.append("X-Forwarded-Proto: https\r\n") }
        out.append("\r\n")
    }

    private func passes(_ field: Field, _ bytes: Span<UInt8>, _ edits: borrowing RequestEdits) -> Bool {
        switch field.kind {
        case .hop, .upgrade, .connection, .contentLength, .transferEncoding: return false
        case .cookie where edits.treatment != .untouched: return false
        case .forwardedProtocol where edits.forwardsEncryption: return false
        // HTTP/1.0 has no interim responses.
        case .expect where minorVersion == 0: return false
        default: return !nominates || !fields.connectionNames(field, bytes)
        }
    }
}

/// What a response head gets on its way to the client.
public struct ResponseEdits: ~Escapable {
    /// The cookie whose Set-Cookie lines do not go through as they are.
    public var cookie: Span<UInt8>
    /// What becomes of them.
    public var treatment: ResponseCookie
    /// The server's value, where that puts it into them.
    public var serverValue: Span<UInt8>
    /// The value of an additional Set-Cookie line; empty for none.
    public var addedCookie: Span<UInt8>
    /// Whether a cacheable response that sets our cookie is marked as private.
    public var marksPrivate: Bool
    /// What the client is told about its connection.
    public var connection: ConnectionLine

    /// States all of them.
    @_lifetime(copy cookie, copy serverValue, copy addedCookie)
    public init(
        cookie: Span<UInt8>,
        _ treatment: ResponseCookie,
        serverValue: Span<UInt8>,
        addedCookie: Span<UInt8>,
        marksPrivate: Bool,
        connection: ConnectionLine
    ) {
        self.cookie = cookie
        self.treatment = treatment
        self.serverValue = serverValue
        self.addedCookie = addedCookie
        self.marksPrivate = marksPrivate
        self.connection = connection
    }
}

/// The Connection line of a response.
public enum ConnectionLine: Sendable {
    /// None: HTTP/1.1 stays open by itself.
    case absent
    /// `close`.
    case close
    /// `keep-alive`, which a client of HTTP/1.0 must be told.
    case keepAlive
}

extension ResponseHead {
    /// Writes the head as the client shall see it; the version is ours.
    public func write(_ bytes: Span<UInt8>, edits: borrowing ResponseEdits, into out: inout HeadWriter) {
        out.append("HTTP/1.1 ")
        out.append(bytes, statusRange)
        out.append("\r\n")
        var run = LineRun()
        let lines = fields.lines
        for index in lines.indices {
            let field = lines[index]
            if passes(field, bytes, edits) {
                run.keep(field)
            } else {
                run.flush(bytes, into: &out)
                if field.kind == .setCookie { copy(field, bytes, edits, into: &out) }
            }
        }
        run.flush(bytes, into: &out)
        if framing == .chunked {
            FramingLines.append(.chunked, 0, into: &out)
        } else if contentLength >= 0 {
            FramingLines.append(.length, contentLength, into: &out)
        }
        if edits.addedCookie.count > 0 {
            out.append("Set-Cookie: ")
            out.append(edits.addedCookie)
            out.append("\r\n")
            if edits.marksPrivate, isCacheable { out.append("Cache-control: private\r\n") }
        }
        if switchesProtocol { UpgradeLines.append(bytes, upgradeRange, into: &out) }
        switch edits.connection {
        case .absent: break
        case .close: out.append("Connection: close\r\n")
        case .keepAlive: out.append("Connection: keep-alive\r\n")
        }
        out.append("\r\n")
    }

    private func passes(_ field: Field, _ bytes: Span<UInt8>, _ edits: borrowing ResponseEdits) -> Bool {
        switch field.kind {
        case .hop, .upgrade, .connection, .contentLength, .transferEncoding: return false
        case .setCookie where edits.treatment != .untouched:
            if CookieScan.set(edits.cookie, by: field.value, bytes) != nil { return false }
        default: break
        }
        return !nominates || !fields.connectionNames(field, bytes)
    }

    /// Appends a Set-Cookie line of the application with the server's value in it, where that is what shall be done.
    private func copy(
        _ field: Field,
        _ bytes: Span<UInt8>,
        _ edits: borrowing ResponseEdits,
        into out: inout HeadWriter
    ) {
        guard edits.treatment == .replaced || edits.treatment == .prefixed,
            !(nominates && fields.connectionNames(field, bytes)),
            let value = CookieScan.set(edits.cookie, by: field.value, bytes)
        else { return }
        out.append(bytes, Int(field.nameStart)..<value.lowerBound)
        out.append(edits.serverValue)
        if edits.treatment == .prefixed {
            out.append("~")
            out.append(bytes, value)
        }
        out.append(bytes, value.upperBound..<Int(field.valueEnd))
        out.append("\r\n")
    }
}

/// Neighbouring lines that are copied in one piece.
struct LineRun {
    private var start = 0
    private var end = 0

    /// Adds a line; lines that are kept in a row are one piece.
    mutating func keep(_ field: Field) {
        if end == 0 { start = Int(field.nameStart) }
        end = Int(field.valueEnd)
    }

    mutating func flush(_ bytes: Span<UInt8>, into out: inout HeadWriter) {
        guard end > 0 else { return }
        // Blanks after the last value are left out with the line end, which is written anew.
        out.append(bytes, start..<end)
        out.append("\r\n")
        end = 0
    }
}

/// Framing fields are written from what was understood, never copied, so that both ends understand the same.
enum FramingLines {
    static func append(_ framing: Framing, _ length: Int64, into out: inout HeadWriter) {
        switch framing {
        case .none, .untilClose: break
        case .length:
            out.append("Content-Length: ")
            out.append(decimal: length)
            out.append("\r\n")
        case .chunked: out.append("Transfer-Encoding: chunked\r\n")
        }
    }
}

/// The two fields that only together ask for another protocol, or grant it.
enum UpgradeLines {
    static func append(_ bytes: Span<UInt8>, _ target: Range<Int>, into out: inout HeadWriter) {
        out.append("Connection: Upgrade\r\nUpgrade: ")
        out.append(bytes, target)
        out.append("\r\n")
    }
}
