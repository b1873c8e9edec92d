import Bytes
import ClusterModel
import Testing

@testable import Arbiter

/// Echo requests and replies (RFC 792; RFC 4443 §4); checksums of the vectors were computed by another program.
@Suite
struct EchoTests {
    static let nonce = Random128(high: 0x0011_2233_4455_6677, low: 0x8899_AABB_CCDD_EEFF)
    static let v4 = IPAddress(bytes: [192, 0, 2, 1])
    static let v6 = IPAddress("2001:db8::1")

    /// Version 4, 20 bytes; length 44, identification 1c46, don't fragment, TTL 64, ICMP; from 192.0.2.1 to 10.0.0.1.
    static let header = "4500002c1c46400040015289c00002010a000001"
    /// Type 0, code 0, checksum; identifier 1234, sequence 7; 16 bytes of data.
    static let reply4 = "0000318112340007" + "00112233445566778899aabbccddeeff"
    /// Type 129, code 0, checksum over the pseudo-header; the same.
    static let reply6 = "810054b912340007" + "00112233445566778899aabbccddeeff"

    private static func probe(_ address: IPAddress?) throws -> EchoProbe {
        EchoProbe(address: try #require(address), identifier: 0x1234, sequence: 7, nonce: nonce)
    }

    private static func reply(_ hex: String, from source: IPAddress?) throws -> EchoReply {
        try EchoReply(parsing: try #require(Hex.decode(hex)), from: try #require(source))
    }

    @Test
    func `Questions are encoded as the standards say`() throws {
        let v4 = try Self.probe(Self.v4).message
        #expect(Hex.encode(v4) == "0800298112340007" + "00112233445566778899aabbccddeeff")
        // The kernel writes the checksum.
        let v6 = try Self.probe(Self.v6).message
        #expect(Hex.encode(v6) == "8000000012340007" + "00112233445566778899aabbccddeeff")
        #expect(v4.count == EchoReply.messageLength && v6.count == EchoReply.messageLength)
    }

    @Test
    func `An answer is one to this question, from whom was asked`() throws {
        let v4 = try Self.reply(Self.header + Self.reply4, from: Self.v4)
        #expect(try Self.probe(Self.v4).isAnswered(by: v4))
        let v6 = try Self.reply(Self.reply6, from: Self.v6)
        #expect(try Self.probe(Self.v6).isAnswered(by: v6))
        let right = try Self.probe(Self.v4)
        let other = try #require(IPAddress("192.0.2.2"))
        let wrong = [
            EchoProbe(address: other, identifier: 0x1234, sequence: 7, nonce: Self.nonce),
            EchoProbe(address: right.address, identifier: 0x1235, sequence: 7, nonce: Self.nonce),
            EchoProbe(address: right.address, identifier: 0x1234, sequence: 8, nonce: Self.nonce),
            EchoProbe(address: right.address, identifier: 0x1234, sequence: 7, nonce: Random128(high: 0, low: 0)),
        ]
        #expect(wrong.allSatisfy { !$0.isAnswered(by: v4) })
    }

    @Test
    func `Options in the header are skipped`() throws {
        // Router alert (RFC 2113), 4 bytes.
        let header = "460000301c4640004001bd80c00002010a00000194040000"
        #expect(try Self.probe(Self.v4).isAnswered(by: Self.reply(header + Self.reply4, from: Self.v4)))
    }

    /// Headers in front of an intact answer.
    static let brokenHeaders: [(hex: String, error: WireError)] = [
        ("6500002c1c46400040015289c00002010a000001", .invalid("version")),
        ("4400002c1c46400040015289c00002010a000001", .invalid("header length")),
        ("4500002b1c46400040015289c00002010a000001", .invalid("total length")),
        ("4500002c1c46200040015289c00002010a000001", .invalid("fragment")),
        ("4500002c1c46000140015289c00002010a000001", .invalid("fragment")),
        ("4500002c1c46400040115289c00002010a000001", .invalid("protocol")),
        ("4500002c1c46400040015289c00002020a000001", .invalid("source")),
        // It says that it is longer than all that came.
        ("4f00002c1c46400040015289c00002010a000001", .truncated),
    ]

    /// Messages behind an intact header, or one that gives their length.
    static let brokenMessages: [(length: String, hex: String, error: WireError)] = [
        ("2b", String(reply4.dropLast(2)), .truncated),
        ("2d", reply4 + "00", .trailing),
        ("14", "", .truncated),
        ("2c", "0000318212340007" + "00112233445566778899aabbccddeeff", .invalid("checksum")),
        // A request that came back, an unreachable host, and a code that there is not, with right checksums.
        ("2c", "0800298112340007" + "00112233445566778899aabbccddeeff", .invalid("type")),
        ("2c", "03012e8012340007" + "00112233445566778899aabbccddeeff", .invalid("type")),
        ("2c", "0001318012340007" + "00112233445566778899aabbccddeeff", .invalid("code")),
    ]

    @Test(arguments: brokenHeaders)
    func `A header that is not as it should be is refused`(hex: String, error: WireError) {
        #expect(throws: error) { try Self.reply(hex + Self.reply4, from: Self.v4) }
    }

    @Test(arguments: brokenMessages)
    func `What is no intact answer over IPv4 is refused`(length: String, hex: String, error: WireError) {
        let packet = Self.header.prefix(6) + length + Self.header.dropFirst(8) + hex
        #expect(throws: error) { try Self.reply(String(packet), from: Self.v4) }
    }

    static let broken6: [(hex: String, error: WireError)] = [
        ("", .truncated),
        ("810054b91234000700112233445566778899aabbccddee", .truncated),
        ("810054b91234000700112233445566778899aabbccddeeff00", .trailing),
        ("800054b91234000700112233445566778899aabbccddeeff", .invalid("type")),
        ("810154b91234000700112233445566778899aabbccddeeff", .invalid("code")),
        // A header of IPv4 in front.
        ("4500002c1c46400040015289c00002010a000001000031811234000700112233445566778899aabbccddeeff", .trailing),
    ]

    @Test(arguments: broken6)
    func `What is no answer over IPv6 is refused`(hex: String, error: WireError) {
        #expect(throws: error) { try Self.reply(hex, from: Self.v6) }
    }

    @Test(arguments: ["", "45", "4500002c1c4640004001"])
    func `A packet that ends in the header is refused`(hex: String) {
        #expect(throws: WireError.self) { try Self.reply(hex, from: Self.v4) }
    }

    @Test
    func `The checksum is that of RFC 1071`() {
        // The example of §3.
        #expect(InternetChecksum.of([0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7]) == ~0xDDF2)
        #expect(InternetChecksum.of([]) == 0xFFFF)
        // An odd byte counts as the high one of a word.
        #expect(InternetChecksum.of([0x12]) == ~0x1200)
        #expect(InternetChecksum.of([UInt8](repeating: 0xFF, count: 65_536)) == 0)
    }

    private func noise(_ count: Int, _ generator: inout SeededGenerator) -> [UInt8] {
        (0..<count).map { _ in .random(in: 0...255, using: &generator) }
    }

    @Test(arguments: 0..<8)
    func `Damaged packets are refused, or are what they were`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let sources = [Self.v4, Self.v6].compactMap(\.self)
        let whole = [Self.header + Self.reply4, Self.reply6].compactMap(Hex.decode)
        for _ in 0..<2000 {
            let at = Int.random(in: 0..<2, using: &generator)
            var bytes = whole[at]
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: bytes.removeLast(Int.random(in: 1...bytes.count, using: &generator))
            case 1: bytes += noise(Int.random(in: 1...70, using: &generator), &generator)
            case 2: bytes = noise(bytes.count, &generator)
            default:
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[place] ^= .random(in: 1...255, using: &generator)
            }
            guard let reply = try? EchoReply(parsing: bytes, from: sources[at]) else { continue }
            // Over IPv4 one damaged byte of the message never passes; over IPv6 the kernel has verified the checksum, and
            // a damaged number answers nothing.
            let probe = EchoProbe(address: sources[at], identifier: 0x1234, sequence: 7, nonce: Self.nonce)
            #expect(probe.isAnswered(by: reply) == (bytes.suffix(20) == whole[at].suffix(20)))
            if at == 0 { #expect(probe.isAnswered(by: reply)) }
        }
    }

    @Test(arguments: 0..<4)
    func `Every question is answered by its echo`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let probe = EchoProbe(
                address: try #require(Self.v6),
                identifier: .random(in: 0...UInt16.max, using: &generator),
                sequence: .random(in: 0...UInt16.max, using: &generator),
                nonce: Random128(high: generator.next(), low: generator.next())
            )
            let echo = [EchoType.reply6] + probe.message.dropFirst()
            #expect(probe.isAnswered(by: try EchoReply(parsing: echo, from: probe.address)))
        }
    }
}
