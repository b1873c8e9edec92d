import Bytes
import ClusterModel
import Testing

@testable import Netlink

/// Bytes as the kernel of a little-endian machine takes them; every line is one structure or attribute.
@Suite(.enabled(if: UInt16(1).littleEndian == 1, "the golden bytes are little-endian"))
struct MessageTests {
    private static func vip(_ text: String, _ prefix: UInt8) throws -> InterfaceAddress {
        InterfaceAddress(try #require(IPAddress(text)), prefix: prefix, link: 7)
    }

    @Test
    func `Adding an IPv4 address`() throws {
        // The flags are REQUEST, ACK, EXCL and CREATE.
        let golden = [
            "30000000" + "1400" + "0506" + "2a000000" + "00000000",  // nlmsghdr: 48 bytes, RTM_NEWADDR
            "02" + "18" + "00" + "00" + "07000000",  // ifaddrmsg: AF_INET, /24, no flags, universe, link 7
            "0800" + "0200" + "0a000064",  // IFA_LOCAL
            "0800" + "0100" + "0a000064",  // IFA_ADDRESS
            "0800" + "0400" + "0a0000ff",  // IFA_BROADCAST
        ].joined()
        #expect(Hex.encode(try Self.vip("10.0.0.100", 24).adding(sequence: 42).bytes) == golden)
    }

    @Test
    func `Adding an IPv6 address, without duplicate address detection`() throws {
        let golden = [
            "40000000" + "1400" + "0506" + "01000000" + "00000000",  // nlmsghdr: 64 bytes, RTM_NEWADDR
            "0a" + "40" + "02" + "00" + "07000000",  // ifaddrmsg: AF_INET6, /64, IFA_F_NODAD, link 7
            "1400" + "0200" + "20010db8000000000000000000000064",  // IFA_LOCAL
            "1400" + "0100" + "20010db8000000000000000000000064",  // IFA_ADDRESS
        ].joined()
        #expect(Hex.encode(try Self.vip("2001:db8::64", 64).adding(sequence: 1).bytes) == golden)
    }

    @Test
    func `Asking who else has an address changes nobody's tables`() throws {
        let golden = [
            "ffffffffffff" + "020000000001" + "0806",  // to everybody, from us, ARP
            "0001" + "0800" + "06" + "04" + "0001",  // Ethernet, IPv4, request
            "020000000001" + "00000000",  // the sender has no address
            "000000000000" + "0a000064",  // the target
            String(repeating: "00", count: 18),
        ].joined()
        let address = try #require(IPAddress("10.0.0.100"))
        let question = Announcement.question(about: address, hardwareAddress: [2, 0, 0, 0, 0, 1])
        #expect(Hex.encode(question.bytes) == golden)
    }

    @Test
    func `An ARP reply claims its sender's address, and nothing else does`() throws {
        let address = try #require(IPAddress("10.0.0.100"))
        let mine: [UInt8] = [2, 0, 0, 0, 0, 1]
        let claim = Announcement.claim(
            in: Announcement.arp(operation: 2, address: address, hardwareAddress: mine).bytes[...]
        )
        #expect(claim?.address == address && claim?.hardwareAddress == mine)
        let question = Announcement.question(about: address, hardwareAddress: mine)
        #expect(Announcement.claim(in: question.bytes[...]) == nil)
        let reply = Announcement.arp(operation: 2, address: address, hardwareAddress: mine).bytes
        for length in 0..<42 { #expect(Announcement.claim(in: reply.prefix(length)) == nil) }
        #expect(
            Announcement.claim(
                in: Announcement.neighbourAdvertisement(
                    address: IPAddress(bytes: [UInt8](repeating: 1, count: 16)) ?? address,
                    hardwareAddress: mine
                ).bytes[...]
            ) == nil
        )
    }

    @Test
    func `Removing an IPv4 address`() throws {
        let golden = [
            "28000000" + "1500" + "0500" + "02000000" + "00000000",  // nlmsghdr: 40 bytes, RTM_DELADDR, REQUEST|ACK
            "02" + "20" + "00" + "00" + "07000000",  // ifaddrmsg: AF_INET, /32
            "0800" + "0200" + "0a000064",  // IFA_LOCAL
            "0800" + "0100" + "0a000064",  // IFA_ADDRESS
        ].joined()
        #expect(Hex.encode(try Self.vip("10.0.0.100", 32).removing(sequence: 2).bytes) == golden)
    }

    @Test
    func `Listing links and addresses`() {
        let links = [
            "20000000" + "1200" + "0103" + "03000000" + "00000000",  // nlmsghdr: 32 bytes, RTM_GETLINK, REQUEST|DUMP
            "00000000" + "00000000" + "00000000" + "00000000",  // ifinfomsg: everything
        ].joined()
        #expect(Hex.encode(Link.listing(sequence: 3).bytes) == links)
        let addresses = [
            "18000000" + "1600" + "0103" + "04000000" + "00000000",  // nlmsghdr: 24 bytes, RTM_GETADDR, REQUEST|DUMP
            "00000000" + "00000000",  // ifaddrmsg: everything
        ].joined()
        #expect(Hex.encode(InterfaceAddress.listing(sequence: 4).bytes) == addresses)
    }

    @Test
    func `Reads a link and an address as the kernel tells them`() throws {
        let link = [
            "0000" + "0100" + "02000000" + "43100100" + "00000000",  // ifinfomsg: Ethernet, link 2, up and with carrier
            "0900" + "0300" + "6574683000" + "000000",  // IFLA_IFNAME eth0
            "0a00" + "0100" + "0242ac110002" + "0000",  // IFLA_ADDRESS
            "0800" + "0400" + "dc050000",  // IFLA_MTU 1500
        ].joined()
        let linkBytes = try #require(Hex.decode(link))
        let parsed = try #require(Link(parsing: linkBytes[...]))
        #expect(parsed.name == "eth0")
        #expect(parsed.index == 2)
        #expect(parsed.mtu == 1500)
        #expect(parsed.isUp && parsed.hasCarrier && parsed.isEthernet && !parsed.isLoopback)
        #expect(Hex.encode(parsed.hardwareAddress) == "0242ac110002")
        let address = [
            "02" + "18" + "80" + "00" + "02000000",  // ifaddrmsg: AF_INET, /24, permanent, link 2
            "0800" + "0100" + "0a000001",  // IFA_ADDRESS: the other end of a point-to-point link
            "0800" + "0200" + "0a000005",  // IFA_LOCAL
        ].joined()
        let addressBytes = try #require(Hex.decode(address))
        let own = try #require(InterfaceAddress(parsing: addressBytes[...]))
        #expect("\(own)" == "10.0.0.5/24")
        #expect(own.link == 2)
    }

    @Test
    func `Cut and random answers never trap`() {
        var generator = SeededGenerator(seed: 21)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...120, using: &generator)
            var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if count > 4 { bytes.replaceSubrange(0..<4, with: [UInt8(count), 0, 0, 0]) }
            for answer in NetlinkAnswer.split(bytes[...]) { _ = InterfaceAddress(parsing: answer.body) }
            _ = Link(parsing: bytes[...])
            _ = InterfaceAddress(parsing: bytes[...])
        }
    }
}

@Suite
struct AnnouncementTests {
    private static let hardware: [UInt8] = [0x02, 0x42, 0xAC, 0x11, 0x00, 0x02]

    @Test
    func `An IPv4 address is announced by an ARP request and an ARP reply, both broadcast`() throws {
        let frames = Announcement.frames(for: try #require(IPAddress("10.0.0.100")), hardwareAddress: Self.hardware)
        let padding = String(repeating: "00", count: 18)
        let request = [
            "ffffffffffff" + "0242ac110002" + "0806",  // Ethernet: broadcast, from us, ARP
            "0001" + "0800" + "06" + "04" + "0001",  // Ethernet, IPv4, request
            "0242ac110002" + "0a000064",  // sender: us, the virtual IP
            "000000000000" + "0a000064",  // target: nobody, the virtual IP
        ].joined()
        let reply = [
            "ffffffffffff" + "0242ac110002" + "0806",  // Ethernet: broadcast, from us, ARP
            "0001" + "0800" + "06" + "04" + "0002",  // Ethernet, IPv4, reply
            "0242ac110002" + "0a000064",  // sender: us, the virtual IP
            "ffffffffffff" + "0a000064",  // target: all, the virtual IP
        ].joined()
        #expect(frames.map { Hex.encode($0.bytes) } == [request + padding, reply + padding])
    }

    @Test
    func `An IPv6 address is announced by a neighbour advertisement to all nodes with the override flag`() throws {
        let frames = Announcement.frames(for: try #require(IPAddress("2001:db8::64")), hardwareAddress: Self.hardware)
        let golden = [
            "333300000001" + "0242ac110002" + "86dd",  // Ethernet: multicast of ff02::1, from us, IPv6
            "60000000" + "0020" + "3a" + "ff",  // IPv6: 32 bytes of ICMPv6, hop limit 255
            "20010db8000000000000000000000064",  // from the virtual IP
            "ff020000000000000000000000000001",  // to all nodes
            "88" + "00" + "4c10" + "20000000",  // neighbour advertisement, checksum, override
            "20010db8000000000000000000000064",  // target
            "02" + "01" + "0242ac110002",  // option: our hardware address
        ].joined()
        #expect(frames.map { Hex.encode($0.bytes) } == [golden])
    }
}
