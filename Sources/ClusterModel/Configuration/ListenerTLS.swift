/// How a listener encrypts: the words `ssl crt …` of a haproxy.cfg `bind` line.
///
/// Files are read on each node where the listener runs, at their absolute paths, and again when they change.
public struct ListenerTLS: Hashable, Codable, Sendable {
    /// PEM files with a certificate, its chain and its key, or directories of such files; the first certificate answers
    /// where no server name decides.
    public var certificates: [String]
    /// The lowest version of the protocol; nil for TLS 1.2.
    public var lowestVersion: TLSVersion?
    /// Ciphers of TLS 1.2, in OpenSSL's words; nil for OpenSSL's own list.
    public var ciphers: String?
    /// Cipher suites of TLS 1.3, in OpenSSL's words; nil for OpenSSL's own list.
    public var cipherSuites: String?
    /// Whether clients have to show a certificate; nil for no.
    public var verify: ClientVerification?
    /// A PEM file of the authorities whose clients are believed; needed where clients are verified.
    public var authority: String?
    /// What is agreed on by ALPN (RFC 7301), most wanted first; nil for `http/1.1` in HTTP mode and nothing in TCP mode.
    public var protocols: [String]?
    /// Whether a client whose server name no certificate has is refused; nil for no: it gets the first certificate.
    public var isStrict: Bool?

    /// Certificates, and defaults for the rest.
    public init(certificates: [String]) { self.certificates = certificates }
}

/// Versions of the protocol that can be asked for (RFC 5246, RFC 8446); older ones are broken.
public enum TLSVersion: String, Codable, Sendable, CaseIterable {
    /// TLS 1.2.
    case tls12 = "TLSv1.2"
    /// TLS 1.3.
    case tls13 = "TLSv1.3"
}

/// What a listener asks of its clients.
public enum ClientVerification: String, Codable, Sendable, CaseIterable {
    /// Nothing.
    case none
    /// A certificate is looked at if it is there; one that is not believed ends the handshake.
    case optional
    /// A certificate that is believed.
    case required
}

/// How connections to a server are encrypted: the word `ssl` of a haproxy.cfg `server` line.
public struct ServerTLS: Hashable, Codable, Sendable {
    /// Whether its certificate must be believed and bear `verifiedName`.
    public var isVerified: Bool
    /// A PEM file of authorities; nil for those of the system.
    public var authority: String?
    /// The server name that is asked for (RFC 6066 §3); nil asks for none.
    public var serverName: String?
    /// The name that its certificate must bear; nil for `serverName`.
    public var verifiedHost: String?
    /// A PEM file with the certificate and key that are shown to it.
    public var certificate: String?

    /// Encrypted, verified by the authorities of the system.
    public init() { isVerified = true }

    /// The name that its certificate must bear.
    public var verifiedName: String? { verifiedHost ?? serverName }
}
