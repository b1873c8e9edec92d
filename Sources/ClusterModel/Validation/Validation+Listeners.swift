extension ClusterConfiguration {
    func validateListeners(_ findings: inout Findings) {
        let whole = ConfigurationPlace(.listeners, label: "listeners")
        findings.checkCount(listeners.count, ConfigurationLimits.listeners, whole)
        findings.checkCount(
            listeners.reduce(0) { $0 + $1.servers.count },
            ConfigurationLimits.servers,
            ConfigurationPlace(.listeners, label: "servers of all listeners")
        )
        var names = Set<String>()
        var binds: [Endpoint: String] = [:]
        for (index, listener) in listeners.enumerated() {
            let place = ConfigurationPlace(.listeners, index: index, label: "listener \"\(listener.name)\"")
            findings.checkName(listener.name, place.at("name"))
            findings.checkUnique(listener.name, &names, place.at("name"))
            if listener.binds.isEmpty {
                findings.add(place.at("bind"), "it listens nowhere", remedy: "give bind=ADDRESS:PORT")
            }
            findings.checkCount(listener.binds.count, ConfigurationLimits.bindsPerListener, place.at("bind"))
            for bind in listener.binds {
                if let other = binds.updateValue(listener.name, forKey: bind) {
                    let whose = other == listener.name ? "given twice" : "that of listener \"\(other)\" too"
                    findings.add(place.at("bind"), "bind \(bind) is \(whose)")
                }
            }
            findings.checkHTTP(listener, place)
            findings.checkNumbers(listener, place)
            if let check = listener.httpCheck { findings.check(check, place) }
            if let tls = listener.tls { findings.check(tls, place) }
            findings.checkCount(listener.servers.count, ConfigurationLimits.serversPerListener, place.at("servers"))
            findings.checkServers(listener, place)
        }
    }
}

extension Findings {
    fileprivate mutating func checkHTTP(_ listener: Listener, _ place: ConfigurationPlace) {
        if let cookie = listener.cookie {
            if listener.mode != .http {
                add(place.at("cookie"), "a cookie needs mode http", remedy: "give mode=http or leave the cookie out")
            }
            if !cookie.name.isToken || cookie.name.utf8.count > NameRule.longest {
                add(place.at("cookie"), "\"\(cookie.name)\" is no cookie's name")
            }
            check(cookie, place)
        }
        checkRetries(listener, place)
        if listener.balance == .uri, listener.mode != .http {
            add(place.at("balance"), "balance uri needs mode http", remedy: "give balance=source, or mode=http")
        }
        if listener.forwardFor, listener.mode != .http {
            add(place.at("forwardfor"), "forwardfor needs mode http", remedy: "give mode=http or leave it out")
        }
    }

    fileprivate mutating func checkNumbers(_ listener: Listener, _ place: ConfigurationPlace) {
        let timeouts = listener.timeouts
        for (name, value) in [
            ("timeout-connect", timeouts.connect), ("timeout-client", timeouts.client),
            ("timeout-server", timeouts.server), ("timeout-http-request", timeouts.httpRequest),
            ("timeout-check", timeouts.check),
            ("timeout-tunnel", timeouts.tunnel ?? ListenerTimeouts.usualTunnel),
        ] {
            checkRange(value, ConfigurationLimits.listenerTimeout, name, place.at(name))
        }
        checkRange(listener.retries, ConfigurationLimits.retries, "retries", place.at("retries"))
        checkRange(listener.maxConnections, ConfigurationLimits.maxConnections, "maxconn", place.at("maxconn"))
    }

    fileprivate mutating func check(_ check: HTTPCheck, _ place: ConfigurationPlace) {
        if !["GET", "HEAD", "OPTIONS"].contains(check.method) {
            add(place.at("httpchk"), "a check cannot use \(check.method)", remedy: "use GET, HEAD or OPTIONS")
        }
        let plain = check.uri.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        if !check.uri.hasPrefix("/") && check.uri != "*" || !plain
            || check.uri.utf8.count > ConfigurationLimits.textLength
        {
            add(
                place.at("httpchk"),
                "\"\(check.uri)\" is no request target",
                remedy: "give a path such as /healthcheck"
            )
        }
        if let host = check.host, host.isEmpty || !host.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
            add(place.at("httpchk"), "\"\(host)\" is no Host")
        }
        if check.expectStatus.isEmpty {
            add(place.at("expect-status"), "no status passes", remedy: "give codes such as 200,300-302")
        }
        checkCount(check.expectStatus.count, ConfigurationLimits.statusRanges, place.at("expect-status"))
        for range in check.expectStatus {
            let limits = ConfigurationLimits.statusCode
            if !limits.contains(range.first) || !limits.contains(range.last) || range.first > range.last {
                add(place.at("expect-status"), "\(range) are no status codes", remedy: "give 100 to 599, low end first")
            }
        }
    }

    fileprivate mutating func checkServers(_ listener: Listener, _ place: ConfigurationPlace) {
        var names = Set<String>()
        var endpoints: [Endpoint: String] = [:]
        for (index, server) in listener.servers.enumerated() {
            var own = place
            own.server = index
            own.label = "\(place.label), server \"\(server.name)\""
            checkName(server.name, own.at("name"))
            checkUnique(server.name, &names, own.at("name"))
            if let other = endpoints.updateValue(server.name, forKey: server.endpoint) {
                add(own.at("address"), "\(server.endpoint) is that of server \"\(other)\" too")
            }
            if server.endpoint.address.bytes.allSatisfy({ $0 == 0 }) {
                add(own.at("address"), "\(server.endpoint.address) is the unspecified address")
            }
            if listener.binds.contains(server.endpoint) {
                let remedy = "let the service listen on each node's own address, not on the virtual IP"
                add(own.at("address"), "\(server.endpoint) is where the listener itself listens", remedy: remedy)
            }
            checkRange(server.weight, ConfigurationLimits.weight, "weight", own.at("weight"))
            if let cookie = server.cookie {
                if listener.cookie == nil {
                    let remedy = "give the listener cookie='NAME insert indirect nocache' or leave the server's out"
                    add(own.at("cookie"), "it has a cookie but its listener has none", remedy: remedy)
                }
                if !cookie.isCookieValue || cookie.utf8.count > NameRule.longest {
                    add(own.at("cookie"), "\"\(cookie)\" is no cookie's value")
                }
                checkDelimiter(cookie, listener, own)
            }
            if let time = server.slowStart {
                checkRange(time, ConfigurationLimits.slowStart, "slowstart", own.at("slowstart"))
            }
            if let check = server.check { self.check(check, own) }
            if let tls = server.tls { self.check(tls, own) }
        }
    }

    private mutating func check(_ check: ServerCheck, _ place: ConfigurationPlace) {
        checkRange(check.inter, ConfigurationLimits.checkInterval, "inter", place.at("inter"))
        checkRange(check.rise, ConfigurationLimits.checkCount, "rise", place.at("rise"))
        checkRange(check.fall, ConfigurationLimits.checkCount, "fall", place.at("fall"))
        if check.port == 0 { add(place.at("port"), "port 0 is not within 1 to 65535") }
    }
}

extension String {
    /// RFC 9110 §5.6.2.
    fileprivate var isToken: Bool {
        let separators = Array("\"(),/:;<=>?@[\\]{}".utf8)
        return !isEmpty && utf8.allSatisfy { (0x21...0x7E).contains($0) && !separators.contains($0) }
    }

    /// RFC 6265 §4.1.1: cookie-octet.
    fileprivate var isCookieValue: Bool {
        let refused = Array("\",;\\".utf8)
        return !isEmpty && utf8.allSatisfy { (0x21...0x7E).contains($0) && !refused.contains($0) }
    }
}

extension StatusRange: CustomStringConvertible {
    /// `200`, or `200-399`.
    public var description: String { first == last ? "\(first)" : "\(first)-\(last)" }
}
