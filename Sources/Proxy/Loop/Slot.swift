import CTLS
import HTTP1

typealias SlotPointer = UnsafeMutablePointer<Slot>

/// One socket of a loop: a plain record in a slab that never moves; epoll hands its address back with each event.
struct Slot {
    /// What the socket is.
    enum Kind: UInt8 {
        case free, listener, client, server
    }

    /// Where its conversation stands.
    enum Phase: UInt8 {
        /// Client: between requests, or inside a request head.
        case head
        /// Client: has a request, and no server connection that could take it yet.
        case waiting
        /// Client: waits before the same server is tried again.
        case turnAround
        /// Client: its request is with a server. Server: response head expected.
        case exchange
        /// Server: response body is coming.
        case body
        /// Client: the response is complete but not all sent.
        case flushing
        /// Client: refused; reads away what still comes so that the answer is not lost to a reset.
        case lingering
        /// Server: connection under way.
        case connecting
        /// Both: the connection stands, and its keys are agreed on.
        case handshake
        /// Server: waits for reuse.
        case idle
        /// Both: bytes are passed on as they are.
        case tunnel
    }

    struct Flags: OptionSet {
        let rawValue: UInt32
        /// Known to epoll.
        static let registered = Flags(rawValue: 1 << 0)
        /// A read may give something.
        static let readable = Flags(rawValue: 1 << 1)
        /// The peer closed its sending side, or all: reads must go on to their end.
        static let hup = Flags(rawValue: 1 << 2)
        /// Its end was read.
        static let ended = Flags(rawValue: 1 << 3)
        /// Our sending side is shut.
        static let shut = Flags(rawValue: 1 << 4)
        /// On a virtual IP: lives only as long as the lease.
        static let virtual = Flags(rawValue: 1 << 5)
        /// In the run queue.
        static let queued = Flags(rawValue: 1 << 6)
        /// Client: all of the request was read.
        static let requestDone = Flags(rawValue: 1 << 7)
        /// Client: part of the response was sent.
        static let responseStarted = Flags(rawValue: 1 << 8)
        /// The connection can be used for another message.
        static let keepAlive = Flags(rawValue: 1 << 9)
        /// Client: its cookie chose the server.
        static let followsCookie = Flags(rawValue: 1 << 10)
        /// Client: its request may be sent twice and is still held.
        static let replayable = Flags(rawValue: 1 << 11)
        /// Server: has served a request before this one.
        static let reused = Flags(rawValue: 1 << 12)
        /// Listener: waits before it accepts again.
        static let paused = Flags(rawValue: 1 << 13)
        /// Client: bytes of the current head have come.
        static let headStarted = Flags(rawValue: 1 << 14)
        /// The kernel reported an error on it.
        static let failed = Flags(rawValue: 1 << 15)
        /// Listener or server: of an HTTP listener.
        static let http = Flags(rawValue: 1 << 16)
        /// Client: its server takes no more of the request.
        static let stopped = Flags(rawValue: 1 << 18)
        /// Has been spliced from before: the next long run of bytes is recognised sooner.
        static let bulk = Flags(rawValue: 1 << 19)
        /// Client: its request asks for another protocol.
        static let upgrading = Flags(rawValue: 1 << 20)
        /// Client: no request came before this one.
        static let firstRequest = Flags(rawValue: 1 << 24)
        /// Client: HTTP/1.0.
        static let oldVersion = Flags(rawValue: 1 << 17)
    }

    var fd: Int32 = -1
    /// The session that encrypts the connection; nil for a plain one.
    var tls: OpaquePointer?
    /// The socket as the session sees it.
    var wire = haven_wire()
    var kind = Kind.free
    var phase = Phase.head
    var flags: Flags = []
    /// The listener's number.
    var listener: Int32 = -1
    /// The server's number: of a client, the one picked.
    var server: Int32 = -1
    /// Of a client its server connection and the other way round.
    var peer: SlotPointer?
    /// The next in the run queue, the free list or the list of the dead.
    var next: SlotPointer?

    // Timer: `deadline` in milliseconds of the monotonic clock; the wheel may wake the slot earlier, never later.
    var deadline = Int64.max
    var timerTick: Int64 = -1
    var timerNext: SlotPointer?
    var timerPrevious: SlotPointer?

    // Pool of idle server connections.
    var poolNext: SlotPointer?
    var poolPrevious: SlotPointer?

    // The message that is read from this socket.
    var method = Method.other
    var framing = Framing.none
    var bodyLeft: Int64 = 0
    var chunks = ChunkScanner()
    /// Bytes read but not used: a partial head, or the start of the next request.
    var input = Buffer()
    /// Bytes that this socket has not taken yet.
    var output = Buffer()
    /// Client: the request as the server gets it, held until it was sent or, if replayable, until an answer starts.
    var request = Buffer()

    // Bulk: the pipe that carries what is read from this socket.
    var pipe = Pipe()
    var pipeCount: Int64 = 0
    var fullReads: UInt8 = 0

    /// Server: when its connection was begun.
    var started: Int64 = 0

    /// An idle server connection that is kept for one client alone, and that client: each of the other.
    var bound: SlotPointer?
    /// Client: what is remembered of the exchange under way.
    var notes = ExchangeNotes()
    /// Client: where it came from.
    var clientAddress = ClientAddress()

    /// Client: the hash that picks its server, where a hash does.
    var key: UInt32 = 0
    var attempts: UInt8 = 0
    var addressLength: UInt8 = 0
    /// Client: its address as text, for X-Forwarded-For.
    var address = InlineArray<46, UInt8>(repeating: 0)
}

/// Memory that a slot owns for a while; from the loop's blocks.
struct Buffer {
    var base: UnsafeMutablePointer<UInt8>?
    var start: Int32 = 0
    var end: Int32 = 0
    var capacity: Int32 = 0

    var count: Int { Int(end - start) }
    var isEmpty: Bool { end == start }
}

/// A pipe of the kernel; -1 for none.
struct Pipe {
    var read: Int32 = -1
    var write: Int32 = -1
}
