internal import CLinux
public import ClusterModel
public import LinuxIO

/// Sends announcements of addresses; one packet socket, kept open, which receives nothing.
public struct Announcer: ~Copyable, Sendable {
    private let descriptor: Descriptor

    /// Opens the socket in the calling thread's network namespace; needs CAP_NET_RAW.
    public init() throws(SystemError) {
        descriptor = Descriptor(
            owning: Int32(
                try SystemError.check("socket", "packet") {
                    // Protocol 0: nothing is delivered to it.
                    haven_socket(AF_PACKET, Int32(SOCK_RAW.rawValue | SOCK_NONBLOCK.rawValue), 0)
                }
            )
        )
    }

    /// Announces an address once; its caller schedules the burst.
    ///
    /// - Parameters:
    ///   - address: The address, which is on the link already.
    ///   - link: An Ethernet link; on others nothing has to be announced and nothing is sent.
    /// - Throws: What the kernel refused, such as ENETDOWN.
    public func announce(_ address: IPAddress, on link: Link) throws(SystemError) {
        guard link.isEthernet else { return }
        let number = descriptor.number
        for frame in Announcement.frames(for: address, hardwareAddress: link.hardwareAddress) {
            var target = sockaddr_ll()
            target.sll_family = UInt16(AF_PACKET)
            target.sll_protocol = frame.etherType.bigEndian
            target.sll_ifindex = Int32(link.index)
            target.sll_halen = 6
            withUnsafeMutableBytes(of: &target.sll_addr) { $0.copyBytes(from: frame.destination) }
            try SystemError.check("send", "announcement of \(address) on \(link.name)") {
                frame.bytes.withUnsafeBytes {
                    haven_sendto(
                        number,
                        $0.baseAddress,
                        $0.count,
                        &target,
                        socklen_t(MemoryLayout<sockaddr_ll>.size)
                    )
                }
            }
        }
    }
}
