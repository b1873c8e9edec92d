internal import CLinux
public import LinuxIO

/// One rtnetlink socket that is kept open: lists links and addresses, adds and removes addresses.
///
/// The kernel works on a request while it is sent, so that its answer is there when the call returns: about a tenth of
/// a millisecond each, short enough for an event loop. Waiting is bounded all the same.
public struct RouteSocket: ~Copyable, Sendable {
    private let descriptor: Descriptor
    private var sequence: UInt32 = 0
    private var buffer: [UInt8]

    /// The longest wait for one answer, in milliseconds.
    private static let answerLimit: Int32 = 250
    /// The kernel fills at most 32 KiB a receive.
    private static let receiveSize = 65_536
    /// The most messages read as the answer to one request.
    private static let answerCount = 100_000

    /// What a change found.
    public enum Change: Hashable, Sendable {
        /// It was made.
        case made
        /// It was so already.
        case alreadySo
    }

    /// Opens the socket in the calling thread's network namespace.
    public init() throws(SystemError) {
        descriptor = try Self.open(groups: 0)
        buffer = [UInt8](repeating: 0, count: Self.receiveSize)
    }

    static func open(groups: UInt32) throws(SystemError) -> Descriptor {
        let number = Int32(
            try SystemError.check("socket", "netlink") {
                haven_socket(AF_NETLINK, Int32(SOCK_RAW.rawValue | SOCK_NONBLOCK.rawValue), NETLINK_ROUTE)
            }
        )
        let descriptor = Descriptor(owning: number)
        var address = sockaddr_nl()
        address.nl_family = sa_family_t(AF_NETLINK)
        address.nl_groups = groups
        try SystemError.check("bind", "netlink") {
            haven_bind(number, &address, socklen_t(MemoryLayout<sockaddr_nl>.size))
        }
        return descriptor
    }

    /// All interfaces.
    public mutating func links() throws(SystemError) -> [Link] {
        try list(Link.listing(sequence: nextSequence()), type: UInt16(RTM_NEWLINK)) { Link(parsing: $0) }
    }

    /// All addresses.
    public mutating func addresses() throws(SystemError) -> [InterfaceAddress] {
        try list(InterfaceAddress.listing(sequence: nextSequence()), type: UInt16(RTM_NEWADDR)) {
            InterfaceAddress(parsing: $0)
        }
    }

    /// Adds an address; one that is there already is a success.
    @discardableResult
    public mutating func add(_ address: InterfaceAddress) throws(SystemError) -> Change {
        try change(address.adding(sequence: nextSequence()), subject: "add \(address)", alreadySo: EEXIST)
    }

    /// Removes an address; one that is not there is a success.
    @discardableResult
    public mutating func remove(_ address: InterfaceAddress) throws(SystemError) -> Change {
        try change(address.removing(sequence: nextSequence()), subject: "remove \(address)", alreadySo: EADDRNOTAVAIL)
    }

    private mutating func nextSequence() -> UInt32 {
        // Wraps after four billion requests; only neighbours must differ.
        sequence &+= 1
        return sequence
    }

    private mutating func change(
        _ message: NetlinkMessage,
        subject: String,
        alreadySo: Int32
    ) throws(SystemError) -> Change {
        do throws(SystemError) {
            try exchange(message, subject: subject) { _ in }
            return .made
        } catch {
            if error.code == alreadySo { return .alreadySo }
            throw error
        }
    }

    private mutating func list<Item>(
        _ message: NetlinkMessage,
        type: UInt16,
        parse: (ArraySlice<UInt8>) -> Item?
    ) throws(SystemError) -> [Item] {
        var items: [Item] = []
        try exchange(message, subject: "list") { answer in
            if answer.type == type, let item = parse(answer.body) { items.append(item) }
        }
        return items
    }

    /// Sends a request and reads until its acknowledgement, its error or the end of its list.
    private mutating func exchange(
        _ message: NetlinkMessage,
        subject: String,
        _ take: (NetlinkAnswer) -> Void
    ) throws(SystemError) {
        let number = descriptor.number
        let expected = sequence
        try SystemError.check("netlink", subject) {
            message.bytes.withUnsafeBytes { haven_send(number, $0.baseAddress, $0.count, 0) }
        }
        var seen = 0
        while seen < Self.answerCount {
            for answer in NetlinkAnswer.split(try receive(subject)) where answer.sequence == expected {
                seen += 1
                switch Int32(answer.type) {
                case NLMSG_DONE: return
                case NLMSG_ERROR:
                    var reader = NativeReader(answer.body)
                    let code = reader.read(Int32.self) ?? -EPROTO
                    if code != 0 { throw SystemError(call: "netlink", subject: subject, code: -code) }
                    return
                default: take(answer)
                }
            }
        }
        throw SystemError(call: "netlink", subject: subject, code: EOVERFLOW)
    }

    private mutating func receive(_ subject: String) throws(SystemError) -> ArraySlice<UInt8> {
        let number = descriptor.number
        while true {
            let count = buffer.withUnsafeMutableBytes { haven_recv(number, $0.baseAddress, $0.count, 0) }
            if count >= 0 { return buffer[..<count] }
            if count == -Int(EINTR) { continue }
            guard count == -Int(EAGAIN) else {
                throw SystemError(call: "netlink", subject: subject, code: Int32(-count))
            }
            let ready = try SystemError.check("poll", subject) { haven_wait_readable(number, Self.answerLimit) }
            if ready == 0 { throw SystemError(call: "netlink", subject: subject, code: ETIMEDOUT) }
        }
    }
}
