import CLinux
import ClusterModel
import Foundation
import LinuxIO
import Testing

/// Echo requests to this machine's loopback; needs root.
@Suite(.enabled(if: geteuid() == 0, "needs root for a raw socket"))
struct EchoSocketTests {
    /// An ICMPv6 echo request with two bytes of data; the kernel writes its checksum.
    private static let request6: [UInt8] = [128, 0, 0, 0, 0x12, 0x34, 0, 7, 0xCA, 0xFE]
    /// The same over IPv4: ~(0800 + 1234 + 0007 + CAFE).
    private static let request4: [UInt8] = [8, 0, 0x1A, 0xC6, 0x12, 0x34, 0, 7, 0xCA, 0xFE]

    private func answer(to address: String, _ request: [UInt8]) throws -> (bytes: [UInt8], from: IPAddress?) {
        let socket = try EchoSocket(to: try #require(IPAddress(address)))
        var buffer = [UInt8](repeating: 0, count: 256)
        let early = try socket.receive(into: &buffer)?.count
        #expect(early == nil)
        try socket.send(request)
        var poller = try Poller()
        try poller.add(socket.descriptor.number, .read, token: 9)
        var events: [Poller.Event] = []
        let now = Clock.monotonic()
        try poller.wait(until: now + .seconds(5), now: now, into: &events)
        #expect(events.map(\.token) == [9])
        let received = try socket.receive(into: &buffer)
        let (count, from) = try #require(received)
        // The request itself, which this machine got too, was kept away.
        let more = try socket.receive(into: &buffer)?.count
        #expect(more == nil)
        return (Array(buffer[..<count]), from.endpoint?.address)
    }

    @Test
    func `This machine answers over IPv4, with the header in front`() throws {
        let answer = try answer(to: "127.0.0.1", Self.request4)
        #expect(answer.bytes.count == 30 && answer.bytes[0] == 0x45)
        #expect(Array(answer.bytes[24...]) == [0x12, 0x34, 0, 7, 0xCA, 0xFE] && answer.bytes[20] == 0)
        #expect(answer.from == IPAddress("127.0.0.1"))
    }

    @Test
    func `This machine answers over IPv6, without a header`() throws {
        let answer = try answer(to: "::1", Self.request6)
        #expect(answer.bytes.count == 10 && answer.bytes[0] == 129)
        #expect(Array(answer.bytes[4...]) == Array(Self.request6[4...]))
        #expect(answer.from == IPAddress("::1"))
    }

    @Test
    func `An own address is known by the source`() throws {
        let source = try EchoSocket(to: try #require(IPAddress("127.0.0.5"))).source
        #expect(source != nil)
        let same = try EchoSocket(to: try #require(IPAddress("127.0.0.1"))).source
        #expect(same == IPAddress("127.0.0.1"))
    }
}
