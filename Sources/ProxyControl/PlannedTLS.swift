public import ClusterModel

/// What a proxy needs to encrypt a listener's connections: the contents of the files that its configuration names, read by
/// the agent, since the proxy has no right to read keys.
public struct PlannedTLS: Hashable, Codable, Sendable {
    /// Certificates with chain and key; the first answers where no server name decides.
    public var certificates: [PlannedFile]
    /// The authorities whose clients are believed; nil where clients are not verified.
    public var authority: PlannedFile?
    /// Keys of session tickets, `ticketKeyBytes` bytes each in hexadecimal digits; the first seals, all open.
    ///
    /// They are those of every node, so that a session can be resumed where a virtual IP has moved to.
    public var ticketKeys: [Secret]

    /// The bytes of a key of session tickets: 16 name it, 32 authenticate, 32 encrypt.
    public static let ticketKeyBytes = 80

    /// Puts all together.
    public init(certificates: [PlannedFile], authority: PlannedFile? = nil, ticketKeys: [Secret] = []) {
        self.certificates = certificates
        self.authority = authority
        self.ticketKeys = ticketKeys
    }
}

/// What a proxy needs to encrypt connections to a server.
public struct PlannedServerTLS: Hashable, Codable, Sendable {
    /// The authorities that are believed; nil where nothing is verified.
    public var authority: PlannedFile?
    /// The certificate and key that are shown; nil for none.
    public var certificate: PlannedFile?

    /// Puts both together.
    public init(authority: PlannedFile? = nil, certificate: PlannedFile? = nil) {
        self.authority = authority
        self.certificate = certificate
    }
}

/// A file as the agent found it.
public struct PlannedFile: Hashable, Codable, Sendable {
    /// Where it is.
    public var path: String
    /// What it holds; may be a key.
    public var content: Secret
    /// Why it could not be read; nil where it could.
    public var fault: String?

    /// A file with its content.
    public init(path: String, content: String) {
        self.path = path
        self.content = Secret(content)
    }

    /// A file that could not be read.
    public init(path: String, fault: String) {
        self.path = path
        content = Secret("")
        self.fault = fault
    }
}
