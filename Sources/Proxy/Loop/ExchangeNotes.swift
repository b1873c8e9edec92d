import Balancing
import CLinux
import HTTP1
import ProxyControl

/// What is remembered of an exchange (in TCP mode, of a connection) until it ends; times in milliseconds.
struct ExchangeNotes {
    /// Whether one is under way.
    var isOpen = false
    /// Whether a server was picked; which one and why.
    var hasPick = false
    var pick = PickReason.balance
    var clientCookie = ClientCookie.absent
    var serverCookie = ServerCookie.absent
    var isRedispatched = false
    /// Why the proxy answered itself; nil when a server did, or nobody.
    var answer: AnswerReason?
    /// Of the response; 0 for none.
    var status: UInt16 = 0
    /// When the request was there.
    var begun: Int64 = 0
    /// How long after that it was sent to the server that answered; -1 for never.
    var connected: Int32 = -1
    /// How long after that the response's head was there; -1 for never.
    var answered: Int32 = -1
    /// What the client's cookie said about its age.
    var dates = CookieDates()

    /// Starts anew.
    mutating func begin(_ now: Int64) {
        self = ExchangeNotes()
        isOpen = true
        begun = now
    }

    mutating func noteConnected(_ now: Int64) { connected = Int32(clamping: now - begun) }

    mutating func noteAnswered(_ now: Int64, status: Int) {
        answered = Int32(clamping: now - begun)
        self.status = UInt16(clamping: status)
    }

    /// Another server is tried: the one that a valid cookie named could not be reached.
    mutating func noteRedispatch() {
        isRedispatched = true
        if clientCookie == .valid { clientCookie = .down }
    }
}

/// A client's address, as it is in memory.
struct ClientAddress {
    /// The bytes, in the order of the network; of IPv4 only the first four.
    var bytes: (UInt64, UInt64) = (0, 0)
    var port: UInt16 = 0
    var isV6 = false

    init() {}

    /// Reads a socket address.
    init(_ address: inout sockaddr_storage) {
        isV6 = Int32(address.ss_family) == AF_INET6
        let (count, start) = isV6 ? (16, 8) : (4, 4)
        withUnsafeBytes(of: &address) { raw in
            port = UInt16(bigEndian: raw.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
            withUnsafeMutableBytes(of: &bytes) { target in
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: raw[start..<(start + count)]))
            }
        }
    }
}

extension Loop {
    /// Counts and notes why the client's server was picked.
    @inline(__always)
    mutating func notePick(_ client: SlotPointer, _ reason: PickReason) {
        counters.add(reason, picked: client.pointee.listener)
        counters.add(reason, server: client.pointee.server)
        client.pointee.notes.pick = reason
        client.pointee.notes.hasPick = true
    }

    /// Notes that the proxy answers itself; what is refused before it is a request is noted as an exchange of its own.
    mutating func noteAnswer(_ client: SlotPointer, _ reason: AnswerReason) {
        if !client.pointee.notes.isOpen { client.pointee.notes.begin(now) }
        client.pointee.notes.answer = reason
        client.pointee.notes.status = reason.code
        endNotes(client, isCut: false)
    }

    /// The exchange is over: counts its cookies, and puts it into the ring.
    mutating func endNotes(_ client: SlotPointer, isCut: Bool) {
        let notes = client.pointee.notes
        guard notes.isOpen else { return }
        client.pointee.notes.isOpen = false
        if notes.clientCookie != .absent { counters.add(notes.clientCookie, listener: client.pointee.listener) }
        if notes.serverCookie != .absent { counters.add(notes.serverCookie, listener: client.pointee.listener) }
        ring.append(
            ExchangeRecord(
                notes,
                listener: client.pointee.listener,
                server: notes.hasPick ? client.pointee.server : -1,
                client: client.pointee.clientAddress,
                retries: client.pointee.attempts,
                ended: now,
                isCut: isCut && notes.answer == nil
            )
        )
    }
}

extension AnswerReason {
    /// The status alone, as a number: the three digits that `status` begins with.
    fileprivate var code: UInt16 {
        UnsafeBufferPointer(start: status.utf8Start, count: 3).reduce(0) { $0 * 10 + UInt16($1 - 0x30) }
    }
}
