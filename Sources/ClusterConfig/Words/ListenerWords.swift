public import ClusterModel

/// The options of a listener as `name=value`: HAProxy's keywords with `-` for the space between them.
public enum ListenerWords {
    /// The options that this version understands.
    static let known = ownNames + ServiceCheckWords.known

    private static let ownNames = [
        "bind", "mode", "balance", "hash-type", "allbackups", "cookie", "timeout-connect", "timeout-client",
        "timeout-server",
        "timeout-http-request", "timeout-tunnel", "timeout-check", "retries", "redispatch", "retry-on", "persist",
        "http-reuse", "forwardfor", "maxconn", "httpchk", "httpchk-host", "expect-status", "http-check",
        "crt", "ssl-min-ver", "ciphers", "ciphersuites", "alpn", "verify", "ca-file", "strict-sni",
    ]

    /// HAProxy's other keywords, with what there is instead.
    static let refused: [String: String] = [
        "dynamic-cookie-key":
            "give cookie='NAME insert indirect dynamic'; the key is made then and kept in the cluster",
        "force-persist": "give persist=true, which is about every client",
        "ignore-persist": "give the paths that need no cookie a listener of their own",
        "timeout-queue": "there are no queues yet; give timeout-connect",
        "timeout-http-keep-alive": "give timeout-client",
        "timeout-client-fin": "give timeout-client",
        "timeout-server-fin": "give timeout-server",
        "timeout-tarpit": "leave it out",
        "default-server": "give its words to each server",
        "stick": "in HTTP mode give cookie='NAME insert indirect nocache'",
        "stick-table": "in HTTP mode give cookie='NAME insert indirect nocache'",
        "acl": "one listener has one set of servers",
        "use_backend": "one listener has one set of servers",
        "default_backend": "one listener has one set of servers; add them with haven lb server add",
        "ssl": "give crt=/path/of/certificate.pem, which encrypts all binds of the listener",
        "no-sslv3": "leave it out; the lowest version is TLSv1.2",
        "no-tlsv10": "leave it out; the lowest version is TLSv1.2",
        "no-tlsv11": "leave it out; the lowest version is TLSv1.2",
        "no-tls-tickets": "leave it out; tickets are sealed by keys that change every day",
        "crl-file": "leave it out",
        "crt-list": "give the files, or a directory, to crt",
        "smtpchk": "give tcp-check='expect rstring ^220'",
        "ssl-hello-chk": "give each server the words ssl check: then its checks are encrypted",
        "ldap-check": "checks are by TCP connect, or by a script with tcp-check",
        "external-check": "give each server agent-check agent-port PORT",
        "stats": "look with haven lb status",
        "log": "leave it out",
        "tcpka": "leave it out",
        "clitcpka": "leave it out",
        "srvtcpka": "leave it out",
    ]

    /// Reads `name=value …` into a listener without servers.
    public static func parse(name: String, words: [String]) throws(WordProblems) -> Listener {
        var gathering = Gathering()
        var settings: [Setting] = []
        for word in words {
            guard let setting = Setting(word) else {
                gathering.add(word, "\"\(word)\" is no option", remedy: "give NAME=VALUE, such as mode=http")
                continue
            }
            settings.append(setting)
        }
        let listener = read(name: name, settings: settings, bare: .milliseconds, &gathering)
        try gathering.finish()
        return listener
    }

    static func read(
        name: String,
        settings: [Setting],
        bare: BareTime,
        _ gathering: inout Gathering
    ) -> Listener {
        var mode = ListenerMode.tcp
        if let setting = settings.first(where: { $0.name == "mode" }) {
            mode = gathering.attempt { () throws(WordProblem) in try Self.mode(setting.value) } ?? .tcp
        }
        var listener = Listener(name: name, binds: [], mode: mode)
        var seen = Set<String>()
        for setting in settings {
            gathering.attempt { () throws(WordProblem) in
                if !seen.insert(setting.name).inserted {
                    throw WordProblem(setting.name, "\"\(setting.name)\" is given twice")
                }
                try set(setting, of: &listener, bare)
            }
        }
        if !seen.contains("bind") {
            gathering.add("", "listener \"\(name)\" listens nowhere", remedy: "give bind=ADDRESS:PORT")
        }
        if let fault = ListenerTLSWords.fault(listener.tls) { gathering.add(fault) }
        if seen.contains("expect-status"), listener.httpCheck?.expect != nil {
            let remedy = "give http-check='expect status …' with the other rules, and leave expect-status out"
            gathering.add("expect-status", "statuses are expected by expect-status and by http-check", remedy: remedy)
        }
        let onlyWithCheck = ["expect-status", "httpchk-host", "http-check"].first(where: seen.contains)
        if let option = onlyWithCheck, !seen.contains("httpchk") {
            gathering.add(option, "\"\(option)\" is given, but not \"httpchk\"", remedy: "add httpchk='GET /path'")
        }
        return listener
    }

    private static func set(_ setting: Setting, of listener: inout Listener, _ bare: BareTime) throws(WordProblem) {
        let (name, value) = (setting.name, setting.value)
        switch name {
        case "mode": break
        case "bind":
            for part in value.split(separator: ",", omittingEmptySubsequences: false) {
                listener.binds.append(try Values.endpoint(name, String(part), wildcard: true))
            }
        case "balance": listener.balance = try balance(value)
        case "hash-type": listener.hashType = try hashType(value)
        case "allbackups": listener.allBackups = try Values.boolean(name, value)
        case "cookie": listener.cookie = try CookieWords.parse(value)
        case "timeout-connect": listener.timeouts.connect = try time(name, value, bare)
        case "timeout-client": listener.timeouts.client = try time(name, value, bare)
        case "timeout-server": listener.timeouts.server = try time(name, value, bare)
        case "timeout-http-request": listener.timeouts.httpRequest = try time(name, value, bare)
        case "timeout-tunnel": listener.timeouts.tunnel = try time(name, value, bare)
        case "timeout-check": listener.timeouts.check = try time(name, value, bare)
        case "retries": listener.retries = try Values.integer(name, value, ConfigurationLimits.retries)
        case "redispatch": try RetryWords.setRedispatch(value, of: &listener)
        case "retry-on": listener.retryOn = try RetryWords.retryOn(value)
        case "persist": listener.persist = try Values.boolean(name, value) ? true : nil
        case "http-reuse": listener.reuse = try RetryWords.reuse(value)
        case "forwardfor": listener.forwardFor = try Values.boolean(name, value)
        case "maxconn": listener.maxConnections = try Values.integer(name, value, ConfigurationLimits.maxConnections)
        case "httpchk":
            try setCheck(of: &listener) { check throws(WordProblem) in
                try HTTPCheckWords.setRequest(value, of: &check)
            }
        case "http-check":
            try setCheck(of: &listener) { check throws(WordProblem) in
                try HTTPCheckWords.setRules(value, of: &check)
            }
        case "httpchk-host": listener.httpCheck = (listener.httpCheck ?? HTTPCheck()).with(host: value)
        case "crt", "ssl-min-ver", "ciphers", "ciphersuites", "alpn", "verify", "ca-file", "strict-sni":
            var tls = listener.tls ?? ListenerTLS(certificates: [])
            try ListenerTLSWords.set(setting, of: &tls)
            listener.tls = tls
        case "expect-status":
            listener.httpCheck = (listener.httpCheck ?? HTTPCheck()).with(status: try statuses(name, value))
        default: if try !ServiceCheckWords.set(setting, of: &listener) { throw unknown(name) }
        }
    }

    private static func unknown(_ name: String) -> WordProblem {
        if let instead = refused[name] {
            return WordProblem(name, "this version has no \"\(name)\" for listeners", remedy: instead)
        }
        let remedy = NearestName.remedy(name, among: known, what: "options")
        return WordProblem(name, "there is no option \"\(name)\"", remedy: remedy)
    }

    /// In HAProxy 0 means for ever, which is refused here: a vanished client must be noticed some day.
    private static func time(_ name: String, _ value: String, _ bare: BareTime) throws(WordProblem) -> Milliseconds {
        let time = try Values.time(name, value == "0" ? "0ms" : value, bare)
        if time == 0 {
            throw WordProblem(name, "\(name) 0 would be for ever", remedy: "give a long time, such as 1d")
        }
        return time
    }

    private static func mode(_ text: String) throws(WordProblem) -> ListenerMode {
        guard let mode = ListenerMode(rawValue: text) else {
            throw WordProblem("mode", "mode cannot be \"\(text)\"", remedy: "give tcp or http")
        }
        return mode
    }

    private static func balance(_ text: String) throws(WordProblem) -> BalanceAlgorithm {
        if let algorithm = BalanceAlgorithm(rawValue: text) { return algorithm }
        if text == "random(2)" { return .random }
        let others = ["url_param", "hdr", "rdp-cookie", "hash", "random(", "uri "]
        let known = others.contains { text == $0 || text.hasPrefix($0) }
        let what = known ? "this version has no balance \"\(text)\"" : "balance cannot be \"\(text)\""
        let names = BalanceAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
        throw WordProblem("balance", what, remedy: "give one of \(names)")
    }

    private static func hashType(_ text: String) throws(WordProblem) -> HashType {
        guard let type = HashType(rawValue: text) else {
            let remedy = "give map-based or consistent, without a function or a modifier"
            throw WordProblem("hash-type", "hash-type cannot be \"\(text)\"", remedy: remedy)
        }
        return type
    }

    private static func setCheck(
        of listener: inout Listener,
        _ change: (inout HTTPCheck) throws(WordProblem) -> Void
    ) throws(WordProblem) {
        var check = listener.httpCheck ?? HTTPCheck()
        try change(&check)
        listener.httpCheck = check
    }

    /// `200,300-302`, with HAProxy's leading word `status` allowed.
    static func statuses(_ option: String, _ text: String) throws(WordProblem) -> [StatusRange] {
        var list = text[...]
        if list.hasPrefix("status ") { list = list.dropFirst("status ".count) }
        var ranges: [StatusRange] = []
        for part in list.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0.filter { $0 != " " }) }
            guard (1...2).contains(ends.count), let first = ends.first ?? nil, let last = ends.last ?? nil else {
                let remedy = "give codes and ranges, such as 200,300-302"
                throw WordProblem(option, "\"\(part)\" is no status code", remedy: remedy)
            }
            ranges.append(StatusRange(first, last))
        }
        return ranges
    }
}

extension HTTPCheck {
    fileprivate func with(host: String) -> HTTPCheck {
        var check = self
        check.host = host
        return check
    }

    fileprivate func with(status: [StatusRange]) -> HTTPCheck {
        var check = self
        check.expectStatus = status
        return check
    }
}

extension ListenerWords {
    /// The settings that differ from the defaults, in the order of `known`; `parse` reads them back.
    public static func settings(_ listener: Listener) -> [Setting] {
        let defaults = Listener(name: listener.name, binds: [], mode: listener.mode)
        var settings = [Setting(name: "bind", value: listener.binds.map(\.description).joined(separator: ","))]
        func add(_ name: String, _ value: String, unless isDefault: Bool) {
            if !isDefault { settings.append(Setting(name: name, value: value)) }
        }
        add("mode", listener.mode.rawValue, unless: false)
        add("balance", listener.balance.rawValue, unless: false)
        add("hash-type", listener.hashType.rawValue, unless: listener.hashType == defaults.hashType)
        add("allbackups", "\(listener.allBackups)", unless: listener.allBackups == defaults.allBackups)
        if let cookie = listener.cookie { add("cookie", CookieWords.text(cookie), unless: false) }
        let (times, usual) = (listener.timeouts, defaults.timeouts)
        add("timeout-connect", "\(times.connect)", unless: times.connect == usual.connect)
        add("timeout-client", "\(times.client)", unless: times.client == usual.client)
        add("timeout-server", "\(times.server)", unless: times.server == usual.server)
        add("timeout-http-request", "\(times.httpRequest)", unless: times.httpRequest == usual.httpRequest)
        if let tunnel = times.tunnel { add("timeout-tunnel", "\(tunnel)", unless: false) }
        add("timeout-check", "\(times.check)", unless: times.check == usual.check)
        add("retries", "\(listener.retries)", unless: listener.retries == defaults.retries)
        add("redispatch", RetryWords.redispatch(listener), unless: RetryWords.redispatch(listener) == "true")
        if let causes = listener.retryOn { add("retry-on", RetryWords.text(causes), unless: false) }
        if let persist = listener.persist { add("persist", "\(persist)", unless: false) }
        if let mode = listener.reuse { add("http-reuse", mode.rawValue, unless: false) }
        add("forwardfor", "\(listener.forwardFor)", unless: listener.forwardFor == defaults.forwardFor)
        add("maxconn", "\(listener.maxConnections)", unless: listener.maxConnections == defaults.maxConnections)
        if let check = listener.httpCheck { settings += HTTPCheckWords.settings(check) }
        settings += ServiceCheckWords.settings(listener)
        return settings + (listener.tls.map(ListenerTLSWords.settings) ?? [])
    }
}
