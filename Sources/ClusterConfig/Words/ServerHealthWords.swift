import ClusterModel

/// The words of a server line about its health, beside `check` and its counts.
struct ServerHealthWords {
    static let known = [
        "fastinter", "downinter", "addr", "agent-check", "agent-port", "agent-inter", "observe", "error-limit",
        "on-error", "on-marked-down", "on-marked-up", "track",
    ]

    private var hasAgent = false
    private var agentPort: UInt16?
    private var agentInter: Milliseconds?
    private var errorLimit: Int?
    private var onError: Observation.Reaction?
    private var observe: Observation.Layer?

    /// Takes a word that is set in the check.
    static func set(_ word: String, _ value: String, of check: inout ServerCheck) throws(WordProblem) {
        switch word {
        case "fastinter": check.fastInter = try Values.time(word, value, .milliseconds)
        case "downinter": check.downInter = try Values.time(word, value, .milliseconds)
        default: check.address = try Values.address(word, value)
        }
    }

    mutating func readAgentCheck() { hasAgent = true }

    /// Takes a word with its value.
    mutating func set(_ word: String, _ value: String, of server: inout Server) throws(WordProblem) {
        switch word {
        case "agent-port": agentPort = try Values.port(word, value)
        case "agent-inter": agentInter = try Values.time(word, value, .milliseconds)
        case "observe": observe = try Self.choice(word, value)
        case "error-limit": errorLimit = try Values.integer(word, value, ConfigurationLimits.errorLimit)
        case "on-error": onError = try Self.choice(word, value)
        case "on-marked-down": server.onMarkedDown = try Self.choice(word, value)
        case "on-marked-up": server.onMarkedUp = try Self.choice(word, value)
        default: server.track = try Self.tracked(value)
        }
    }

    private static func choice<Choice: RawRepresentable & CaseIterable>(
        _ word: String,
        _ value: String
    ) throws(WordProblem) -> Choice where Choice.RawValue == String {
        guard let choice = Choice(rawValue: value) else {
            let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            let remedy = Choice.allCases.count == 1 ? "give \(known)" : "give one of \(known)"
            throw WordProblem(word, "\(word) cannot be \"\(value)\"", remedy: remedy)
        }
        return choice
    }

    private static func tracked(_ value: String) throws(WordProblem) -> TrackedServer {
        let parts = value.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
            throw WordProblem("track", "track cannot be \"\(value)\"", remedy: "give track LISTENER/SERVER")
        }
        return TrackedServer(listener: parts[0], server: parts[1])
    }

    /// Puts together what takes several words.
    func finish(_ server: inout Server) throws(WordProblem) {
        if hasAgent {
            guard let agentPort else {
                throw WordProblem("agent-check", "\"agent-check\" needs a port", remedy: "add agent-port PORT")
            }
            server.agent = AgentCheck(port: agentPort)
            if let agentInter { server.agent?.inter = agentInter }
        } else if let word = agentPort != nil ? "agent-port" : agentInter != nil ? "agent-inter" : nil {
            throw WordProblem(word, "\"\(word)\" is given, but not \"agent-check\"", remedy: "add the word agent-check")
        }
        if let observe {
            server.observe = Observation(observe)
            server.observe?.errorLimit = errorLimit
            server.observe?.onError = onError
        } else if let word = errorLimit != nil ? "error-limit" : onError != nil ? "on-error" : nil {
            throw WordProblem(word, "\"\(word)\" is given, but not \"observe\"", remedy: "add observe layer4 or layer7")
        }
    }

    /// The words inside of a check.
    static func words(_ check: ServerCheck) -> [String] {
        var words: [String] = []
        if let time = check.fastInter { words += ["fastinter", "\(time)"] }
        if let time = check.downInter { words += ["downinter", "\(time)"] }
        if let address = check.address { words += ["addr", "\(address)"] }
        return words
    }

    /// The other words.
    static func words(_ server: Server) -> [String] {
        var words: [String] = []
        if let agent = server.agent {
            words += ["agent-check", "agent-port", "\(agent.port)"]
            if agent.inter != AgentCheck(port: 1).inter { words += ["agent-inter", "\(agent.inter)"] }
        }
        if let observe = server.observe {
            words += ["observe", observe.layer.rawValue]
            if let limit = observe.errorLimit { words += ["error-limit", "\(limit)"] }
            if let reaction = observe.onError { words += ["on-error", reaction.rawValue] }
        }
        if let action = server.onMarkedDown { words += ["on-marked-down", action.rawValue] }
        if let action = server.onMarkedUp { words += ["on-marked-up", action.rawValue] }
        if let track = server.track { words += ["track", "\(track.listener)/\(track.server)"] }
        return words
    }
}
