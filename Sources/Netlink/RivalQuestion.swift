internal import CLinux
public import ClusterModel
public import LinuxIO

/// Asks a link by ARP who else has an IPv4 address of this node, as RFC 5227 §2.1.1 probes for conflicts.
///
/// One packet socket, kept open; answers are taken when the next question is asked, so nobody waits for them.
public struct RivalQuestion: ~Copyable, Sendable {
    private let descriptor: Descriptor
    private let link: Link

    /// The most frames that are looked at in one call: on a busy link the rest is as telling.
    private static let framesPerCall = 256
    private static let etherType: UInt16 = 0x0806
    private static let broadcast = [UInt8](repeating: 0xFF, count: 6)

    /// Opens the socket on an Ethernet link; needs CAP_NET_RAW.
    public init(on link: Link) throws(SystemError) {
        self.init(link, try Self.socket(on: link))
    }

    private init(_ link: Link, _ descriptor: consuming Descriptor) {
        self.link = link
        self.descriptor = descriptor
    }

    private static func socket(on link: Link) throws(SystemError) -> Descriptor {
        let type = Int32(SOCK_RAW.rawValue | SOCK_NONBLOCK.rawValue)
        // Protocol 0 until it is bound: nothing of other links is delivered in between.
        let number = Int32(try SystemError.check("socket", "packet") { haven_socket(AF_PACKET, type, 0) })
        let descriptor = Descriptor(owning: number)
        var target = target(link)
        try SystemError.check("bind", "packet socket on \(link.name)") {
            haven_bind(number, &target, socklen_t(MemoryLayout<sockaddr_ll>.size))
        }
        return descriptor
    }

    /// Asks who has an address; a question that is lost is asked again by the next call.
    public func ask(_ address: IPAddress) {
        guard link.isEthernet, address.family == .v4 else { return }
        let frame = Announcement.question(about: address, hardwareAddress: link.hardwareAddress)
        var target = Self.target(link)
        _ = frame.bytes.withUnsafeBytes {
            haven_sendto(
                descriptor.number,
                $0.baseAddress,
                $0.count,
                &target,
                socklen_t(MemoryLayout<sockaddr_ll>.size)
            )
        }
    }

    /// Who has answered since the last call, besides this link itself: hardware addresses by address.
    public func answers() -> [IPAddress: Set<[UInt8]>] {
        var answers: [IPAddress: Set<[UInt8]>] = [:]
        var frame = [UInt8](repeating: 0, count: 128)
        for _ in 0..<Self.framesPerCall {
            let count = frame.withUnsafeMutableBytes { haven_recv(descriptor.number, $0.baseAddress, $0.count, 0) }
            guard count > 0 else { break }
            guard let (address, rival) = Announcement.claim(in: frame[..<min(count, frame.count)]),
                rival != link.hardwareAddress
            else { continue }
            answers[address, default: []].insert(rival)
        }
        return answers
    }

    private static func target(_ link: Link) -> sockaddr_ll {
        var target = sockaddr_ll()
        target.sll_family = UInt16(AF_PACKET)
        target.sll_protocol = etherType.bigEndian
        target.sll_ifindex = Int32(link.index)
        target.sll_halen = 6
        withUnsafeMutableBytes(of: &target.sll_addr) { $0.copyBytes(from: broadcast) }
        return target
    }
}
