import Balancing
import ClusterModel
import HTTP1

extension CookieRule {
    /// What a configuration says.
    init(_ cookie: CookiePersistence) {
        self.init()
        switch cookie.mode ?? .insert {
        case .insert: mode = .insert
        case .rewrite: mode = .rewrite
        case .prefix: mode = .prefix
        case .passive: mode = .passive
        }
        isIndirect = cookie.indirect
        isPostOnly = cookie.postOnly ?? false
        preserves = cookie.preserve ?? false
        marksPrivate = cookie.noCache
        // Dates have a resolution of 4 s; a limit below a second would be none at all.
        maxIdle = cookie.maxIdle.map { max(1, $0.count / 1000) } ?? 0
        maxLife = cookie.maxLife.map { max(1, $0.count / 1000) } ?? 0
    }
}

extension Listener {
    /// The value of the cookie that binds clients to a server: its own, or a computed one; nil for none.
    func cookieValue(of server: Server) -> String? {
        if let own = server.cookie { return own }
        guard let cookie, cookie.dynamic == true else { return nil }
        return DynamicCookie.value(of: server.endpoint, key: cookie.dynamicKey?.exposed ?? "")
    }
}

extension CookiePersistence {
    /// The value of a Set-Cookie line, and how many of its bytes stand in front of dates, where it can have any.
    ///
    /// A server without a value ends the binding, as HAProxy does it.
    func setCookie(value: String?) -> (text: String, beforeDates: Int) {
        guard let value else { return ("\(name)=; Expires=Thu, 01-Jan-1970 00:00:01 GMT; path=/" + attributeText, 0) }
        let start = "\(name)=\(value)"
        return (start + "; path=/" + attributeText, start.utf8.count)
    }

    /// The attributes, in HAProxy's order.
    private var attributeText: String {
        var text = (domains ?? []).map { "; domain=\($0)" }.joined()
        if httpOnly == true { text += "; HttpOnly" }
        if secure == true { text += "; Secure" }
        return text + (attributes ?? []).map { "; \($0)" }.joined()
    }
}
