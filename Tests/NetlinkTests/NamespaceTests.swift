import CLinux
import ClusterModel
import Foundation
import LinuxIO
import Testing

@testable import Netlink

/// A thread in a network namespace of its own, with two connected Ethernet links; both go with the thread.
enum PrivateNetwork {
    static let available = geteuid() == 0

    /// Runs the body there; the test's own thread is not held up meanwhile.
    static func run(_ body: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            Thread {
                continuation.resume(with: Result { try Self.enterAnd(body) })
            }.start()
        }
    }

    private static func enterAnd(_ body: () throws -> Void) throws {
        try SystemError.check("unshare") { unshare(CLONE_NEWNET) == 0 ? 0 : -Int(haven_errno()) }
        try ip("link add one type veth peer name two")
        for name in ["lo", "one", "two"] { try ip("link set \(name) up") }
        try ip("addr add 10.9.0.1/24 dev one")
        try ip("-6 addr add 2001:db8:9::1/64 dev one nodad")
        try body()
    }

    /// A child inherits the namespace of the thread that starts it.
    static func ip(_ words: String) throws {
        let status = system("exec /usr/sbin/ip \(words)")
        if status != 0 { throw SystemError(call: "ip", subject: words, code: EINVAL) }
    }
}

@Suite(.enabled(if: PrivateNetwork.available, "needs root for a network namespace of its own"))
struct NamespaceTests {
    private static func place(_ text: String, prefix: UInt8, _ link: Link) throws -> InterfaceAddress {
        InterfaceAddress(try #require(IPAddress(text)), prefix: prefix, link: link.index)
    }

    @Test
    func `Addresses of both families come and go, twice each, at once usable`() async throws {
        try await PrivateNetwork.run {
            var socket = try RouteSocket()
            let link = try #require(try socket.links().first { $0.name == "one" })
            #expect(link.isUp && link.isEthernet && link.hasCarrier)
            let addresses = [
                try Self.place("10.9.0.100", prefix: 24, link), try Self.place("2001:db8:9::100", prefix: 64, link),
            ]
            for address in addresses {
                #expect(try socket.add(address) == .made)
                #expect(try socket.add(address) == .alreadySo)
                #expect(try socket.addresses().contains(address))
                // Binding fails while an IPv6 address is tentative.
                let number = try DatagramSocket(binding: address.address, port: 0).descriptor.number
                #expect(number >= 0)
                #expect(try socket.remove(address) == .made)
                #expect(try socket.remove(address) == .alreadySo)
                #expect(try !socket.addresses().contains(address))
            }
        }
    }

    @Test
    func `A link that is not there is an error that names the address`() async throws {
        try await PrivateNetwork.run {
            var socket = try RouteSocket()
            let nowhere = InterfaceAddress(try #require(IPAddress("10.9.0.100")), prefix: 24, link: 999)
            let failure = #expect(throws: SystemError.self) { try socket.add(nowhere) }
            #expect(failure?.code == ENODEV)
            #expect(failure?.description.contains("10.9.0.100/24") == true)
            // The socket is good for the next request.
            #expect(try socket.links().count == 3)
        }
    }

    @Test
    func `A virtual IP finds its interface by subnet`() async throws {
        try await PrivateNetwork.run {
            var socket = try RouteSocket()
            let (links, addresses) = (try socket.links(), try socket.addresses())
            for (text, expected) in [("10.9.0.77", "10.9.0.77/24"), ("2001:db8:9::77", "2001:db8:9::77/64")] {
                let found = try InterfaceChoice.find(
                    try #require(IPAddress(text)),
                    links: links,
                    addresses: addresses
                )
                #expect(found.link.name == "one")
                #expect("\(found.address)" == expected)
            }
        }
    }

    @Test
    func `The monitor tells of addresses and of a link that loses its carrier`() async throws {
        try await PrivateNetwork.run {
            var socket = try RouteSocket()
            let link = try #require(try socket.links().first { $0.name == "one" })
            var monitor = try RouteMonitor()
            #expect(monitor.changes() == [])
            let address = try Self.place("10.9.0.100", prefix: 24, link)
            try socket.add(address)
            #expect(monitor.changes().contains(.address(address)))
            try socket.remove(address)
            #expect(monitor.changes().contains(.addressGone(address)))
            try PrivateNetwork.ip("link set two down")
            #expect(haven_wait_readable(monitor.descriptor.number, 5000) == 1)
            var lost = false
            while !lost {
                for case .link(let changed) in monitor.changes() where changed.name == "one" && !changed.hasCarrier {
                    lost = true
                }
                if !lost, haven_wait_readable(monitor.descriptor.number, 5000) != 1 { break }
            }
            #expect(lost)
        }
    }

    @Test
    func `The other end of the cable sees both ARP forms and the neighbour advertisement`() async throws {
        try await PrivateNetwork.run {
            var socket = try RouteSocket()
            let links = try socket.links()
            let link = try #require(links.first { $0.name == "one" })
            let other = try #require(links.first { $0.name == "two" })
            let capture = try Capture(on: other)
            let announcer = try Announcer()
            for text in ["10.9.0.100", "2001:db8:9::100"] {
                let address = try #require(IPAddress(text))
                try announcer.announce(address, on: link)
                for frame in Announcement.frames(for: address, hardwareAddress: link.hardwareAddress) {
                    #expect(capture.sees(frame.bytes), "\(text)")
                }
            }
            // Nothing is sent, and nothing fails, on a link without Ethernet.
            let loopback = try #require(links.first { $0.isLoopback })
            try announcer.announce(try #require(IPAddress("10.9.0.100")), on: loopback)
        }
    }
}

/// A packet socket that hears everything on one link.
private final class Capture {
    private let descriptor: Descriptor

    init(on link: Link) throws {
        let all = UInt16(3).bigEndian
        let number = Int32(
            try SystemError.check("socket") { haven_socket(AF_PACKET, Int32(SOCK_RAW.rawValue), Int32(all)) }
        )
        descriptor = Descriptor(owning: number)
        var address = sockaddr_ll()
        address.sll_family = UInt16(AF_PACKET)
        address.sll_protocol = all
        address.sll_ifindex = Int32(link.index)
        try SystemError.check("bind") { haven_bind(number, &address, socklen_t(MemoryLayout<sockaddr_ll>.size)) }
    }

    /// Waits for a frame that is exactly this, among whatever else passes.
    func sees(_ frame: [UInt8]) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 2048)
        for _ in 0..<100 {
            guard haven_wait_readable(descriptor.number, 2000) == 1 else { return false }
            let count = haven_recv(descriptor.number, &buffer, buffer.count, 0)
            if count > 0, Array(buffer[..<count]) == frame { return true }
        }
        return false
    }
}
