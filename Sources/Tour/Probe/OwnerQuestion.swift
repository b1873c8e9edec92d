internal import CLinux
public import ClusterModel
internal import LinuxIO

/// Asks a network by ARP, again and again, who has an address, and writes down who answers.
///
/// Every owner answers a broadcast question, so two different answers to one question are two owners.
public final class OwnerQuestion {
    /// The time between two questions; also how long one is open.
    public static let interval = Duration.milliseconds(20)

    private let address: IPAddress
    private let socket: Descriptor
    private let hardwareAddress: [UInt8]
    private var interfaceAddress = sockaddr_ll()

    private static let etherType: UInt16 = 0x0806
    private static let broadcast = [UInt8](repeating: 0xFF, count: 6)
    /// Where the answer's parts begin in an Ethernet frame (RFC 826).
    private static let operation = 21
    private static let senderHardware = 22..<28
    private static let senderAddress = 28..<32
    private static let frameLength = 42

    /// Prepares to ask for an IPv4 address on an interface.
    public init(_ address: IPAddress, interface: String) throws {
        let directory = "/sys/class/net/\(interface)"
        let text = try Self.text("\(directory)/address")
        let own = text.split(separator: ":").compactMap { UInt8($0, radix: 16) }
        guard let index = Int32(try Self.text("\(directory)/ifindex")), own.count == 6,
            address.family == .v4
        else { throw TourError("\(interface) is no Ethernet interface, or \(address) no IPv4 address") }
        let kind = Int32(SOCK_RAW.rawValue | SOCK_NONBLOCK.rawValue)
        let number = try SystemError.check("socket", "packet") {
            haven_socket(AF_PACKET, kind, Int32(Self.etherType.bigEndian))
        }
        self.address = address
        hardwareAddress = own
        socket = Descriptor(owning: Int32(number))
        interfaceAddress.sll_family = UInt16(AF_PACKET)
        interfaceAddress.sll_protocol = Self.etherType.bigEndian
        interfaceAddress.sll_ifindex = index
        interfaceAddress.sll_halen = 6
        withUnsafeMutableBytes(of: &interfaceAddress.sll_addr) { $0.copyBytes(from: Self.broadcast) }
        try SystemError.check("bind", "packet") {
            haven_bind(Int32(number), &interfaceAddress, socklen_t(MemoryLayout<sockaddr_ll>.size))
        }
    }

    /// Asks until the process is killed; `write` gets a line per question: `BEGAN ENDED arp MAC,MAC`, or `-` for none.
    public func run(write: (String) -> Void) throws {
        var poller = try Poller()
        try poller.add(socket.number, .read, token: 0)
        var events: [Poller.Event] = []
        while true {
            let began = Clock.monotonic()
            var answers = Set<String>()
            ask()
            var now = began
            while now < began + Self.interval {
                events.removeAll(keepingCapacity: true)
                try poller.wait(until: began + Self.interval, now: now, into: &events)
                while let answer = receive() { if !answer.isEmpty { answers.insert(answer) } }
                now = Clock.monotonic()
            }
            let names = answers.isEmpty ? "-" : answers.sorted().joined(separator: ",")
            write("\(began.nanoseconds) \(now.nanoseconds) arp \(names)\n")
        }
    }

    /// A question that is lost because the link is busy is asked again soon.
    private func ask() {
        var frame = Self.broadcast + hardwareAddress + [0x08, 0x06]
        frame += [0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, 1]
        // The sender's protocol address stays empty, as in a probe (RFC 5227 §2.1): it changes no cache.
        frame += hardwareAddress + [0, 0, 0, 0] + [0, 0, 0, 0, 0, 0] + address.bytes
        _ = frame.withUnsafeBytes { bytes in
            haven_sendto(
                socket.number,
                bytes.baseAddress,
                bytes.count,
                &interfaceAddress,
                socklen_t(MemoryLayout<sockaddr_ll>.size)
            )
        }
    }

    /// Who answered; empty for a frame that answers nobody here, nil when none waits.
    private func receive() -> String? {
        var frame = [UInt8](repeating: 0, count: 256)
        let count = frame.withUnsafeMutableBytes { haven_recv(socket.number, $0.baseAddress, $0.count, 0) }
        guard count > 0 else { return nil }
        // Announcements go to everybody, answers to the one who asked.
        guard count >= Self.frameLength, frame[..<6].elementsEqual(hardwareAddress), frame[Self.operation] == 2,
            frame[Self.senderAddress].elementsEqual(address.bytes)
        else { return "" }
        return frame[Self.senderHardware].map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }

    private static func text(_ path: String) throws -> String {
        let file = try Descriptor.open(path, O_RDONLY)
        let text = String(decoding: try file.read(upTo: 256), as: UTF8.self)
        return String(text.prefix { !$0.isNewline })
    }
}

/// Why the tour cannot go on.
public struct TourError: Error, CustomStringConvertible {
    /// For people.
    public let description: String

    /// States a reason.
    public init(_ description: String) { self.description = description }
}
