import ClusterModel
import Testing

@testable import Netlink

@Suite
struct InterfaceChoiceTests {
    private static func link(_ index: UInt32, _ name: String, flags: UInt32 = 0x1_0043) -> Link {
        Link(index: index, name: name, flags: flags, hardwareType: 1, hardwareAddress: [2, 0, 0, 0, 0, 1], mtu: 1500)
    }

    private static let links = [
        link(1, "lo", flags: 0x1_0049),
        link(2, "eth0"),
        link(3, "eth1"),
        link(4, "down", flags: 0x1002),
    ]

    private static func addresses() throws -> [InterfaceAddress] {
        let table: [(String, UInt8, UInt32)] = [
            ("127.0.0.1", 8, 1), ("10.0.0.5", 24, 2), ("10.0.5.5", 16, 3), ("10.0.0.9", 30, 4),
            ("2001:db8::5", 64, 3), ("10.0.0.77", 32, 3),
        ]
        return try table.map { InterfaceAddress(try #require(IPAddress($0.0)), prefix: $0.1, link: $0.2) }
    }

    private static func find(_ text: String, prefix: Int? = nil, named: String? = nil) throws -> String {
        let found = try InterfaceChoice.find(
            try #require(IPAddress(text)),
            prefix: prefix,
            named: named,
            links: links,
            addresses: addresses()
        )
        #expect(found.address.link == found.link.index)
        return "\(found.address) \(found.link.name)"
    }

    @Test(
        arguments: [
            ("10.0.0.100", nil, nil, "10.0.0.100/24 eth0"),
            ("10.0.9.100", nil, nil, "10.0.9.100/16 eth1"),
            ("10.0.0.100", 16, nil, "10.0.0.100/16 eth1"),
            ("10.0.0.100", 32, nil, "10.0.0.100/32 eth0"),
            ("10.0.0.8", nil, nil, "10.0.0.8/24 eth0"),
            ("10.0.0.77", nil, nil, "10.0.0.77/24 eth0"),
            ("2001:db8::64", nil, nil, "2001:db8::64/64 eth1"),
            ("10.0.0.100", nil, "eth1", "10.0.0.100/16 eth1"),
            ("192.0.2.1", nil, "eth0", "192.0.2.1/32 eth0"),
            ("192.0.2.1", 24, "eth0", "192.0.2.1/24 eth0"),
            ("10.0.0.8", nil, "down", "10.0.0.8/30 down"),
        ] as [(String, Int?, String?, String)]
    )
    func `Finds interface and prefix length`(text: String, prefix: Int?, name: String?, expected: String) throws {
        #expect(try Self.find(text, prefix: prefix, named: name) == expected)
    }

    @Test
    func `Says why there is no place`() throws {
        let foreign = try #require(IPAddress("192.0.2.1"))
        #expect(throws: InterfaceChoice.Failure.noSubnet(foreign)) { try Self.find("192.0.2.1") }
        #expect(throws: InterfaceChoice.Failure.noSuchInterface("eth9")) { try Self.find("10.0.0.1", named: "eth9") }
        #expect(throws: InterfaceChoice.Failure.invalidPrefix(33)) { try Self.find("10.0.0.1", prefix: 33) }
        #expect(throws: InterfaceChoice.Failure.self, "loopback is no place") { try Self.find("127.0.0.2") }
    }
}
