public import ClusterModel

/// Values of persistence cookies that are computed instead of configured: the same on every node that has the key, and
/// without it nobody can tell the server's address from them.
public enum DynamicCookie {
    /// The value of a server's cookie: 16 hexadecimal digits of SipHash-2-4 over its address and port.
    ///
    /// - Parameters:
    ///   - endpoint: The server's; hashed are the 4 or 16 bytes of its address and the two of its port, big-endian.
    ///   - key: 32 hexadecimal digits; anything else counts as zero, so that the values are at least the same everywhere.
    /// - Returns: The digits, in lower case.
    public static func value(of endpoint: Endpoint, key: String) -> String {
        let message = endpoint.address.bytes + [UInt8(endpoint.port >> 8), UInt8(truncatingIfNeeded: endpoint.port)]
        let number = Random128(key)
        let hash = SipHash.hash(message, key: (number?.high ?? 0, number?.low ?? 0))
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// SipHash-2-4, a keyed hash of 64 bits (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012).
enum SipHash {
    static func hash(_ message: [UInt8], key: (UInt64, UInt64)) -> UInt64 {
        var state = State(key)
        var word: UInt64 = 0
        for (index, byte) in message.enumerated() {
            word |= UInt64(byte) << UInt64(8 * (index % 8))
            if index % 8 == 7 {
                state.absorb(word)
                word = 0
            }
        }
        // The last word ends with the length of the message.
        state.absorb(word | UInt64(message.count & 255) << 56)
        return state.finish()
    }

    private struct State {
        private var words: (UInt64, UInt64, UInt64, UInt64)

        init(_ key: (UInt64, UInt64)) {
            words = (
                key.0 ^ 0x736F_6D65_7073_6575, key.1 ^ 0x646F_7261_6E64_6F6D,
                key.0 ^ 0x6C79_6765_6E65_7261, key.1 ^ 0x7465_6462_7974_6573
            )
        }

        mutating func absorb(_ word: UInt64) {
            words.3 ^= word
            round()
            round()
            words.0 ^= word
        }

        mutating func finish() -> UInt64 {
            words.2 ^= 0xFF
            for _ in 0..<4 { round() }
            return words.0 ^ words.1 ^ words.2 ^ words.3
        }

        private mutating func round() {
            words.0 = words.0 &+ words.1
            words.1 = Self.rotated(words.1, 13) ^ words.0
            words.0 = Self.rotated(words.0, 32)
            words.2 = words.2 &+ words.3
            words.3 = Self.rotated(words.3, 16) ^ words.2
            words.0 = words.0 &+ words.3
            words.3 = Self.rotated(words.3, 21) ^ words.0
            words.2 = words.2 &+ words.1
            words.1 = Self.rotated(words.1, 17) ^ words.2
            words.2 = Self.rotated(words.2, 32)
        }

        private static func rotated(_ word: UInt64, _ bits: UInt64) -> UInt64 { word << bits | word >> (64 - bits) }
    }
}
