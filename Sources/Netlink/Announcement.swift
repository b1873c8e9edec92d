public import ClusterModel

/// The frames that tell a network who answers for an address now.
public enum Announcement {
    /// A whole Ethernet frame.
    public struct Frame: Hashable, Sendable {
        /// Header and content, padded to the shortest frame.
        public let bytes: [UInt8]

        /// The protocol number of the Ethernet header.
        var etherType: UInt16 { UInt16(bytes[12]) << 8 | UInt16(bytes[13]) }
        /// The first six bytes.
        var destination: ArraySlice<UInt8> { bytes[..<6] }
    }

    /// The shortest Ethernet frame without its checksum.
    private static let shortest = 60
    private static let broadcast = [UInt8](repeating: 0xFF, count: 6)

    /// The frames that announce an address: for IPv4 an ARP request and an ARP reply, because some switches and hosts
    /// learn from one form only; for IPv6 an unsolicited neighbour advertisement.
    public static func frames(for address: IPAddress, hardwareAddress: [UInt8]) -> [Frame] {
        switch address.family {
        case .v4:
            [
                arp(operation: 1, address: address, hardwareAddress: hardwareAddress),
                arp(operation: 2, address: address, hardwareAddress: hardwareAddress),
            ]
        case .v6: [neighbourAdvertisement(address: address, hardwareAddress: hardwareAddress)]
        }
    }

    /// A gratuitous ARP packet (RFC 826, RFC 5227 §3), broadcast: sender and target protocol address are the same.
    static func arp(operation: UInt8, address: IPAddress, hardwareAddress: [UInt8]) -> Frame {
        var bytes = broadcast + hardwareAddress + [0x08, 0x06]
        bytes += [0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, operation]
        bytes += hardwareAddress + address.bytes
        // RFC 5227 leaves the target hardware address of a request empty; replies carry the broadcast address.
        bytes += (operation == 1 ? [UInt8](repeating: 0, count: 6) : broadcast) + address.bytes
        return padded(bytes)
    }

    /// An unsolicited neighbour advertisement (RFC 4861 §4.4, §7.2.6) to all nodes, with the override flag.
    static func neighbourAdvertisement(address: IPAddress, hardwareAddress: [UInt8]) -> Frame {
        let allNodes: [UInt8] = [0xFF, 0x02] + [UInt8](repeating: 0, count: 13) + [0x01]
        var message: [UInt8] = [136, 0, 0, 0, 0x20, 0, 0, 0]
        message += address.bytes
        message += [2, 1] + hardwareAddress
        let sum = checksum(source: address.bytes, destination: allNodes, message: message)
        message[2] = UInt8(sum >> 8)
        message[3] = UInt8(sum & 0xFF)
        var bytes: [UInt8] = [0x33, 0x33, 0, 0, 0, 1] + hardwareAddress + [0x86, 0xDD]
        // Version 6; payload length; ICMPv6; hop limit 255, without which receivers drop it.
        bytes += [0x60, 0, 0, 0, 0, UInt8(message.count), 58, 255]
        bytes += address.bytes + allNodes + message
        return padded(bytes)
    }

    /// The Internet checksum over pseudo-header and message (RFC 8200 §8.1).
    private static func checksum(source: [UInt8], destination: [UInt8], message: [UInt8]) -> UInt16 {
        let all = source + destination + [0, 0, 0, UInt8(message.count), 0, 0, 0, 58] + message
        var sum: UInt32 = 0
        for index in stride(from: 0, to: all.count, by: 2) {
            let low = index + 1 < all.count ? all[index + 1] : 0
            sum += UInt32(all[index]) << 8 | UInt32(low)
        }
        while sum > 0xFFFF { sum = sum & 0xFFFF + sum >> 16 }
        return ~UInt16(sum)
    }

    private static func padded(_ bytes: [UInt8]) -> Frame {
        Frame(bytes: bytes + [UInt8](repeating: 0, count: max(0, shortest - bytes.count)))
    }
}
