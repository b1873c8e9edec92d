/// A cookie by which a client comes back to its server; HAProxy's `cookie NAME …` of a listener.
///
/// What is nil is what it was before the setting existed, and HAProxy's default.
public struct CookiePersistence: Hashable, Codable, Sendable {
    /// The cookie's name, an RFC 6265 token.
    public var name: String
    /// Whether the cookie is kept from servers (`indirect`): in mode `insert` it is taken out of requests, and a
    /// `Set-Cookie` of that name out of responses to clients that were sent to their cookie's server; default true.
    public var indirect: Bool
    /// Whether cacheable responses that set it are marked `Cache-control: private` (`nocache`); default true.
    public var noCache: Bool
    /// Who makes the cookie; nil: the proxy does (`insert`).
    public var mode: CookieMode?
    /// Whether only responses to POST set it (`postonly`); mode `insert`.
    public var postOnly: Bool?
    /// Whether a `Set-Cookie` of that name from the server is left alone and wins (`preserve`).
    public var preserve: Bool?
    /// Whether scripts must not read it (the attribute `HttpOnly`).
    public var httpOnly: Bool?
    /// Whether it is sent over TLS only (the attribute `Secure`).
    public var secure: Bool?
    /// Values of attributes `Domain`, in their order; at most 8 of 128 bytes.
    public var domains: [String]?
    /// Further attributes, as they are (`attr`), such as `SameSite=Lax`; at most 8 of 128 bytes.
    public var attributes: [String]?
    /// How long a client may stay away before its cookie counts no more; 1 s to 49 days, in whole seconds.
    public var maxIdle: Milliseconds?
    /// How long a client may keep its server at all; likewise.
    public var maxLife: Milliseconds?
    /// Whether servers without a `cookie` of their own get one that is computed from address, port and `dynamicKey`.
    public var dynamic: Bool?
    /// What the computed values depend on beside address and port: 32 hexadecimal digits, made when the cookie is
    /// configured and the same on every node, so that clients cannot tell addresses from values.
    public var dynamicKey: Secret?

    /// Describes the cookie.
    public init(name: String, indirect: Bool = true, noCache: Bool = true) {
        self.name = name
        self.indirect = indirect
        self.noCache = noCache
    }
}

/// Who makes the cookie of a listener.
public enum CookieMode: String, Codable, CaseIterable, Sendable {
    /// The proxy gives each new client one.
    case insert
    /// The application does; the proxy puts the server's value in the place of its own.
    case rewrite
    /// The application does; the proxy puts the server's value and `~` in front, and takes them off again.
    case prefix
    /// The application does, with the values that the servers are configured with; the proxy only reads them.
    case passive
}
