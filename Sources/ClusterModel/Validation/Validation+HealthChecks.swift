extension Findings {
    /// The parts of an HTTP check beyond method, target, Host and status.
    mutating func checkRequest(_ check: HTTPCheck, _ place: ConfigurationPlace) {
        let at = place.at("http-check")
        let headers = check.headers ?? []
        checkCount(headers.count, ConfigurationLimits.checkHeaders, at)
        for header in headers {
            if !header.name.isToken || header.name.utf8.count > NameRule.longest {
                add(at, "\"\(header.name)\" is no header's name")
            }
            if !header.value.utf8.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0x09 }) {
                add(at, "the value of header \"\(header.name)\" holds more than visible ASCII and blanks")
            }
            checkText(header.value, "the value of header \"\(header.name)\"", at)
            if ["content-length", "transfer-encoding", "connection"].contains(header.name.lowercased()) {
                add(at, "header \"\(header.name)\" is written by the check itself", remedy: "leave it out")
            }
        }
        if let body = check.body { checkText(body, "the body", at) }
        let hasHost = check.host != nil || headers.contains { $0.name.lowercased() == "host" }
        if check.version == .http11, !hasHost {
            add(place.at("httpchk"), "a check by HTTP/1.1 needs a Host", remedy: "give httpchk-host=NAME")
        }
        checkExpectations(check, at)
    }

    private mutating func checkExpectations(_ check: HTTPCheck, _ place: ConfigurationPlace) {
        let rules = check.expect ?? []
        checkCount(rules.count, ConfigurationLimits.checkRules, place)
        var looksAtBody = false
        for rule in rules {
            switch rule.subject {
            case .status(let ranges): checkStatus(ranges, place)
            case .statusPattern(let text): checkPattern(text, place)
            case .string(let text):
                checkNeedle(Array(text.utf8), place)
                looksAtBody = true
            case .pattern(let text):
                checkPattern(text, place)
                looksAtBody = true
            }
        }
        if looksAtBody, check.method == "HEAD" {
            add(place, "an answer to HEAD has no body to look at", remedy: "give httpchk='GET \(check.uri)'")
        }
    }

    /// Ranges of status codes.
    mutating func checkStatus(_ ranges: [StatusRange], _ place: ConfigurationPlace) {
        checkCount(ranges.count, ConfigurationLimits.statusRanges, place)
        for range in ranges {
            let limits = ConfigurationLimits.statusCode
            if !limits.contains(range.first) || !limits.contains(range.last) || range.first > range.last {
                add(place, "\(range) are no status codes", remedy: "give 100 to 599, low end first")
            }
        }
    }

    private mutating func checkPattern(_ text: String, _ place: ConfigurationPlace) {
        do throws(BytePatternError) {
            _ = try BytePattern(text)
        } catch {
            add(place, "the regular expression \"\(text)\" \(error)")
        }
    }

    private mutating func checkNeedle(_ bytes: [UInt8], _ place: ConfigurationPlace) {
        if bytes.isEmpty { add(place, "an empty text is in every answer", remedy: "give what must be there") }
        if bytes.count > ConfigurationLimits.textLength {
            add(place, "what is expected is longer than \(ConfigurationLimits.textLength) bytes")
        }
    }

    /// A check in a service's own protocol.
    mutating func checkService(_ listener: Listener, _ place: ConfigurationPlace) {
        if let factor = listener.passiveCheckFactor {
            let name = "passive-check-factor"
            checkRange(factor, ConfigurationLimits.passiveCheckFactor, name, place.at(name))
        }
        guard let service = listener.serviceCheck else { return }
        let at = place.at(service.word)
        if listener.httpCheck != nil {
            add(
                at,
                "servers are checked by httpchk or by \(service.word), not by both",
                remedy: "leave one of them out"
            )
        }
        switch service {
        case .redis: break
        case .mysql(let user): if let user { checkUser(user, at) }
        case .postgres(let user): checkUser(user, at)
        case .script(let rules): checkScript(rules, at)
        }
    }

    private mutating func checkUser(_ user: String, _ place: ConfigurationPlace) {
        if user.isEmpty || user.utf8.count > NameRule.longest || !user.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
            add(place, "\"\(user)\" is no user's name")
        }
    }

    private mutating func checkScript(_ rules: [TCPCheckRule], _ place: ConfigurationPlace) {
        if rules.isEmpty {
            add(place, "the script is empty", remedy: "give rules such as 'send PING; expect string PONG'")
        }
        checkCount(rules.count, ConfigurationLimits.checkRules, place)
        for rule in rules {
            switch rule {
            case .connect(let port): if port == 0 { add(place, "port 0 is not within 1 to 65535") }
            case .send(let text): checkSent(text.utf8.count, place)
            case .sendBinary(let bytes): checkSent(bytes.count, place)
            case .expect(let expectation):
                switch expectation.subject {
                case .string(let text): checkNeedle(Array(text.utf8), place)
                case .binary(let bytes): checkNeedle(bytes, place)
                case .pattern(let text): checkPattern(text, place)
                }
            }
        }
    }

    private mutating func checkSent(_ count: Int, _ place: ConfigurationPlace) {
        if count == 0 { add(place, "nothing would be sent", remedy: "give a text after send") }
        if count > ConfigurationLimits.textLength {
            add(place, "what is sent is longer than \(ConfigurationLimits.textLength) bytes")
        }
    }

    /// What a server says about its health beside the plain check.
    mutating func checkHealth(_ server: Server, of listener: Listener, _ place: ConfigurationPlace) {
        if let check = server.check {
            for (name, value) in [("fastinter", check.fastInter), ("downinter", check.downInter)] {
                if let value { checkRange(value, ConfigurationLimits.checkInterval, name, place.at(name)) }
            }
            if let address = check.address, address.bytes.allSatisfy({ $0 == 0 }) {
                add(place.at("addr"), "\(address) is the unspecified address")
            }
            if server.track != nil {
                let remedy = "leave check out: the other server's checks count"
                add(place.at("track"), "it has a check and tracks another server, too", remedy: remedy)
            }
        }
        if let agent = server.agent {
            checkRange(agent.inter, ConfigurationLimits.checkInterval, "agent-inter", place.at("agent-inter"))
            if agent.port == 0 { add(place.at("agent-port"), "port 0 is not within 1 to 65535") }
        }
        guard let observe = server.observe else { return }
        if server.check == nil {
            add(
                place.at("observe"),
                "it is observed, but not checked: nothing would bring it back",
                remedy: "add check"
            )
        }
        if observe.layer == .layer7, listener.mode != .http {
            add(place.at("observe"), "observe layer7 needs mode http", remedy: "give observe layer4")
        }
        if let limit = observe.errorLimit {
            checkRange(limit, ConfigurationLimits.errorLimit, "error-limit", place.at("error-limit"))
        }
    }
}

extension ClusterConfiguration {
    /// Servers that take their health from others.
    func validateTracking(_ findings: inout Findings) {
        for (index, listener) in listeners.enumerated() {
            for (position, server) in listener.servers.enumerated() {
                guard let track = server.track else { continue }
                let label = "listener \"\(listener.name)\", server \"\(server.name)\""
                var place = ConfigurationPlace(.listeners, index: index, label: label)
                place.server = position
                let other = self.listener(named: track.listener)?.servers.first { $0.name == track.server }
                guard let other else {
                    let text = "it tracks \(track.listener)/\(track.server), which there is not"
                    findings.add(place.at("track"), text, remedy: "give track LISTENER/SERVER")
                    continue
                }
                if other.check == nil {
                    let text = "it tracks \(track.listener)/\(track.server), which is not checked itself"
                    findings.add(place.at("track"), text, remedy: "track a server that has the word check")
                }
            }
        }
    }
}

extension ServiceCheck {
    /// The option that sets it.
    public var word: String {
        switch self {
        case .script: "tcp-check"
        case .redis: "redis-check"
        case .mysql: "mysql-check"
        case .postgres: "pgsql-check"
        }
    }
}
