import Bytes
import Cryptography
import Testing

@Suite
struct HashingTests {
    @Test
    func `SHA-256 of "abc" (FIPS 180-4 example)`() throws {
        let digest = try SHA256.digest(Array("abc".utf8))
        #expect(Hex.encode(digest) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    /// RFC 4231 §4.2, 4.3, 4.7.
    static let codes: [(key: [UInt8], message: [UInt8], code: String)] = [
        (
            [UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            [UInt8](repeating: 0xAA, count: 131),
            Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
    ]

    @Test(arguments: 0..<3)
    func `HMAC-SHA-256 (RFC 4231)`(index: Int) throws {
        let vector = Self.codes[index]
        let code = try HMACSHA256.code(of: vector.message, key: SecretBytes(vector.key))
        #expect(Hex.encode(code) == vector.code)
    }

    /// RFC 5869 appendices A.1 to A.3.
    static let derivations: [(input: [UInt8], salt: [UInt8], info: [UInt8], output: String)] = [
        (
            [UInt8](repeating: 0x0B, count: 22), Array(0x00...0x0C), Array(0xF0...0xF9),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        ),
        (
            Array(0x00...0x4F), Array(0x60...0xAF), Array(0xB0...0xFF),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
                + "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"
        ),
        (
            [UInt8](repeating: 0x0B, count: 22), [], [],
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
        ),
    ]

    @Test(arguments: 0..<3)
    func `HKDF-SHA-256 (RFC 5869)`(index: Int) throws {
        let vector = Self.derivations[index]
        let key = try HKDFSHA256.derive(
            from: SecretBytes(vector.input),
            salt: vector.salt,
            info: vector.info,
            count: vector.output.utf8.count / 2
        )
        #expect(Hex.encode(key.exposed()) == vector.output)
    }

    @Test
    func `A derivation of no bytes or of too many is refused`() {
        for count in [-1, 0, HKDFSHA256.longest + 1] {
            #expect(throws: CryptographyError.invalidSize) {
                _ = try HKDFSHA256.derive(from: SecretBytes([1]), salt: [], info: [], count: count)
            }
        }
    }

    @Test
    func `Comparison tells equal from different and from shorter`() {
        #expect(ConstantTime.equal([1, 2, 3], [1, 2, 3]))
        #expect(ConstantTime.equal([], []))
        #expect(!ConstantTime.equal([1, 2, 3], [1, 2, 4]))
        #expect(!ConstantTime.equal([1, 2, 3], [1, 2]))
    }

    @Test
    func `A secret shows its bytes only when asked, and random ones differ`() throws {
        let one = try SecretBytes.random(count: 32)
        let two = try SecretBytes.random(count: 32)
        #expect(one.exposed() != two.exposed())
        #expect("\(one)" == "****")
        var copy = one.exposed()
        SecretBytes.wipe(&copy)
        #expect(copy == [UInt8](repeating: 0, count: 32))
        #expect(one.exposed() != copy)
    }
}
