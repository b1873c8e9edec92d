/// Every bound of the data plane in one place.
enum ProxyLimits {
    /// Listener numbers that can be in use at once, those of removed listeners with live connections included.
    static let listenerIDs = 512
    /// Server numbers, likewise.
    static let serverIDs = 8192
    /// The most bytes taken by one read of a body.
    static let readBytes = 65_536
    /// Room in front of what is read, so that a rewritten head can be put right before its body.
    static let headRoom = 4096
    /// Where heads are rewritten: a longest head with what is added, and the body bytes that came with it.
    static let outBytes = 49_152
    /// The longest Set-Cookie value of our own: a name, a value, dates, and all attributes that a plan may have.
    static let cookieBytes = 4096
    /// Exchanges that a thread remembers after their end; a power of two.
    static let recentExchanges = 1024
    /// Idle connections that are looked at for one that served several requests.
    static let reuseSearch = 16
    /// The least time between two steps of a server's slow start, in milliseconds: each is a new table for the loops.
    static let slowStartStep: Int64 = 100
    /// The largest read of a head, and so the most that is kept of pipelined requests.
    static let headReadBytes = 16_384
    /// Reads of one socket before others get their turn.
    static let readsPerTurn = 16
    /// Connections accepted before others get their turn.
    static let acceptsPerTurn = 64
    /// Events taken from the kernel at once.
    static let eventsPerPass = 512
    /// Idle connections kept per server and thread.
    static let idlePerServer = 256
    /// How long an idle server connection is kept, in milliseconds: less than common servers' own limits would be
    /// nicer, but a connection that the server closes is noticed at once.
    static let idleServer: Int64 = 30_000
    /// Full reads in a row before a TCP stream is spliced.
    static let fullReadsBeforeSplice: UInt8 = 4
    /// The least rest of a body that is worth a pipe.
    static let spliceBytes: Int64 = 32_768
    /// What is asked of the kernel for a pipe: the best of 64 KiB to 1 MiB, measured, and a user's limit of 64 MiB for
    /// all pipes goes further.
    static let pipeBytes = 1 << 18
    /// Pipes kept for reuse, per thread.
    static let pooledPipes = 64
    /// How long a refused client may take to read the answer, in milliseconds.
    static let linger: Int64 = 2000
    /// Pause before a listener that ran out of connections or descriptors tries again, in milliseconds.
    static let acceptPause: Int64 = 10
    /// How often a loop with virtual binds looks at the lease while nothing else happens, in milliseconds.
    static let leaseLook: Int64 = 100
    /// Sockets of one thread, whatever the descriptor limit says.
    static let slotsPerThread = 131_072
    /// Control connections at once; the agent needs one.
    static let controlSessions = 4
    /// Heartbeats of agents that wait for the loops.
    static let pings = 16
    /// The most of a check's answer that is read at once; `CheckLimits` bounds the whole.
    static let checkReadBytes = 4096
    /// The longest time over which checks that begin together are spread, in milliseconds.
    static let checkSpread: Int64 = 2000
    /// The shortest time between two checks of a server, in milliseconds.
    static let leastCheckInterval: Int64 = 10
}
