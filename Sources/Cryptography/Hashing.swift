internal import COpenSSL

/// SHA-256 (FIPS 180-4).
public enum SHA256 {
    /// Bytes of a digest.
    public static let size = 32

    /// The digest of one message.
    public static func digest(_ bytes: some Sequence<UInt8>) throws(CryptographyError) -> [UInt8] {
        let input = Array(bytes)
        var output = [UInt8](repeating: 0, count: size)
        guard EVP_Digest(input, input.count, &output, nil, EVP_sha256(), nil) == 1 else { throw .library("EVP_Digest") }
        return output
    }
}

/// HMAC with SHA-256 (RFC 2104).
public enum HMACSHA256 {
    /// Bytes of a code.
    public static let size = 32

    /// The code of one message.
    public static func code(of message: [UInt8], key: SecretBytes) throws(CryptographyError) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: size)
        var written: UInt32 = 0
        let result = key.withUnsafeBytes { key in
            HMAC(EVP_sha256(), key.baseAddress, Int32(key.count), message, message.count, &output, &written)
        }
        guard result != nil, written == UInt32(size) else { throw .library("HMAC") }
        return output
    }
}

/// HKDF with SHA-256 (RFC 5869).
public enum HKDFSHA256 {
    /// The most bytes that one derivation gives (255 blocks).
    public static let longest = 255 * HMACSHA256.size

    /// Derives key material.
    ///
    /// - Parameters:
    ///   - input: The secret that everything rests on.
    ///   - salt: Public; empty means a block of zeros.
    ///   - info: Binds the result to its purpose.
    ///   - count: Bytes wanted, 1 to `longest`.
    /// - Returns: The derived key.
    /// - Throws: `invalidSize` for a count out of range.
    public static func derive(
        from input: SecretBytes,
        salt: [UInt8],
        info: [UInt8],
        count: Int
    ) throws(CryptographyError) -> SecretBytes {
        guard (1...longest).contains(count) else { throw .invalidSize }
        let saltKey = SecretBytes(salt.isEmpty ? [UInt8](repeating: 0, count: HMACSHA256.size) : salt)
        var message = input.exposed()
        defer { SecretBytes.wipe(&message) }
        var extracted = try HMACSHA256.code(of: message, key: saltKey)
        defer { SecretBytes.wipe(&extracted) }
        return try expand(SecretBytes(extracted), info: info, count: count)
    }

    private static func expand(
        _ key: SecretBytes,
        info: [UInt8],
        count: Int
    ) throws(CryptographyError) -> SecretBytes {
        var output: [UInt8] = []
        output.reserveCapacity(count + HMACSHA256.size)
        defer { SecretBytes.wipe(&output) }
        var block: [UInt8] = []
        defer { SecretBytes.wipe(&block) }
        var number: UInt8 = 1
        while output.count < count {
            block = try HMACSHA256.code(of: block + info + [number], key: key)
            output += block
            number &+= 1
        }
        return SecretBytes(output[..<count])
    }
}
