import Balancing
import CTLS
import HTTP1

/// What the loops know of the configuration and of servers' health: built by the control thread, never changed once
/// published, freed when every loop has moved on to a later one.
struct RouteTable {
    /// Raised with every publication.
    var serial: UInt64
    /// By listener number.
    var listeners: UnsafeMutableBufferPointer<ListenerEntry>
    /// By server number.
    var servers: UnsafeMutableBufferPointer<ServerEntry>
    /// Rows of all listeners, in the order of configuration.
    var rows: UnsafeMutableBufferPointer<ServerRow>
    /// The server number of each row.
    var rowServers: UnsafeMutableBufferPointer<Int32>
    /// The share in new clients of each row; 0 for none.
    var weights: UnsafeMutableBufferPointer<UInt16>
    /// Round-robin sequences of all listeners.
    var sequences: UnsafeMutableBufferPointer<UInt16>
    /// Rings of all listeners with consistent hashing.
    var points: UnsafeMutableBufferPointer<RingPoint>
    /// Cookie names and values, and ready Set-Cookie values.
    var text: UnsafeMutableBufferPointer<UInt8>
    /// Where to listen.
    var binds: UnsafeMutableBufferPointer<BindEntry>
    /// Sessions that begin from now on are made by these `SSL_CTX`; a table holds a reference to each.
    var contexts: UnsafeMutableBufferPointer<OpaquePointer>
    /// Listening sockets: of bind b and thread t at `b * threads + t`.
    var sockets: UnsafeMutableBufferPointer<Int32>

    /// Frees all of it.
    static func destroy(_ table: UnsafeMutablePointer<RouteTable>) {
        table.pointee.listeners.deallocate()
        table.pointee.servers.deallocate()
        table.pointee.rows.deallocate()
        table.pointee.rowServers.deallocate()
        table.pointee.weights.deallocate()
        table.pointee.sequences.deallocate()
        table.pointee.points.deallocate()
        table.pointee.text.deallocate()
        table.pointee.binds.deallocate()
        table.pointee.sockets.deallocate()
        for context in table.pointee.contexts { SSL_CTX_free(context) }
        table.pointee.contexts.deallocate()
        table.deallocate()
    }
}

/// A piece of `RouteTable.text`.
struct TextRange {
    var start: Int32 = 0
    var count: Int32 = 0
}

/// How a listener's servers are picked.
enum PickMethod: UInt8 {
    case sequence, leastLoaded, first, twoRandom
    /// By a hash: of the client's address or of the path, by division or on the ring.
    case sourceMap, sourceRing, pathMap, pathRing

    var isBySource: Bool { self == .sourceMap || self == .sourceRing }
    var isByPath: Bool { self == .pathMap || self == .pathRing }
    var isByHash: Bool { isBySource || isByPath }
}

/// A listener as the loops see it; times in milliseconds.
struct ListenerEntry {
    var isHTTP = false
    var forwardsFor = false
    var hasCookie = false
    var redispatches = false
    /// Whether connections are encrypted; by `tls`, and not at all while that is nil.
    var isEncrypted = false
    /// The `SSL_CTX` of its clients' sessions.
    var tls: OpaquePointer?
    /// No longer in the plan: its connections end with what they are doing.
    var isRemoved = false
    var method = PickMethod.sequence
    var retries: Int32 = 0
    /// Which retry goes elsewhere; see `RetryPolicy`.
    var redispatchInterval: Int32 = -1
    /// After what else than a failed connection a request is sent again.
    var retryOn = RetryCauses.connectionFailure
    /// Which open connections a request may be sent on.
    var reuse = ConnectionReuse.always
    var maxConnections: Int32 = 0
    var connect: Int64 = 0
    var client: Int64 = 0
    var server: Int64 = 0
    var request: Int64 = 0
    /// Silence of either side of a connection that only passes bytes on.
    var tunnelClient: Int64 = 0
    var tunnelServer: Int64 = 0
    var turnAround: Int64 = 0
    var cookieName = TextRange()
    var cookie = CookieRule()
    var firstRow: Int32 = 0
    var rowCount: Int32 = 0
    var firstInSequence: Int32 = 0
    var sequenceCount: Int32 = 0
    var firstPoint: Int32 = 0
    var pointCount: Int32 = 0
    /// How many servers take new clients.
    var eligible: Int32 = 0
}

/// A server as the loops see it.
struct ServerEntry {
    var family: Int32 = 0
    var addressLength: UInt32 = 0
    /// The sockaddr.
    var address = InlineArray<28, UInt8>(repeating: 0)
    /// The value of the Set-Cookie line that binds a client to it (or ends a binding, where it has no cookie).
    var setCookie = TextRange()
    /// Whether connections to it are encrypted; by `tls`, and not at all while that is nil.
    var isEncrypted = false
    /// The `SSL_CTX` of sessions with it.
    var tls: OpaquePointer?
    /// The name that it is asked for, with a zero byte; empty for none.
    var serverName = TextRange()
    /// Its cookie's value; empty for none.
    var cookieValue = TextRange()
    /// How many bytes of `setCookie` stand in front of the cookie's dates; 0 where it never has any.
    var beforeDates: Int32 = 0
    /// Whether clients may be on it at all.
    var isUsable = false
    /// Whether its node is gone, so that open connections will never be answered.
    var isLost = false
}

/// One address and port to listen on.
struct BindEntry {
    /// Never used again for another bind.
    var id: Int64
    var listener: Int32
    var isVirtual: Bool
}
