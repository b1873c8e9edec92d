import CLinux
import ClusterModel
import LinuxIO
import Testing

@testable import Netlink

/// A machine at the far end of the cable, made of nothing but frames: it asks by ARP and neighbour solicitation, and
/// pings.
///
/// After every question comes one that the node always answers, so that silence is known without waiting for it.
final class Neighbour {
    enum Question { case whoHas, ping }

    private let socket: Descriptor
    private let own: [UInt8]
    private let node: [UInt8]
    private static let own4: [UInt8] = [10, 9, 0, 77]
    private static let own6: [UInt8] = [0x20, 1, 0x0d, 0xb8, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x77]
    private static let constant4: [UInt8] = [10, 9, 0, 1]
    private static let constant6: [UInt8] = [0x20, 1, 0x0d, 0xb8, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]

    init() throws {
        var route = try RouteSocket()
        let links = try route.links()
        let two = try #require(links.first { $0.name == "two" })
        node = try #require(links.first { $0.name == "one" }).hardwareAddress
        own = two.hardwareAddress
        let all = UInt16(3).bigEndian
        let number = Int32(
            try SystemError.check("socket") { haven_socket(AF_PACKET, Int32(SOCK_RAW.rawValue), Int32(all)) }
        )
        socket = Descriptor(owning: number)
        var address = sockaddr_ll()
        address.sll_family = UInt16(AF_PACKET)
        address.sll_protocol = all
        address.sll_ifindex = Int32(two.index)
        try SystemError.check("bind") { haven_bind(number, &address, socklen_t(MemoryLayout<sockaddr_ll>.size)) }
    }

    /// Whether the node answers for an address of its own subnet.
    func isAnswered(_ question: Question, _ address: IPAddress) throws -> Bool {
        let constant = address.family == .v4 ? Self.constant4 : Self.constant6
        // The node has to know where answers go.
        send(frame(.whoHas, constant))
        send(frame(question, address.bytes))
        send(frame(question == .whoHas ? .ping : question, constant))
        var answered = false
        while true {
            try #require(haven_wait_readable(socket.number, 5000) == 1, "the node does not answer at all")
            guard let answer = receive() else { continue }
            if answer == (question, address.bytes) { answered = true }
            if answer == (.ping, constant) { return answered }
        }
    }

    /// Whether the node asks for an address within some seconds.
    func hearsQuestion(for address: IPAddress) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 2048)
        while haven_wait_readable(socket.number, 5000) == 1 {
            let count = haven_recv(socket.number, &buffer, buffer.count, 0)
            if count >= 42, buffer[12...13] == [8, 6], buffer[21] == 1, buffer[38..<42].elementsEqual(address.bytes) {
                return true
            }
        }
        return false
    }

    private func send(_ frame: [UInt8]) { _ = haven_send(socket.number, frame, frame.count, 0) }

    /// Whose answer came, and to what.
    private func receive() -> (Question, [UInt8])? {
        var frame = [UInt8](repeating: 0, count: 2048)
        let count = haven_recv(socket.number, &frame, frame.count, 0)
        guard count >= 42, frame[..<6].elementsEqual(own) else { return nil }
        switch (frame[12], frame[13]) {
        case (8, 6): return frame[21] == 2 ? (.whoHas, Array(frame[28..<32])) : nil
        case (8, 0): return frame[23] == 1 && frame[34] == 0 ? (.ping, Array(frame[26..<30])) : nil
        case (0x86, 0xdd):
            if frame[20] == 58, frame[54] == 136 { return (.whoHas, Array(frame[62..<78])) }
            return frame[20] == 58 && frame[54] == 129 ? (.ping, Array(frame[22..<38])) : nil
        default: return nil
        }
    }

    private func frame(_ question: Question, _ address: [UInt8]) -> [UInt8] {
        let header = (address.count == 4 && question == .whoHas ? [UInt8](repeating: 0xff, count: 6) : node) + own
        switch (question, address.count) {
        case (.whoHas, 4):
            return header + [8, 6, 0, 1, 8, 0, 6, 4, 0, 1] + own + Self.own4 + [0, 0, 0, 0, 0, 0] + address
        case (.ping, 4):
            let echo: [UInt8] = [8, 0, 0, 0, 0, 1, 0, 1]
            let ip = [0x45, 0, 0, 28, 0, 0, 0, 0, 64, 1, 0, 0] + Self.own4 + address
            return header + [8, 0] + Self.summed(ip, at: 10) + Self.summed(echo, at: 2)
        case (.whoHas, _): return header + packet([135, 0, 0, 0, 0, 0, 0, 0] + address + [1, 1] + own, to: address)
        default: return header + packet([128, 0, 0, 0, 0, 1, 0, 1], to: address)
        }
    }

    private func packet(_ message: [UInt8], to address: [UInt8]) -> [UInt8] {
        let pseudo = Self.own6 + address + [0, 0, 0, UInt8(message.count), 0, 0, 0, 58]
        let whole = Self.summed(pseudo + message, at: pseudo.count + 2)
        return [0x86, 0xdd, 0x60, 0, 0, 0, 0, UInt8(message.count), 58, 255] + Self.own6 + address
            + whole[pseudo.count...]
    }

    /// With the Internet checksum filled in.
    private static func summed(_ bytes: [UInt8], at place: Int) -> [UInt8] {
        var sum: UInt32 = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            sum += UInt32(bytes[index]) << 8 | UInt32(index + 1 < bytes.count ? bytes[index + 1] : 0)
        }
        while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
        var result = bytes
        result[place] = UInt8(~sum >> 8 & 0xff)
        result[place + 1] = UInt8(~sum & 0xff)
        return result
    }
}
