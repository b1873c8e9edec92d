import ClusterModel

/// `httpchk` and `http-check`: HAProxy's rules for HTTP checks.
enum HTTPCheckWords {
    /// `[METHOD] [URI] [VERSION]`: one word alone is the URI.
    ///
    /// The version may be followed by `\r\n` and header lines, which was HAProxy's only way to give a Host for years.
    static func setRequest(_ text: String, of check: inout HTTPCheck) throws(WordProblem) {
        let words = try RuleWords.words("httpchk", text)
        switch words.count {
        case 0: break
        case 1: check.uri = words[0]
        case 2, 3:
            check.method = words[0]
            check.uri = words[1]
            if words.count == 3 { try setVersion(words[2], of: &check) }
        default:
            let remedy = "give httpchk='GET /healthcheck', and httpchk-host=NAME where a Host is needed"
            throw WordProblem("httpchk", "\"\(text)\" has more than method, path and version", remedy: remedy)
        }
    }

    private static func setVersion(_ text: String, of check: inout HTTPCheck) throws(WordProblem) {
        var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            String(line.last == "\r" ? line.dropLast() : line)
        }
        check.version = try version("httpchk", lines.removeFirst())
        for line in lines where !line.isEmpty {
            guard let colon = line.firstIndex(of: ":") else {
                let remedy = "give httpchk-host=NAME, or http-check='send hdr NAME VALUE'"
                throw WordProblem("httpchk", "\"\(line)\" is no header", remedy: remedy)
            }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            add(String(line[..<colon]), String(value), to: &check)
        }
    }

    private static func version(_ option: String, _ text: String) throws(WordProblem) -> HTTPCheckVersion {
        guard let version = HTTPCheckVersion(rawValue: text) else {
            let remedy = "give HTTP/1.0 or HTTP/1.1, and httpchk-host=NAME where a Host is needed"
            throw WordProblem(option, "\"\(text)\" is no version", remedy: remedy)
        }
        return version
    }

    private static func add(_ name: String, _ value: String, to check: inout HTTPCheck) {
        if name.lowercased() == "host", check.host == nil {
            check.host = value
        } else {
            check.headers = (check.headers ?? []) + [CheckHeader(name, value)]
        }
    }

    /// `send …`, `expect …` and `disable-on-404`, each as often as HAProxy allows it.
    static func setRules(_ text: String, of check: inout HTTPCheck) throws(WordProblem) {
        for words in try RuleWords.split("http-check", text) {
            var reader = RuleReader("http-check", words)
            switch reader.next() {
            case "send": try readSend(&reader, &check)
            case "expect":
                let rule = try readExpectation(&reader)
                check.expect = (check.expect ?? []) + [rule]
            case "disable-on-404": check.disableOn404 = true
            case let word: throw reader.unknown(word ?? "", ["send", "expect", "disable-on-404"])
            }
            try reader.finish()
        }
    }

    private static func readSend(_ reader: inout RuleReader, _ check: inout HTTPCheck) throws(WordProblem) {
        while let word = reader.next() {
            switch word {
            case "meth": check.method = try reader.value(of: word)
            case "uri": check.uri = try reader.value(of: word)
            case "ver": check.version = try version("http-check", try reader.value(of: word))
            case "hdr":
                let name = try reader.value(of: word)
                add(name, try reader.value(of: "hdr \(name)"), to: &check)
            case "body": check.body = try reader.value(of: word)
            default: throw reader.unknown(word, ["meth", "uri", "ver", "hdr", "body"])
            }
        }
    }

    private static func readExpectation(_ reader: inout RuleReader) throws(WordProblem) -> HTTPExpectation {
        let (isNegated, kind) = try reader.expectation()
        let value = try reader.value(of: kind)
        switch kind {
        case "status":
            let ranges = try ListenerWords.statuses("http-check", value)
            return HTTPExpectation(.status(ranges), isNegated: isNegated)
        case "rstatus": return HTTPExpectation(.statusPattern(value), isNegated: isNegated)
        case "string": return HTTPExpectation(.string(value), isNegated: isNegated)
        case "rstring": return HTTPExpectation(.pattern(value), isNegated: isNegated)
        default: throw reader.unknown(kind, ["status", "rstatus", "string", "rstring"])
        }
    }

    /// The settings that make this check, in the order of `ListenerWords.known`.
    static func settings(_ check: HTTPCheck) -> [Setting] {
        let version = check.version.map { " \($0.rawValue)" } ?? ""
        var settings = [Setting(name: "httpchk", value: "\(check.method) \(check.uri)\(version)")]
        if let host = check.host { settings.append(Setting(name: "httpchk-host", value: host)) }
        if check.expectStatus != HTTPCheck().expectStatus {
            let statuses = check.expectStatus.map(\.description).joined(separator: ",")
            settings.append(Setting(name: "expect-status", value: statuses))
        }
        let rules = rules(check)
        if !rules.isEmpty { settings.append(Setting(name: "http-check", value: RuleWords.join(rules))) }
        return settings
    }

    private static func rules(_ check: HTTPCheck) -> [[String]] {
        var rules: [[String]] = []
        let headers = (check.headers ?? []).flatMap { ["hdr", $0.name, $0.value] }
        let body = check.body.map { ["body", $0] } ?? []
        if !headers.isEmpty || !body.isEmpty { rules.append(["send"] + headers + body) }
        for rule in check.expect ?? [] {
            let (kind, value) =
                switch rule.subject {
                case .status(let ranges): ("status", ranges.map(\.description).joined(separator: ","))
                case .statusPattern(let text): ("rstatus", text)
                case .string(let text): ("string", text)
                case .pattern(let text): ("rstring", text)
                }
            rules.append(["expect"] + (rule.isNegated ? ["!"] : []) + [kind, value])
        }
        if check.disableOn404 == true { rules.append(["disable-on-404"]) }
        return rules
    }
}
