import Balancing
import CLinux
import ProxyControl
import Synchronization

/// An exchange that has ended, in eight words.
struct ExchangeRecord {
    /// How many words it takes: one line of the processor's cache.
    static let words = 8

    var listener: Int32
    /// -1 where none was picked.
    var server: Int32
    var client: ClientAddress
    /// Milliseconds of the monotonic clock.
    var begun: Int64
    var ended: Int64
    var connected: Int32
    var answered: Int32
    var status: UInt16
    var retries: UInt8
    var pick: PickReason
    var clientCookie: ClientCookie
    var serverCookie: ServerCookie
    /// Nil where a server answered.
    var answer: AnswerReason?
    var isRedispatched: Bool
    /// Whether the connection ended before the response did.
    var isCut: Bool

    init(
        _ notes: ExchangeNotes,
        listener: Int32,
        server: Int32,
        client: ClientAddress,
        retries: UInt8,
        ended: Int64,
        isCut: Bool
    ) {
        self.listener = listener
        self.server = server
        self.client = client
        self.retries = retries
        self.ended = ended
        self.isCut = isCut
        begun = notes.begun
        connected = notes.connected
        answered = notes.answered
        status = notes.status
        pick = notes.pick
        clientCookie = notes.clientCookie
        serverCookie = notes.serverCookie
        answer = notes.answer
        isRedispatched = notes.isRedispatched
    }

    private static let noAnswer: UInt8 = 255

    /// Its words.
    fileprivate func forEachWord(_ body: (Int, UInt64) -> Void) {
        body(0, UInt64(UInt32(bitPattern: listener)) << 32 | UInt64(UInt32(bitPattern: server)))
        body(1, client.bytes.0)
        body(2, client.bytes.1)
        body(3, UInt64(bitPattern: begun))
        body(4, UInt64(bitPattern: ended))
        body(5, UInt64(UInt32(bitPattern: connected)) << 32 | UInt64(UInt32(bitPattern: answered)))
        let codes = UInt64(pick.rawValue) << 24 | UInt64(clientCookie.rawValue) << 16
        body(6, UInt64(client.port) << 48 | UInt64(status) << 32 | codes | UInt64(serverCookie.rawValue) << 8)
        let flags: UInt64 = (client.isV6 ? 1 : 0) | (isRedispatched ? 2 : 0) | (isCut ? 4 : 0)
        body(7, UInt64(answer?.rawValue ?? Self.noAnswer) << 16 | UInt64(retries) << 8 | flags)
    }

    /// Reads words; nil for what was never written so.
    fileprivate init?(_ word: (Int) -> UInt64) {
        listener = Int32(truncatingIfNeeded: word(0) >> 32)
        server = Int32(truncatingIfNeeded: word(0))
        client = ClientAddress()
        client.bytes = (word(1), word(2))
        begun = Int64(bitPattern: word(3))
        ended = Int64(bitPattern: word(4))
        connected = Int32(truncatingIfNeeded: word(5) >> 32)
        answered = Int32(truncatingIfNeeded: word(5))
        let (codes, rest) = (word(6), word(7))
        client.port = UInt16(truncatingIfNeeded: codes >> 48)
        status = UInt16(truncatingIfNeeded: codes >> 32)
        guard let pick = PickReason(rawValue: UInt8(truncatingIfNeeded: codes >> 24)),
            let clientCookie = ClientCookie(rawValue: UInt8(truncatingIfNeeded: codes >> 16)),
            let serverCookie = ServerCookie(rawValue: UInt8(truncatingIfNeeded: codes >> 8))
        else { return nil }
        (self.pick, self.clientCookie, self.serverCookie) = (pick, clientCookie, serverCookie)
        answer = AnswerReason(rawValue: UInt8(truncatingIfNeeded: rest >> 16))
        retries = UInt8(truncatingIfNeeded: rest >> 8)
        client.isV6 = rest & 1 != 0
        isRedispatched = rest & 2 != 0
        isCut = rest & 4 != 0
    }
}

/// The exchanges of one loop that ended last: written by its thread alone, read by the control thread whenever it likes.
///
/// The first word says how many were ever written; the newest overwrite the oldest. A reader looks at that word before
/// and after, and drops what may have been overwritten meanwhile.
struct ExchangeRing {
    private static let capacity = ProxyLimits.recentExchanges
    private static let bytes = (capacity + 1) * ExchangeRecord.words * 8

    private let base: UnsafeMutablePointer<Atomic<UInt64>>

    init?() {
        // Fresh anonymous memory reads as zero.
        guard let memory = haven_map_private(Self.bytes) else { return nil }
        base = memory.bindMemory(to: Atomic<UInt64>.self, capacity: Self.bytes / 8)
    }

    func destroy() { haven_unmap(UnsafeMutableRawPointer(base), Self.bytes) }

    /// Where the words of a record stand; the first place is the counter's.
    private func place(_ number: UInt64) -> UnsafeMutablePointer<Atomic<UInt64>> {
        base + (Int(number % UInt64(Self.capacity)) + 1) * ExchangeRecord.words
    }

    /// Adds one.
    @inline(__always)
    func append(_ record: ExchangeRecord) {
        let count = base[0].load(ordering: .relaxed)
        let target = place(count)
        // Nobody may see a word of this record while the counter still vouches for the one before it in its place.
        atomicMemoryFence(ordering: .releasing)
        record.forEachWord { target[$0].store($1, ordering: .relaxed) }
        base[0].store(count &+ 1, ordering: .releasing)
    }

    /// Those that are still there, the oldest first.
    func read() -> [ExchangeRecord] {
        let count = base[0].load(ordering: .acquiring)
        let first = count > UInt64(Self.capacity) ? count - UInt64(Self.capacity) : 0
        var records: [(number: UInt64, record: ExchangeRecord)] = []
        records.reserveCapacity(Int(count - first))
        for number in first..<count {
            let source = place(number)
            guard let record = ExchangeRecord({ source[$0].load(ordering: .relaxed) }) else { continue }
            records.append((number, record))
        }
        atomicMemoryFence(ordering: .acquiring)
        let newest = base[0].load(ordering: .relaxed)
        // One more may be under way that the counter does not know yet.
        return records.filter { $0.number + UInt64(Self.capacity) > newest }.map(\.record)
    }
}
