public import ClusterModel

/// The words of a haproxy.cfg `server` line after `server NAME`.
public enum ServerWords {
    /// The words that this version understands.
    static let known = [
        "check", "inter", "rise", "fall", "port", "weight", "slowstart", "cookie", "backup", "disabled",
        "enabled", "ssl", "verify", "ca-file", "sni", "verifyhost", "crt",
    ]

    /// HAProxy's other words, with what there is instead.
    static let refused: [String: String] = [
        "fastinter": "checks have one pace; give inter",
        "downinter": "checks have one pace; give inter",
        "addr": "checks go to the server's own address; give port for another port",
        "maxconn": "give the listener's maxconn",
        "maxqueue": "give the listener's maxconn",
        "minconn": "give the listener's maxconn",
        "on-marked-down": "leave it out",
        "on-marked-up": "leave it out",
        "observe": "checks alone decide; give check",
        "agent-check": "checks are by TCP or HTTP; give check",
        "track": "give each server a check of its own",
        "check-ssl": "leave it out",
        "alpn": "leave it out; http/1.1 is spoken",
        "send-proxy": "the PROXY protocol is not there yet; in HTTP mode X-Forwarded-For names the client",
        "send-proxy-v2": "the PROXY protocol is not there yet; in HTTP mode X-Forwarded-For names the client",
        "init-addr": "addresses are given as numbers; leave it out",
        "resolvers": "addresses are given as numbers; leave it out",
        "source": "leave it out",
        "redir": "leave it out",
    ]

    /// Reads `ADDRESS:PORT word …`.
    public static func parse(name: String, words: [String]) throws(WordProblems) -> Server {
        var gathering = Gathering()
        guard let first = words.first else {
            gathering.add("", "server \"\(name)\" has no address", remedy: "give ADDRESS:PORT after its name")
            throw WordProblems(problems: gathering.problems)
        }
        let endpoint = gathering.attempt { () throws(WordProblem) -> Endpoint in
            try Values.endpoint("address", first, wildcard: false)
        }
        // Where the address is unreadable, the rest is still read for its own problems.
        guard let anyEndpoint = endpoint ?? Endpoint("0.0.0.0:1") else {
            throw WordProblems(problems: gathering.problems)
        }
        var reading = Reading(Server(name: name, endpoint: anyEndpoint), words.dropFirst())
        while let word = reading.words.popFirst() {
            gathering.attempt { () throws(WordProblem) in try reading.read(word) }
        }
        gathering.attempt { () throws(WordProblem) in try reading.requireCheck() }
        gathering.attempt { () throws(WordProblem) in try reading.requireNames() }
        try gathering.finish()
        return reading.server
    }

    /// A server whose words are being read.
    private struct Reading {
        var server: Server
        var words: ArraySlice<String>
        private var check = ServerCheck()
        private var checkWords: [String] = []
        private var tls = ServerTLS()
        private var tlsWords: [String] = []
        private var seen: Set<String> = []

        init(_ server: Server, _ words: ArraySlice<String>) {
            self.server = server
            self.words = words
        }

        mutating func read(_ word: String) throws(WordProblem) {
            if !seen.insert(word).inserted { throw WordProblem(word, "\"\(word)\" is given twice") }
            switch word {
            case "check": server.check = check
            case "backup": server.isBackup = true
            case "disabled": server.state = .maint
            case "enabled": server.state = .ready
            case "weight": server.weight = try Values.integer(word, try value(word), ConfigurationLimits.weight)
            case "cookie": server.cookie = try value(word)
            case "slowstart": server.slowStart = try slowStart(word)
            case "inter": check.inter = try Values.time(word, try checkValue(word), .milliseconds)
            case "rise": check.rise = try Values.integer(word, try checkValue(word), ConfigurationLimits.checkCount)
            case "fall": check.fall = try Values.integer(word, try checkValue(word), ConfigurationLimits.checkCount)
            case "ssl": server.tls = tls
            case "verify": tls.isVerified = try verification(try tlsValue(word))
            case "ca-file": tls.authority = try Values.path(word, try tlsValue(word))
            case "sni": tls.serverName = try serverName(try tlsValue(word))
            case "verifyhost": tls.verifiedHost = try hostName(word, try tlsValue(word))
            case "crt": tls.certificate = try Values.path(word, try tlsValue(word))
            case "port": check.port = try Values.port(word, try checkValue(word))
            default: try refuse(word)
            }
            if server.check != nil { server.check = check }
            if server.tls != nil { server.tls = tls }
        }

        private mutating func tlsValue(_ word: String) throws(WordProblem) -> String {
            tlsWords.append(word)
            return try value(word)
        }

        private func verification(_ text: String) throws(WordProblem) -> Bool {
            switch text {
            case "required": return true
            case "none": return false
            default: throw WordProblem("verify", "verify cannot be \"\(text)\"", remedy: "give required or none")
            }
        }

        /// A name, or HAProxy's expression for one that is always the same: `str(name)`.
        private func serverName(_ text: String) throws(WordProblem) -> String {
            if text.hasPrefix("str("), text.hasSuffix(")") {
                return try hostName("sni", String(text.dropFirst(4).dropLast()))
            }
            return try hostName("sni", text)
        }

        private func hostName(_ word: String, _ text: String) throws(WordProblem) -> String {
            let isPlain = text.utf8.allSatisfy { byte in
                byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            }
            if isPlain, (1...253).contains(text.utf8.count) { return text }
            throw WordProblem(word, "\"\(text)\" is no host name", remedy: "give a name such as keystone.example.org")
        }

        /// A server that is verified by no name could be anybody whom the same authority has certified.
        func requireNames() throws(WordProblem) {
            if server.tls == nil, let word = tlsWords.first {
                throw WordProblem(word, "\"\(word)\" is given, but not \"ssl\"", remedy: "add the word ssl")
            }
            guard let tls = server.tls, tls.isVerified, tls.verifiedName == nil else { return }
            throw WordProblem(
                "ssl",
                "the server's certificate is verified, but by no name",
                remedy: "give sni NAME or verifyhost NAME; or verify none, which believes anybody"
            )
        }

        /// 0 is at once, as without the word.
        private mutating func slowStart(_ word: String) throws(WordProblem) -> Milliseconds? {
            let text = try value(word)
            return try text == "0" ? nil : Values.time(word, text, .milliseconds)
        }

        private mutating func checkValue(_ word: String) throws(WordProblem) -> String {
            checkWords.append(word)
            return try value(word)
        }

        /// The word after this one; a keyword there means that the value was forgotten, where HAProxy would take the
        /// keyword for it.
        private mutating func value(_ word: String) throws(WordProblem) -> String {
            guard let next = words.first, !ServerWords.known.contains(next) else {
                let found = words.first.map { ", but \"\($0)\" follows" } ?? ""
                throw WordProblem(word, "\"\(word)\" needs a value\(found)", remedy: "give it right after \"\(word)\"")
            }
            words.removeFirst()
            return next
        }

        private mutating func refuse(_ word: String) throws(WordProblem) {
            if let instead = ServerWords.refused[word] {
                if let next = words.first, !ServerWords.known.contains(next), ServerWords.refused[next] == nil {
                    words.removeFirst()
                }
                throw WordProblem(word, "this version has no \"\(word)\" for servers", remedy: instead)
            }
            let remedy = NearestName.remedy(word, among: ServerWords.known, what: "words")
            throw WordProblem(word, "\"\(word)\" is no word of a server", remedy: remedy)
        }

        /// Without `check` HAProxy ignores the others and trusts the server for ever, which nobody means.
        func requireCheck() throws(WordProblem) {
            if server.check == nil, let word = checkWords.first {
                throw WordProblem(word, "\"\(word)\" is given, but not \"check\"", remedy: "add the word check")
            }
        }
    }

    /// The words that `parse` reads back.
    public static func words(_ server: Server) -> [String] {
        var words = ["\(server.endpoint)"]
        if let cookie = server.cookie { words += ["cookie", cookie] }
        if let check = server.check {
            let defaults = ServerCheck()
            words.append("check")
            if check.inter != defaults.inter { words += ["inter", "\(check.inter)"] }
            if check.rise != defaults.rise { words += ["rise", "\(check.rise)"] }
            if check.fall != defaults.fall { words += ["fall", "\(check.fall)"] }
            if let port = check.port { words += ["port", "\(port)"] }
        }
        if let tls = server.tls {
            words += ["ssl", "verify", tls.isVerified ? "required" : "none"]
            if let authority = tls.authority { words += ["ca-file", authority] }
            if let name = tls.serverName { words += ["sni", name] }
            if let name = tls.verifiedHost { words += ["verifyhost", name] }
            if let certificate = tls.certificate { words += ["crt", certificate] }
        }
        if server.isBackup { words.append("backup") }
        if server.weight != 1 { words += ["weight", "\(server.weight)"] }
        if let time = server.slowStart { words += ["slowstart", "\(time)"] }
        // HAProxy has no word for a drain; the state is shown, and kept apart from the words, in files.
        if server.state == .maint { words.append("disabled") }
        return words
    }
}
