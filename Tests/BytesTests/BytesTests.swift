import Bytes
import Testing

@Suite
struct BytesTests {
    @Test
    func `Fields come back as they were written, big-endian`() throws {
        var writer = ByteWriter()
        writer.write(UInt8(1))
        writer.write(UInt16(0x0203))
        writer.write(UInt32(0x0405_0607))
        writer.write(UInt64(0x0809_0A0B_0C0D_0E0F))
        writer.writeCounted([0xFF, 0xFE])
        #expect(Hex.encode(writer.bytes) == "0102030405060708090a0b0c0d0e0f00000002fffe")
        var reader = ByteReader(writer.bytes.span.bytes)
        #expect(try reader.readUInt8() == 1)
        #expect(try reader.readUInt16() == 0x0203)
        #expect(try reader.readUInt32() == 0x0405_0607)
        #expect(try reader.readUInt64() == 0x0809_0A0B_0C0D_0E0F)
        #expect(try reader.readCounted(limit: 2) == [0xFF, 0xFE])
        try reader.finish()
    }

    @Test(arguments: 0..<8)
    func `Short input is truncated, never read past its end`(count: Int) {
        let bytes = [UInt8](repeating: 7, count: count)
        #expect(throws: WireError.truncated) {
            var reader = ByteReader(bytes.span.bytes)
            _ = try reader.readUInt64()
        }
    }

    @Test
    func `A count above its limit and bytes left over are refused`() {
        let bytes: [UInt8] = [0, 0, 0, 3, 1, 2, 3, 4]
        #expect(throws: WireError.invalid("length")) {
            var reader = ByteReader(bytes.span.bytes)
            _ = try reader.readCounted(limit: 2)
        }
        #expect(throws: WireError.trailing) {
            var reader = ByteReader(bytes.span.bytes)
            _ = try reader.readCounted(limit: 3)
            try reader.finish()
        }
    }

    @Test
    func `Hex reads both cases and refuses odd or foreign text`() {
        #expect(Hex.decode("00fFA5") == [0, 255, 0xA5])
        #expect(Hex.decode("0") == nil)
        #expect(Hex.decode("0g") == nil)
    }

    @Test
    func `CRC-32C of the examples of RFC 3720 appendix B.4, also in two pieces`() {
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.checksum(Array(0...31)) == 0x46DD_794E)
        #expect(CRC32C.checksum(Array(16...31), seed: CRC32C.checksum(Array(0...15))) == 0x46DD_794E)
    }
}
