internal import CLinux
public import ClusterModel

/// A raw socket for one ICMP echo request and its answer; needs CAP_NET_RAW.
///
/// One for each request: where the answer to an earlier one would have gone is closed by then, and the kernel chooses the
/// way and the source address anew, which change when a link or an address goes.
public struct EchoSocket: ~Copyable, Sendable {
    /// For registering.
    public let descriptor: Descriptor
    /// The address on this machine from which the request goes out.
    public let source: IPAddress?

    /// Bytes that the kernel keeps of what nobody has read yet: an answer or two.
    private static let receiveBuffer: Int32 = 4096

    /// Ties a socket to an address, non-blocking: the kernel drops what others send, and all but echo replies.
    ///
    /// - Throws: What the kernel refused; without a route to the address `ENETUNREACH`.
    public init(to address: IPAddress) throws(SystemError) {
        let peer = SocketAddress(address, port: 0)
        let protocolNumber = Int32(address.family == .v4 ? IPPROTO_ICMP : Int(IPPROTO_ICMPV6))
        let number = Int32(
            try SystemError.check("socket", "ICMP") {
                haven_socket(peer.family, Int32(SOCK_RAW.rawValue | SOCK_NONBLOCK.rawValue), protocolNumber)
            }
        )
        let socket = Descriptor(owning: number)
        _ = haven_setsockopt_int(number, SOL_SOCKET, SO_RCVBUF, Self.receiveBuffer)
        try SystemError.check("setsockopt ICMP_FILTER") { haven_only_echo_replies(number, peer.family) }
        try SystemError.check("connect", "ICMP \(address)") { peer.withRaw { haven_connect(number, $0, $1) } }
        source = SocketAddress.local(of: number)?.endpoint?.address
        descriptor = socket
    }

    /// Sends a whole ICMP message.
    public func send(_ message: [UInt8]) throws(SystemError) {
        try SystemError.check("send") {
            message.withUnsafeBytes { haven_send(descriptor.number, $0.baseAddress, $0.count, 0) }
        }
    }

    /// Receives one packet into a reused buffer, cut to its length; nil when none waits.
    ///
    /// - Throws: What a router or this machine says about the request, such as `EHOSTUNREACH`.
    public func receive(into buffer: inout [UInt8]) throws(SystemError) -> (count: Int, from: SocketAddress)? {
        var peer = SocketAddress()
        let number = descriptor.number
        do throws(SystemError) {
            let count = try SystemError.check("recvfrom") {
                buffer.withUnsafeMutableBytes { raw in
                    peer.withMutableRaw { haven_recvfrom(number, raw.baseAddress, raw.count, 0, $0, $1) }
                }
            }
            return (count, peer)
        } catch {
            if error.wouldBlock { return nil }
            throw error
        }
    }
}
