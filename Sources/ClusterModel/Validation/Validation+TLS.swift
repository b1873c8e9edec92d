/// Encryption of listeners and servers.
extension Findings {
    mutating func check(_ tls: ListenerTLS, _ place: ConfigurationPlace) {
        if tls.certificates.isEmpty {
            add(place.at("crt"), "it would encrypt without a certificate", remedy: "give crt=/path/file.pem")
        }
        checkCount(tls.certificates.count, ConfigurationLimits.certificatesPerListener, place.at("crt"))
        for path in tls.certificates { checkPath(path, place.at("crt")) }
        if let path = tls.authority { checkPath(path, place.at("ca-file")) }
        if tls.verify ?? .none != .none, tls.authority == nil {
            let remedy = "give ca-file=/path/ca.pem"
            add(place.at("verify"), "clients are verified, but by no authority", remedy: remedy)
        }
        for (name, text) in [("ciphers", tls.ciphers), ("ciphersuites", tls.cipherSuites)] {
            if let text { checkText(text, name, place.at(name)) }
        }
    }

    mutating func check(_ tls: ServerTLS, _ place: ConfigurationPlace) {
        for (name, path) in [("ca-file", tls.authority), ("crt", tls.certificate)] {
            if let path { checkPath(path, place.at(name)) }
        }
        if tls.isVerified, tls.verifiedName == nil {
            let remedy = "give sni NAME or verifyhost NAME; or verify none, which believes anybody"
            add(place.at("ssl"), "the server's certificate is verified, but by no name", remedy: remedy)
        }
        for (name, host) in [("sni", tls.serverName), ("verifyhost", tls.verifiedHost)] {
            guard let host else { continue }
            let isPlain = host.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
            if !isPlain || !(1...253).contains(host.utf8.count) { add(place.at(name), "\"\(host)\" is no host name") }
        }
    }

    private mutating func checkPath(_ path: String, _ place: ConfigurationPlace) {
        checkText(path, "the path", place)
        if !path.hasPrefix("/") {
            add(place, "\"\(path)\" is no absolute path", remedy: "give a path that begins with /")
        }
    }
}
