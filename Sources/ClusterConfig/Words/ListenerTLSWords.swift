import ClusterModel

/// The options of a listener that encrypts: the words of a haproxy.cfg `bind` line after `ssl`.
enum ListenerTLSWords {
    static func set(_ setting: Setting, of tls: inout ListenerTLS) throws(WordProblem) {
        let (name, value) = (setting.name, setting.value)
        switch name {
        case "crt":
            for part in value.split(separator: ",", omittingEmptySubsequences: false) {
                tls.certificates.append(try Values.path(name, String(part)))
            }
        case "ssl-min-ver": tls.lowestVersion = try version(value)
        case "ciphers": tls.ciphers = try list(name, value)
        case "ciphersuites": tls.cipherSuites = try list(name, value)
        case "alpn": tls.protocols = try protocols(value)
        case "verify": tls.verify = try verification(value)
        case "ca-file": tls.authority = try Values.path(name, value)
        case "strict-sni": tls.isStrict = try Values.boolean(name, value)
        default: preconditionFailure("\(name) is no word of encryption")
        }
    }

    /// What does not go together.
    static func fault(_ tls: ListenerTLS?) -> WordProblem? {
        guard let tls else { return nil }
        if tls.certificates.isEmpty {
            return WordProblem(
                "crt",
                "the listener would encrypt without a certificate",
                remedy: "give crt=/path/file.pem"
            )
        }
        let verifies = tls.verify ?? .none != .none
        if verifies, tls.authority == nil {
            return WordProblem(
                "verify",
                "clients are verified, but by no authority",
                remedy: "give ca-file=/path/ca.pem"
            )
        }
        if !verifies, tls.authority != nil {
            let remedy = "add verify=required or verify=optional"
            return WordProblem("ca-file", "there is a ca-file, but clients are not verified", remedy: remedy)
        }
        return nil
    }

    private static func version(_ text: String) throws(WordProblem) -> TLSVersion {
        if let version = TLSVersion(rawValue: text) { return version }
        let names = TLSVersion.allCases.map(\.rawValue).joined(separator: " or ")
        throw WordProblem("ssl-min-ver", "ssl-min-ver cannot be \"\(text)\"", remedy: "give \(names)")
    }

    private static func verification(_ text: String) throws(WordProblem) -> ClientVerification {
        if let verification = ClientVerification(rawValue: text) { return verification }
        throw WordProblem("verify", "verify cannot be \"\(text)\"", remedy: "give none, optional or required")
    }

    /// Names of ciphers as OpenSSL takes them; whether it knows them is found where they are used.
    private static func list(_ name: String, _ text: String) throws(WordProblem) -> String {
        let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        if !text.isEmpty, isPlain, text.utf8.count <= ConfigurationLimits.textLength { return text }
        throw WordProblem(name, "\(name) cannot be \"\(text)\"", remedy: "give names as openssl ciphers shows them")
    }

    private static func protocols(_ text: String) throws(WordProblem) -> [String] {
        let names = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        if names.contains("h2") {
            throw WordProblem(
                "alpn",
                "this version does not speak HTTP/2",
                remedy: "give alpn=http/1.1, or leave it out"
            )
        }
        let isPlain = names.allSatisfy { name in
            (1...255).contains(name.utf8.count) && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        }
        if isPlain, names.count <= 16 { return names }
        throw WordProblem("alpn", "alpn cannot be \"\(text)\"", remedy: "give up to 16 names, such as http/1.1")
    }

    /// The settings that differ from the defaults.
    static func settings(_ tls: ListenerTLS) -> [Setting] {
        var settings = [Setting(name: "crt", value: tls.certificates.joined(separator: ","))]
        func add(_ name: String, _ value: String?) {
            if let value { settings.append(Setting(name: name, value: value)) }
        }
        add("ssl-min-ver", tls.lowestVersion?.rawValue)
        add("ciphers", tls.ciphers)
        add("ciphersuites", tls.cipherSuites)
        add("alpn", tls.protocols?.joined(separator: ","))
        add("verify", tls.verify?.rawValue)
        add("ca-file", tls.authority)
        add("strict-sni", tls.isStrict.map { "\($0)" })
        return settings
    }
}
