/// The Castagnoli checksum (RFC 3720 appendix B.4): finds damage, proves nothing about who wrote the bytes.
public enum CRC32C {
    private static let table: [UInt32] = (0..<256).map { index in
        var word = UInt32(index)
        for _ in 0..<8 { word = word & 1 == 1 ? word >> 1 ^ 0x82F6_3B78 : word >> 1 }
        return word
    }

    /// The checksum of the bytes; `seed` is the checksum of what came before them.
    public static func checksum(_ bytes: [UInt8], seed: UInt32 = 0) -> UInt32 {
        let table = Self.table
        var word = ~seed
        for byte in bytes { word = table[Int(UInt8(truncatingIfNeeded: word) ^ byte)] ^ word >> 8 }
        return ~word
    }
}
