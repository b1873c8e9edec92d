import ClusterModel

/// What a time without a unit means.
enum BareTime {
    /// As in Pacemaker.
    case seconds
    /// As in HAProxy.
    case milliseconds
    /// Nothing: files are read by people who do not know which of both it would be.
    case refused
}

/// Reads single values, with the option's name for the error.
enum Values {
    static func time(_ name: String, _ text: String, _ bare: BareTime) throws(WordProblem) -> Milliseconds {
        let hasUnit = text.last.map { !$0.isNumber } ?? true
        if bare == .refused, !hasUnit {
            throw WordProblem(name, "\(name) \"\(text)\" has no unit", remedy: "give ms, s, m, h or d, such as 10s")
        }
        guard let time = Milliseconds(text, bare: bare == .seconds ? .seconds : .milliseconds) else {
            throw WordProblem(
                name,
                "\(name) \"\(text)\" is no time",
                remedy: "give a whole number with a unit, such as 10s"
            )
        }
        return time
    }

    static func integer(_ name: String, _ text: String, _ range: ClosedRange<Int>) throws(WordProblem) -> Int {
        guard let number = Int(text), range.contains(number) else {
            let remedy = "give a number from \(range.lowerBound) to \(range.upperBound)"
            throw WordProblem(name, "\(name) cannot be \"\(text)\"", remedy: remedy)
        }
        return number
    }

    static func port(_ name: String, _ text: String) throws(WordProblem) -> UInt16 {
        UInt16(try integer(name, text, 1...65535))
    }

    /// Pacemaker's spellings of yes and no.
    static func boolean(_ name: String, _ text: String) throws(WordProblem) -> Bool {
        switch text.lowercased() {
        case "true", "on", "yes", "y", "1": return true
        case "false", "off", "no", "n", "0": return false
        default: throw WordProblem(name, "\(name) cannot be \"\(text)\"", remedy: "give true or false")
        }
    }

    /// An absolute path, the same on every node.
    static func path(_ name: String, _ text: String) throws(WordProblem) -> String {
        let isPlain = text.hasPrefix("/") && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
        if isPlain, text.utf8.count <= ConfigurationLimits.textLength { return text }
        throw WordProblem(name, "\(name) cannot be \"\(text)\"", remedy: "give an absolute path")
    }

    static func role(_ text: String) throws(WordProblem) -> NodeRole {
        guard let role = NodeRole(rawValue: text.lowercased()) else {
            let known = NodeRole.allCases.map(\.rawValue).joined(separator: ", ")
            throw WordProblem("role", "role cannot be \"\(text)\"", remedy: "give one of \(known)")
        }
        return role
    }

    static func score(_ name: String, _ text: String) throws(WordProblem) -> Score {
        guard let score = Score(text) else {
            let remedy = "give a whole number up to 1000000, INFINITY or -INFINITY"
            throw WordProblem(name, "\(name) cannot be \"\(text)\"", remedy: remedy)
        }
        return score
    }

    static func address(_ name: String, _ text: String) throws(WordProblem) -> IPAddress {
        guard let address = IPAddress(text) else {
            let remedy = "give an IPv4 or IPv6 address; names are not resolved"
            throw WordProblem(name, "\(name) \"\(text)\" is no IP address", remedy: remedy)
        }
        return address
    }

    /// An address with a port; `*:80` and `:80` are every IPv4 address, as in HAProxy.
    static func endpoint(_ name: String, _ text: String, wildcard: Bool) throws(WordProblem) -> Endpoint {
        var whole = text
        if wildcard, text.hasPrefix("*:") { whole = "0.0.0.0" + text.dropFirst() }
        if wildcard, text.hasPrefix(":"), !text.hasPrefix("::") { whole = "0.0.0.0" + text }
        guard let endpoint = Endpoint(whole) else {
            let example = "give ADDRESS:PORT, such as 192.168.0.10:80 or [2001:db8::1]:80; names are not resolved"
            throw WordProblem(name, "\"\(text)\" is no address with a port", remedy: example)
        }
        return endpoint
    }
}

extension NearestName {
    /// `did you mean "x"?`, or the whole list.
    static func remedy(_ word: String, among known: [String], what: String) -> String {
        if let nearest = among(known, to: word) { return "did you mean \"\(nearest)\"?" }
        return "\(what): \(known.joined(separator: ", "))"
    }
}
