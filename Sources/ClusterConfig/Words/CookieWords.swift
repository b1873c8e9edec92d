import ClusterModel

/// The words of a haproxy.cfg `cookie` line after `cookie`.
enum CookieWords {
    static let known = [
        "insert", "rewrite", "prefix", "indirect", "nocache", "postonly", "preserve", "httponly", "secure", "domain",
        "maxidle", "maxlife", "dynamic", "attr",
    ]

    /// Reads `NAME word …`; without a mode the cookie is passive.
    static func parse(_ text: String) throws(WordProblem) -> CookiePersistence {
        var words = text.split(separator: " ").map(String.init)[...]
        guard let name = words.popFirst() else {
            throw WordProblem("cookie", "the cookie has no name", remedy: "give cookie='NAME insert indirect nocache'")
        }
        var cookie = CookiePersistence(name: name, indirect: false, noCache: false)
        cookie.mode = .passive
        var seen = Set<String>()
        while let word = words.popFirst() {
            let isList = word == "domain" || word == "attr"
            if !isList, !seen.insert(word).inserted {
                throw WordProblem("cookie", "\"\(word)\" is given twice for the cookie")
            }
            try read(word, &words, into: &cookie)
        }
        let modes = ["insert", "rewrite", "prefix"].filter(seen.contains)
        if modes.count > 1 {
            let what = "cookie modes \(modes.joined(separator: " and ")) exclude each other"
            throw WordProblem("cookie", what, remedy: "give one of them")
        }
        return cookie
    }

    private static func read(
        _ word: String,
        _ words: inout ArraySlice<String>,
        into cookie: inout CookiePersistence
    ) throws(WordProblem) {
        switch word {
        // What the proxy does where no mode is stored.
        case "insert": cookie.mode = nil
        case "rewrite": cookie.mode = .rewrite
        case "prefix": cookie.mode = .prefix
        case "indirect": cookie.indirect = true
        case "nocache": cookie.noCache = true
        case "postonly": cookie.postOnly = true
        case "preserve": cookie.preserve = true
        case "httponly": cookie.httpOnly = true
        case "secure": cookie.secure = true
        case "dynamic": cookie.dynamic = true
        case "domain": cookie.domains = (cookie.domains ?? []) + [try value(word, &words)]
        case "attr": cookie.attributes = (cookie.attributes ?? []) + [try value(word, &words)]
        case "maxidle": cookie.maxIdle = try time(word, &words)
        case "maxlife": cookie.maxLife = try time(word, &words)
        default:
            let remedy = NearestName.remedy(word, among: known, what: "words")
            throw WordProblem("cookie", "\"\(word)\" is no word of a cookie", remedy: remedy)
        }
    }

    private static func value(_ word: String, _ words: inout ArraySlice<String>) throws(WordProblem) -> String {
        guard let value = words.popFirst() else {
            let what = "\"\(word)\" of the cookie needs a value"
            throw WordProblem("cookie", what, remedy: "give it right after \"\(word)\"")
        }
        return value
    }

    /// Bare numbers are seconds for HAProxy and milliseconds everywhere else in a listener, so that none is taken.
    private static func time(_ word: String, _ words: inout ArraySlice<String>) throws(WordProblem) -> Milliseconds {
        let text = try value(word, &words)
        do throws(WordProblem) {
            return try Values.time(word, text, .refused)
        } catch { throw WordProblem("cookie", error.text, remedy: error.remedy) }
    }

    /// The words that `parse` reads back.
    static func text(_ cookie: CookiePersistence) -> String {
        var words = [cookie.name]
        let mode = cookie.mode ?? .insert
        if mode != .passive { words.append(mode.rawValue) }
        for (word, isGiven) in [
            ("indirect", cookie.indirect), ("nocache", cookie.noCache), ("postonly", cookie.postOnly == true),
            ("preserve", cookie.preserve == true), ("httponly", cookie.httpOnly == true),
            ("secure", cookie.secure == true),
        ] where isGiven {
            words.append(word)
        }
        for domain in cookie.domains ?? [] { words += ["domain", domain] }
        if let time = cookie.maxIdle { words += ["maxidle", "\(time)"] }
        if let time = cookie.maxLife { words += ["maxlife", "\(time)"] }
        if cookie.dynamic == true { words.append("dynamic") }
        for attribute in cookie.attributes ?? [] { words += ["attr", attribute] }
        return words.joined(separator: " ")
    }
}

/// The words of `redispatch` and `retry-on`.
enum RetryWords {
    /// Sets what `true`, `false` or a number says; numbers are HAProxy's, 0 for never.
    static func setRedispatch(_ text: String, of listener: inout Listener) throws(WordProblem) {
        listener.redispatchInterval = nil
        if let number = Int(text) {
            guard ConfigurationLimits.redispatchInterval.contains(number) else {
                let remedy = "give true, false, N for every Nth retry, or -N for the Nth before the end; N up to 100"
                throw WordProblem("redispatch", "redispatch cannot be \"\(text)\"", remedy: remedy)
            }
            listener.redispatch = number != 0
            listener.redispatchInterval = number == 0 || number == -1 ? nil : number
        } else {
            listener.redispatch = try Values.boolean("redispatch", text)
        }
    }

    static func redispatch(_ listener: Listener) -> String {
        listener.redispatch ? listener.redispatchInterval.map(String.init) ?? "true" : "false"
    }

    /// Words between spaces or commas; `none` alone is none, and nil is what is stored for the default.
    static func retryOn(_ text: String) throws(WordProblem) -> [RetryWord]? {
        let words = text.split(whereSeparator: { $0 == " " || $0 == "," }).map(String.init)
        if words == ["none"] { return [] }
        var causes: [RetryWord] = []
        for word in words {
            if word == "all-retryable-errors" {
                causes += RetryWord.allRetryableErrors.filter { !causes.contains($0) }
            } else if let cause = RetryWord(rawValue: word) {
                if !causes.contains(cause) { causes.append(cause) }
            } else {
                throw unknown(word)
            }
        }
        if causes.isEmpty {
            throw WordProblem("retry-on", "retry-on names nothing", remedy: "give none, or words such as 503")
        }
        return causes == [.connectionFailure] ? nil : causes
    }

    private static func unknown(_ word: String) -> WordProblem {
        switch word {
        case "none":
            WordProblem(
                "retry-on",
                "retry-on has \"none\" beside other words",
                remedy: "give it alone, or leave it out"
            )
        case "0rtt-rejected":
            WordProblem(
                "retry-on",
                "this version has no \"0rtt-rejected\"",
                remedy: "servers are sent no early data; leave it out"
            )
        default:
            WordProblem(
                "retry-on",
                "\"\(word)\" is no word of retry-on",
                remedy: NearestName.remedy(
                    word,
                    among: ["none", "all-retryable-errors"] + RetryWord.allCases.map(\.rawValue),
                    what: "words"
                )
            )
        }
    }

    static func text(_ causes: [RetryWord]) -> String {
        causes.isEmpty ? "none" : causes.map(\.rawValue).joined(separator: " ")
    }

    static func reuse(_ text: String) throws(WordProblem) -> ReuseMode? {
        guard let mode = ReuseMode(rawValue: text) else {
            let names = ReuseMode.allCases.map(\.rawValue).joined(separator: ", ")
            throw WordProblem("http-reuse", "http-reuse cannot be \"\(text)\"", remedy: "give one of \(names)")
        }
        return mode == .always ? nil : mode
    }
}
