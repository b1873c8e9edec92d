import Bytes
import ClusterModel
import Testing

@testable import TransportCore

@Suite
struct WireTests {
    static let header = DatagramHeader(
        kind: .message,
        sender: NodeID(1),
        receiver: NodeID(2),
        generation: 3,
        cluster: ClusterID(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C_0D0E_0F10),
        session: SessionID(high: 0x2122_2324_2526_2728, low: 0x292A_2B2C_2D2E_2F30),
        incarnation: 0x77,
        receiverSession: SessionID(high: 0x4142_4344_4546_4748, low: 0x494A_4B4C_4D4E_4F50),
        counter: 0x1_0000_0002
    )

    static let golden = [
        "04",  // version
        "05",  // kind: message
        "01",  // sender
        "02",  // receiver
        "00000003",  // generation of the secret
        "0102030405060708090a0b0c0d0e0f10",  // cluster
        "2122232425262728292a2b2c2d2e2f30",  // sender's session
        "0000000000000077",  // sender's incarnation
        "4142434445464748494a4b4c4d4e4f50",  // receiver's session
        "0000000100000002",  // counter
        "deadbeef",  // salt
    ].joined()

    @Test
    func `The clear header is these bytes`() throws {
        var header = Self.header
        header.salt = 0xDEAD_BEEF
        var writer = ByteWriter()
        header.encode(into: &writer)
        #expect(Hex.encode(writer.bytes) == Self.golden)
        #expect(writer.bytes.count == DatagramHeader.size)
        var reader = ByteReader(writer.bytes.span.bytes)
        #expect(try DatagramHeader(parsing: &reader) == header)
    }

    @Test
    func `A part's header is these bytes, and only fields that fit each other are read`() throws {
        let header = PartHeader(messageClass: .consensus, message: 9, index: 2, count: 3, total: 2500, size: 1200)
        var writer = ByteWriter()
        header.encode(into: &writer)
        // Class, message, index, count, total, bytes of a full part.
        #expect(Hex.encode(writer.bytes) == "01" + "00000009" + "0002" + "0003" + "000009c404b0")
        #expect(header.length == 100)
        var reader = ByteReader(writer.bytes.span.bytes)
        #expect(try PartHeader(parsing: &reader) == header)
        let wrong = [
            "00" + "00000009" + "0002" + "0003" + "000009c404b0",  // a heartbeat in parts
            "03" + "00000009" + "0002" + "0003" + "000009c404b0",  // no such class
            "01" + "00000009" + "0003" + "0003" + "000009c404b0",  // a part behind the last
            "01" + "00000009" + "0002" + "0004" + "000009c404b0",  // more parts than bytes need
            "01" + "00000009" + "0002" + "0003" + "000009c40000",  // empty parts
            "01" + "00000009" + "0002" + "0003" + "000009c4ffff",  // parts that no datagram carries
            "01" + "00000009" + "0000" + "0001" + "000004b004b0",  // one part
            "01" + "00000009" + "0002" + "0370" + "0010000104b0",  // longer than a message may be
        ]
        for text in wrong {
            let bytes = try #require(Hex.decode(text))
            #expect(throws: WireError.self, "\(text)") {
                var reader = ByteReader(bytes.span.bytes)
                _ = try PartHeader(parsing: &reader)
            }
        }
    }

    @Test
    func `Reports on links and probes are these bytes; impossible ones are refused`() throws {
        let report = LinkReport(sequence: 7, number: 6, echo: 5, held: 1000, received: 0b101)
        var writer = ByteWriter()
        report.encode(into: &writer)
        #expect(Hex.encode(writer.bytes) == "00000007" + "00000006" + "00000005" + "000003e8" + "0000000000000005")
        #expect(writer.bytes.count == LinkReport.size)
        var reader = ByteReader(writer.bytes.span.bytes)
        #expect(try LinkReport(parsing: &reader) == report)
        let probe = ProbeContent(round: 3, position: 2)
        writer = ByteWriter()
        probe.encode(into: &writer)
        #expect(Hex.encode(writer.bytes) == "00000003" + "02")
        reader = ByteReader(writer.bytes.span.bytes)
        #expect(try ProbeContent(parsing: &reader) == probe)
        for text in ["0000000300", "0000000308", "00000003"] {
            let bytes = try #require(Hex.decode(text))
            #expect(throws: WireError.self, "\(text)") {
                var reader = ByteReader(bytes.span.bytes)
                _ = try ProbeContent(parsing: &reader)
            }
        }
        let zero = try #require(Hex.decode("00000000" + "00000006" + "00000005" + "000003e8" + "0000000000000005"))
        #expect(throws: WireError.self) {
            var reader = ByteReader(zero.span.bytes)
            _ = try LinkReport(parsing: &reader)
        }
    }

    @Test
    func `Handshakes are all of one size, so that no answer is larger than its question`() throws {
        var writer = ByteWriter()
        let levels = try #require(LevelOffer(oldest: 2, newest: 3, cluster: 1))
        let content = HandshakeContent(
            challenge: .init(high: 1, low: 2),
            echo: .init(high: 3, low: 4),
            reason: 2,
            levels: levels
        )
        content.encode(into: &writer)
        #expect(writer.bytes.count == HandshakeContent.size)
        #expect(
            Hex.encode(writer.bytes) == "00000000000000010000000000000002" + "00000000000000030000000000000004"
                + "02020301"
        )
        var reader = ByteReader(writer.bytes.span.bytes)
        #expect(try HandshakeContent(parsing: &reader) == content)
    }

    @Test
    func `A handshake with levels that are no range is malformed`() throws {
        let start = String(repeating: "0", count: 66)
        for levels in ["000101", "020101", "010100", "0102", "01020101"] {
            let bytes = try #require(Hex.decode(start + levels))
            #expect(throws: WireError.self, "\(levels)") {
                var reader = ByteReader(bytes.span.bytes)
                _ = try HandshakeContent(parsing: &reader)
            }
        }
    }

    @Test
    func `Requests for missing parts come back as written; contradictions are refused`() throws {
        let content = MissingContent(messageClass: .general, message: 7, ranges: [0..<1, 5..<9])
        var writer = ByteWriter()
        content.encode(into: &writer)
        #expect(Hex.encode(writer.bytes) == "02" + "00000007" + "02" + "00000001" + "00050009")
        var reader = ByteReader(writer.bytes.span.bytes)
        #expect(try MissingContent(parsing: &reader) == content)
        for text in ["02000000070100050005", "0200000007010005ffff", "020000000701", "02000000070000"] {
            let bytes = try #require(Hex.decode(text))
            #expect(throws: WireError.self, "\(text)") {
                var reader = ByteReader(bytes.span.bytes)
                _ = try MissingContent(parsing: &reader)
            }
        }
    }

    @Test
    func `Join datagrams are told from others by their first bytes`() {
        #expect(DatagramKind.isJoining([4, 32], count: 2) == true)
        #expect(DatagramKind.isJoining([4, 5], count: 2) == false)
        #expect(DatagramKind.isJoining([4, 99], count: 2) == nil)
        #expect(DatagramKind.isJoining([3, 32], count: 2) == nil)
        #expect(DatagramKind.isJoining([4], count: 1) == nil)
    }

    @Test
    func `Random bytes never trap a reader`() {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...90, using: &generator)
            var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            // Half of them get past the version and kind.
            if count > 2, Bool.random(using: &generator) { bytes.replaceSubrange(0..<2, with: [4, 32]) }
            var reader = ByteReader(bytes.span.bytes)
            _ = try? DatagramHeader(parsing: &reader)
            reader = ByteReader(bytes.span.bytes)
            _ = try? HandshakeContent(parsing: &reader)
            reader = ByteReader(bytes.span.bytes)
            _ = try? PartHeader(parsing: &reader)
            reader = ByteReader(bytes.span.bytes)
            _ = try? MissingContent(parsing: &reader)
            reader = ByteReader(bytes.span.bytes)
            _ = try? LinkReport(parsing: &reader)
            reader = ByteReader(bytes.span.bytes)
            _ = try? ProbeContent(parsing: &reader)
            _ = try? JoinHeader(parsing: bytes.span.bytes)
            _ = try? JoinRequestContent(parsing: bytes.span.bytes)
            _ = try? JoinResponseContent(parsing: bytes.span.bytes)
        }
    }
}
