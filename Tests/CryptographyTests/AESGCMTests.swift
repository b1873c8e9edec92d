import Bytes
import Cryptography
import Testing

@Suite
struct AESGCMTests {
    private static func bytes(_ hex: String) throws -> [UInt8] { try #require(Hex.decode(hex)) }

    /// Test cases 13 to 16 of the GCM specification (McGrew and Viega), which NIST SP 800-38D took over.
    static let vectors: [(key: String, nonce: (UInt64, UInt32), clear: String, text: String, sealed: String)] = [
        (String(repeating: "0", count: 64), (0, 0), "", "", "530f8afbc74536b9a963b4f1c4cb738b"),
        (
            String(repeating: "0", count: 64), (0, 0), "", "00000000000000000000000000000000",
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"
        ),
        (
            "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", (0xCAFE_BABE_FACE_DBAD, 0xDECA_F888),
            "",
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
                + "b16aedf5aa0de657ba637b391aafd255",
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
                + "c5f61e6393ba7a0abcc9f662898015adb094dac5d93471bdec1a502270e3cc6c"
        ),
        (
            "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", (0xCAFE_BABE_FACE_DBAD, 0xDECA_F888),
            "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
                + "b16aedf5aa0de657ba637b39",
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
                + "c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"
        ),
    ]

    @Test(arguments: 0..<4)
    func `Seals and opens as specified, twice with the same context`(index: Int) throws {
        let vector = Self.vectors[index]
        let clear = try Self.bytes(vector.clear)
        let text = try Self.bytes(vector.text)
        let cipher = try AESGCM(key: SecretBytes(Self.bytes(vector.key)))
        let nonce = AESGCM.Nonce(counter: vector.nonce.0, salt: vector.nonce.1)
        for _ in 0..<2 {
            var box = clear + text
            try cipher.seal(&box, clear: clear.count, nonce: nonce)
            #expect(Hex.encode(box) == vector.clear + vector.sealed)
            let opened = try cipher.open(&box, count: box.count, clear: clear.count, nonce: nonce)
            #expect(Array(box[opened]) == text)
        }
    }

    @Test
    func `Any flipped bit, other nonce, other key or shorter box is not authentic, and leaves no plaintext`() throws {
        let key = try SecretBytes.random(count: 32)
        let cipher = try AESGCM(key: key)
        let nonce = AESGCM.Nonce(counter: 7, salt: 9)
        var sealed: [UInt8] = Array("headSECRET".utf8)
        try cipher.seal(&sealed, clear: 4, nonce: nonce)
        for bit in 0..<(sealed.count * 8) {
            var forged = sealed
            forged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: CryptographyError.notAuthentic) {
                _ = try cipher.open(&forged, count: forged.count, clear: 4, nonce: nonce)
            }
            #expect(Array(forged[4..<10]) == [0, 0, 0, 0, 0, 0])
        }
        for count in 0..<sealed.count {
            var short = Array(sealed[..<count])
            #expect(throws: CryptographyError.notAuthentic) {
                _ = try cipher.open(&short, count: count, clear: 4, nonce: nonce)
            }
        }
        var copy = sealed
        #expect(throws: CryptographyError.notAuthentic) {
            _ = try cipher.open(&copy, count: copy.count, clear: 4, nonce: .init(counter: 8, salt: 9))
        }
        copy = sealed
        let other = try AESGCM(key: SecretBytes.random(count: 32))
        #expect(throws: CryptographyError.notAuthentic) {
            _ = try other.open(&copy, count: copy.count, clear: 4, nonce: nonce)
        }
        // The context works on after failures, also on a box at the start of a longer buffer.
        copy = sealed + [1, 2, 3]
        let range = try cipher.open(&copy, count: sealed.count, clear: 4, nonce: nonce)
        #expect(Array(copy[range]) == Array("SECRET".utf8))
    }

    @Test
    func `A key of another size is refused`() {
        #expect(throws: CryptographyError.invalidSize) { _ = try AESGCM(key: SecretBytes([1, 2, 3])) }
    }
}
