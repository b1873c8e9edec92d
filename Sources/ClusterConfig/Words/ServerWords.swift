public import ClusterModel

/// The words of a haproxy.cfg `server` line after `server NAME`.
public enum ServerWords {
    /// The words that this version understands.
    static let known =
        ["check", "inter", "rise", "fall", "port", "weight", "cookie", "backup", "disabled", "enabled"]
        + ServerHealthWords.known

    /// HAProxy's other words, with what there is instead.
    static let refused: [String: String] = [
        "maxconn": "give the listener's maxconn",
        "maxqueue": "give the listener's maxconn",
        "minconn": "give the listener's maxconn",
        "agent-addr": "the program is asked at the server's own address; give agent-port",
        "agent-send": "nothing is sent to the program; give agent-check agent-port PORT",
        "slowstart": "raise the weight in steps with haven lb server set",
        "ssl": "connections to servers are not encrypted yet",
        "check-ssl": "checks are not encrypted yet",
        "verify": "connections to servers are not encrypted yet",
        "ca-file": "connections to servers are not encrypted yet",
        "crt": "connections to servers are not encrypted yet",
        "sni": "connections to servers are not encrypted yet",
        "alpn": "connections to servers are not encrypted yet",
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
        gathering.attempt { () throws(WordProblem) in try reading.health.finish(&reading.server) }
        try gathering.finish()
        return reading.server
    }

    /// A server whose words are being read.
    private struct Reading {
        var server: Server
        var words: ArraySlice<String>
        var health = ServerHealthWords()
        private var check = ServerCheck()
        private var checkWords: [String] = []
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
            case "inter": check.inter = try Values.time(word, try checkValue(word), .milliseconds)
            case "rise": check.rise = try Values.integer(word, try checkValue(word), ConfigurationLimits.checkCount)
            case "fall": check.fall = try Values.integer(word, try checkValue(word), ConfigurationLimits.checkCount)
            case "port": check.port = try Values.port(word, try checkValue(word))
            case "fastinter", "downinter", "addr":
                let value = try checkValue(word)
                try ServerHealthWords.set(word, value, of: &check)
            case "agent-check": health.readAgentCheck()
            // Their values may be words themselves, such as fastinter.
            case _ where ServerHealthWords.known.contains(word):
                let value = try anyValue(word)
                try health.set(word, value, of: &server)
            default: try refuse(word)
            }
            if server.check != nil { server.check = check }
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

        private mutating func anyValue(_ word: String) throws(WordProblem) -> String {
            guard let next = words.popFirst() else {
                throw WordProblem(word, "\"\(word)\" needs a value", remedy: "give it right after \"\(word)\"")
            }
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
            words += ServerHealthWords.words(check)
        }
        words += ServerHealthWords.words(server)
        if server.isBackup { words.append("backup") }
        if server.weight != 1 { words += ["weight", "\(server.weight)"] }
        // HAProxy has no word for a drain; the state is shown, and kept apart from the words, in files.
        if server.state == .maint { words.append("disabled") }
        return words
    }
}
