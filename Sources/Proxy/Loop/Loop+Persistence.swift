import Balancing
import CLinux
import HTTP1
import ProxyControl

/// Persistence: following a client's cookie, and giving it one.
extension Loop {
    // MARK: Requests

    /// Picks a server for the request in `requestHead`; false when nobody serves.
    mutating func choose(
        _ client: SlotPointer,
        _ entry: UnsafePointer<ListenerEntry>,
        _ bytes: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        if entry.pointee.method.isByPath { client.pointee.key = ClientHash.path(bytes.span, requestHead.targetRange) }
        guard entry.pointee.hasCookie else { return balance(client, avoiding: -1, reason: .balance) }
        client.pointee.notes.serverCookie = .none
        guard requestHead.hasCookie else {
            client.pointee.notes.clientCookie = .none
            return balance(client, avoiding: -1, reason: .noCookie)
        }
        let verdict = followCookie(client, entry, bytes)
        client.pointee.notes.clientCookie = verdict.cookie
        guard verdict.server >= 0 else { return balance(client, avoiding: -1, reason: verdict.reason) }
        client.pointee.flags.insert(.followsCookie)
        client.pointee.server = verdict.server
        notePick(client, verdict.reason)
        return true
    }

    /// What a request's cookies say.
    private struct Following {
        var cookie = ClientCookie.none
        var reason = PickReason.noCookie
        /// The server's number; -1 where the listener's method decides.
        var server: Int32 = -1
    }

    /// Looks for the first cookie that names a server which can be used.
    private mutating func followCookie(
        _ client: SlotPointer,
        _ entry: UnsafePointer<ListenerEntry>,
        _ bytes: UnsafeBufferPointer<UInt8>
    ) -> Following {
        var following = Following()
        guard let table else { return following }
        let first = Int(entry.pointee.firstRow)
        let rows = UnsafeBufferPointer(rebasing: table.pointee.rows[first..<(first + Int(entry.pointee.rowCount))])
        let all = UnsafeBufferPointer(table.pointee.text)
        let name = text(entry.pointee.cookieName)
        var position = CookieScan.Position()
        while let value = CookieScan.next(name.span, in: requestHead, bytes.span, &position) {
            let part = CookieScan.server(in: value, before: entry.pointee.cookie.delimiter, bytes.span)
            if let age = tooOld(client, entry, bytes, part.upperBound..<value.upperBound) {
                following = age
                continue
            }
            let wanted = UnsafeBufferPointer(rebasing: bytes[part])
            switch Selection.byCookie(wanted.span, rows.span, text: all.span) {
            case .unknown:
                if following.cookie == .none { (following.cookie, following.reason) = (.invalid, .unknownCookie) }
            case .unusable: (following.cookie, following.reason) = (.down, .cookieServerDown)
            case .server(let row):
                following.server = serverNumber(entry, row)
                (following.cookie, following.reason) = rows[row].isForced ? (.down, .persist) : (.valid, .cookie)
                return following
            }
        }
        return following
    }

    /// Reads a cookie's dates; what follows if they make it worthless.
    @inline(__always)
    private mutating func tooOld(
        _ client: SlotPointer,
        _ entry: UnsafePointer<ListenerEntry>,
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ range: Range<Int>
    ) -> Following? {
        client.pointee.notes.dates = CookieDates()
        guard !range.isEmpty, entry.pointee.cookie.mode != .prefix else { return nil }
        let dates = CookieDates(reading: bytes.span, range)
        let rule = entry.pointee.cookie
        switch dates.age(now: wallSeconds(), maxIdle: rule.maxIdle, maxLife: rule.maxLife) {
        case .idle: return Following(cookie: .expired, reason: .cookieExpired)
        case .old: return Following(cookie: .old, reason: .cookieTooOld)
        case .fresh:
            client.pointee.notes.dates = dates
            return nil
        }
    }

    private mutating func wallSeconds() -> Int64 { haven_clock(CLOCK_REALTIME) / 1_000_000_000 }

    // MARK: Responses

    /// Writes the response in `responseHead` as the client shall see it into `out`; its length, 0 when it does not fit.
    mutating func writeResponse(
        _ client: SlotPointer,
        _ server: SlotPointer,
        _ bytes: UnsafeBufferPointer<UInt8>
    ) -> Int {
        client.pointee.notes.noteAnswered(now, status: responseHead.status)
        let entry = listener(client.pointee.listener)
        let isPersistent = entry.pointee.hasCookie
        let own = self.server(server.pointee.server)
        let treatment = isPersistent ? treat(client, own, entry, bytes) : .untouched
        let cookie = isPersistent ? ownCookie(client, own, entry) : text(TextRange())
        let name = text(isPersistent ? entry.pointee.cookieName : TextRange())
        let value = text(isPersistent ? own.pointee.cookieValue : TextRange())
        // It must fit in front of the body that was read with it.
        let room = min(bytes.count + ProxyLimits.headRoom, ProxyLimits.outBytes - ProxyLimits.headReadBytes)
        var writer = HeadWriter(base: out, capacity: room)
        let edits = ResponseEdits(
            cookie: name.span,
            treatment,
            serverValue: value.span,
            addedCookie: cookie.span,
            marksPrivate: entry.pointee.cookie.marksPrivate,
            connection: connectionLine(client)
        )
        responseHead.write(bytes.span, edits: edits, into: &writer)
        return writer.overflowed ? 0 : writer.count
    }

    private mutating func connectionLine(_ client: SlotPointer) -> ConnectionLine {
        // A change of protocol says itself what becomes of the connection.
        if responseHead.switchesProtocol { return .absent }
        if !client.pointee.flags.contains(.keepAlive) { return .close }
        return client.pointee.flags.contains(.oldVersion) ? .keepAlive : .absent
    }

    /// What becomes of the application's own cookie of that name, if there is one; notes it.
    private mutating func treat(
        _ client: SlotPointer,
        _ own: UnsafePointer<ServerEntry>,
        _ entry: UnsafePointer<ListenerEntry>,
        _ bytes: UnsafeBufferPointer<UInt8>
    ) -> ResponseCookie {
        guard responseHead.hasSetCookie, responseHead.sets(text(entry.pointee.cookieName).span, bytes.span) else {
            return .untouched
        }
        let treatment = entry.pointee.cookie.responseTreatment(
            isDirect: client.pointee.flags.contains(.followsCookie),
            hasValue: own.pointee.cookieValue.count > 0
        )
        switch treatment {
        case .untouched: client.pointee.notes.serverCookie = .provided
        case .removed: client.pointee.notes.serverCookie = .deleted
        case .replaced, .prefixed: client.pointee.notes.serverCookie = .rewritten
        }
        return treatment
    }

    /// The value of the Set-Cookie line that this response gets of the proxy; empty for none.
    private mutating func ownCookie(
        _ client: SlotPointer,
        _ own: UnsafePointer<ServerEntry>,
        _ entry: UnsafePointer<ListenerEntry>
    ) -> UnsafeBufferPointer<UInt8> {
        let rule = entry.pointee.cookie
        let isDirect = client.pointee.flags.contains(.followsCookie)
        let dates = client.pointee.notes.dates
        let isDated = rule.maxIdle > 0 || rule.maxLife > 0
        // Without dates nobody needs to know the time.
        let now = isDated || dates.last > 0 ? wallSeconds() : 0
        let inserts = rule.inserts(
            isDirect: isDirect,
            isStale: isDirect && dates.isStale(now: now, maxIdle: rule.maxIdle, maxLife: rule.maxLife),
            isPost: client.pointee.method == .post,
            appSets: client.pointee.notes.serverCookie == .provided
        )
        guard inserts else { return text(TextRange()) }
        let hasValue = own.pointee.cookieValue.count > 0
        client.pointee.notes.serverCookie = isDirect && hasValue ? .updated : .inserted
        let whole = text(own.pointee.setCookie)
        guard isDated, own.pointee.beforeDates > 0 else { return whole }
        var writer = HeadWriter(base: cookieText, capacity: ProxyLimits.cookieBytes)
        writer.append(whole.span, 0..<Int(own.pointee.beforeDates))
        CookieDates.append(
            now: now,
            hasLife: rule.maxLife > 0,
            first: isDirect ? dates.first : 0,
            into: &writer
        )
        writer.append(whole.span, Int(own.pointee.beforeDates)..<whole.count)
        // Names, values and attributes are bounded so that it fits; without it the client would just come as a new one.
        return UnsafeBufferPointer(start: cookieText, count: writer.overflowed ? 0 : writer.count)
    }
}
