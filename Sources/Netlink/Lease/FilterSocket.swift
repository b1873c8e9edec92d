internal import CLinux
internal import LinuxIO

/// A socket to nf_tables, in the network namespace of the thread that opened it.
///
/// The kernel carries a batch out while it is sent, waiting for other changes of tables to end; its answer is there when
/// the call returns.
struct FilterSocket: ~Copyable, Sendable {
    private let descriptor: Descriptor
    private var sequence: UInt32 = 0
    private var buffer = [UInt8](repeating: 0, count: 65_536)

    /// The most receives for one answer.
    private static let mostReceives = 64
    private static let netlinkOptions: Int32 = 270
    private static let shortAcknowledgements: Int32 = 10

    init() throws(SystemError) {
        let number = Int32(
            try SystemError.check("socket", "nf_tables") {
                haven_socket(AF_NETLINK, Int32(SOCK_RAW.rawValue | SOCK_NONBLOCK.rawValue), NETLINK_NETFILTER)
            }
        )
        let opened = Descriptor(owning: number)
        var address = sockaddr_nl()
        address.nl_family = sa_family_t(AF_NETLINK)
        try SystemError.check("bind", "nf_tables") {
            haven_bind(number, &address, socklen_t(MemoryLayout<sockaddr_nl>.size))
        }
        try SystemError.check("setsockopt", "nf_tables") {
            haven_setsockopt_int(number, Self.netlinkOptions, Self.shortAcknowledgements, 1)
        }
        descriptor = opened
    }

    /// Sends a batch; returns when all of it is in force.
    ///
    /// - Throws: the first thing that the kernel refused; then none of it is.
    mutating func commit(_ batch: FilterBatch, _ subject: String) throws(SystemError) {
        let number = descriptor.number
        // Wraps after four billion messages; only neighbours must differ.
        let first = sequence
        sequence &+= batch.span
        let bytes = batch.encoded(first: first)
        try SystemError.check("nf_tables", subject) {
            bytes.withUnsafeBytes { haven_send(number, $0.baseAddress, $0.count, 0) }
        }
        var isTaken = false
        var refusal: Int32?
        for _ in 0..<Self.mostReceives {
            let count = buffer.withUnsafeMutableBytes { haven_recv(number, $0.baseAddress, $0.count, 0) }
            if count == -Int(EINTR) { continue }
            if count == -Int(EAGAIN) { break }
            guard count >= 0 else { throw SystemError(call: "nf_tables", subject: subject, code: Int32(-count)) }
            for answer in NetlinkAnswer.split(buffer[..<count]) where Int32(answer.type) == NLMSG_ERROR {
                // Of an earlier batch whose answer was given up.
                guard answer.sequence &- first < batch.span else { continue }
                var reader = NativeReader(answer.body)
                let code = reader.read(Int32.self) ?? -EPROTO
                if code != 0 { refusal = refusal ?? -code }
                if code == 0, answer.sequence &- first == batch.span - 2 { isTaken = true }
            }
        }
        if let refusal { throw SystemError(call: "nf_tables", subject: subject, code: refusal) }
        guard isTaken else { throw SystemError(call: "nf_tables", subject: subject, code: EPROTO) }
    }
}
