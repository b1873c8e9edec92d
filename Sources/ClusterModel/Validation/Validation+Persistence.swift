/// What does not fit together about cookies and retries.
extension Findings {
    mutating func check(_ cookie: CookiePersistence, _ place: ConfigurationPlace) {
        let field = place.at("cookie")
        let mode = cookie.mode ?? .insert
        if mode == .rewrite, cookie.indirect {
            add(field, "cookie modes rewrite and indirect exclude each other", remedy: "leave out one of them")
        }
        if cookie.preserve == true, mode != .insert, !cookie.indirect {
            add(field, "preserve needs insert or indirect", remedy: "give one of them or leave preserve out")
        }
        for (word, isGiven) in [
            ("postonly", cookie.postOnly == true), ("nocache", cookie.noCache), ("httponly", cookie.httpOnly == true),
            ("secure", cookie.secure == true), ("domain", cookie.domains?.isEmpty == false),
            ("attr", cookie.attributes?.isEmpty == false), ("maxidle", cookie.maxIdle != nil),
            ("maxlife", cookie.maxLife != nil),
        ] where isGiven && mode != .insert {
            let what = "\(word) is about cookies that the proxy makes, and mode \(mode.rawValue) makes none"
            add(field, what, remedy: "give insert or leave \(word) out")
        }
        for (name, time) in [("maxidle", cookie.maxIdle), ("maxlife", cookie.maxLife)] {
            if let time { checkRange(time, ConfigurationLimits.cookieAge, name, field) }
        }
        for (word, list) in [("domain", cookie.domains ?? []), ("attr", cookie.attributes ?? [])] {
            checkCount(list.count, ConfigurationLimits.cookieAttributes, field)
            for value in list where !Self.isAttribute(value) {
                let remedy = "give up to \(ConfigurationLimits.cookieAttributeLength) visible characters without \";\""
                add(field, "\(word) \"\(value.prefix(40))\" is no attribute of a cookie", remedy: remedy)
            }
        }
    }

    private static func isAttribute(_ text: String) -> Bool {
        (1...ConfigurationLimits.cookieAttributeLength).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ";") }
    }

    /// What stands between a server's value and the rest of the cookie cannot be a part of the value.
    mutating func checkDelimiter(_ value: String, _ listener: Listener, _ place: ConfigurationPlace) {
        let delimiter: Character = listener.cookie?.mode == .prefix ? "~" : "|"
        if value.contains(delimiter) {
            let what = "cookie \"\(value)\" holds \"\(delimiter)\", which ends the server's part of a cookie"
            add(place.at("cookie"), what, remedy: "take another character")
        }
    }

    mutating func checkRetries(_ listener: Listener, _ place: ConfigurationPlace) {
        if let interval = listener.redispatchInterval {
            checkRange(interval, ConfigurationLimits.redispatchInterval, "redispatch", place.at("redispatch"))
            if interval == 0 { add(place.at("redispatch"), "every 0th retry is none", remedy: "give redispatch=false") }
        }
        let words = listener.retryOn ?? []
        if Set(words).count != words.count { add(place.at("retry-on"), "retry-on names something twice") }
        if listener.mode != .http {
            if words.contains(where: { $0 != .connectionFailure }) {
                let remedy = "give mode=http, or conn-failure alone"
                add(place.at("retry-on"), "in mode tcp only connections are tried again", remedy: remedy)
            }
            if listener.reuse != nil {
                add(place.at("http-reuse"), "http-reuse needs mode http", remedy: "give mode=http or leave it out")
            }
            if listener.persist == true {
                add(place.at("persist"), "persist needs mode http", remedy: "give mode=http or leave it out")
            }
        }
    }
}
