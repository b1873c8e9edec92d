/// How much of a message head is accepted; one table for requests and responses.
public enum HeadLimits {
    /// The longest name of a protocol in an Upgrade field.
    static let upgradeBytes = 64
    /// The longest head, from the first byte of its first line to the empty line; longer ones are refused with 431.
    public static let headBytes = 16_384
    /// The most field lines (HAProxy's `tune.http.maxhdr` allows 101).
    public static let fields = 100
    /// The longest method; registered ones have 17 letters at most.
    public static let methodBytes = 24
    /// The longest chunk-size line or trailer line.
    public static let chunkLineBytes = 1024
    /// All trailer lines of a message together.
    public static let trailerBytes = 8192
    /// How many bytes rewriting may add to a head: a forwarded address, a cookie, framing and connection lines.
    public static let addedBytes = 1024
}
