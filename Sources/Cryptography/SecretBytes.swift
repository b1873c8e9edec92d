internal import COpenSSL

/// Key material that is overwritten with zeros when its last owner goes, and that shows itself to nobody.
public final class SecretBytes: Sendable, CustomStringConvertible {
    // SAFETY: filled in init, only read afterwards, freed in deinit.
    private nonisolated(unsafe) let storage: UnsafeMutableRawBufferPointer

    /// Copies the bytes; the caller's copy is the caller's to wipe.
    public init(_ bytes: some Collection<UInt8>) {
        storage = .allocate(byteCount: bytes.count, alignment: 8)
        storage.copyBytes(from: bytes)
    }

    /// Lets `fill` write `count` bytes in place, so that no other copy exists.
    public init(count: Int, filledBy fill: (UnsafeMutableRawBufferPointer) throws -> Void) rethrows {
        storage = .allocate(byteCount: count, alignment: 8)
        storage.initializeMemory(as: UInt8.self, repeating: 0)
        try fill(storage)
    }

    deinit {
        OPENSSL_cleanse(storage.baseAddress, storage.count)
        storage.deallocate()
    }

    /// Fresh random bytes from libcrypto's private generator.
    public static func random(count: Int) throws(CryptographyError) -> SecretBytes {
        var done: Int32 = 0
        let secret = SecretBytes(count: count) { buffer in
            done = RAND_priv_bytes(buffer.bindMemory(to: UInt8.self).baseAddress, Int32(buffer.count))
        }
        guard done == 1 else { throw .library("RAND_priv_bytes") }
        return secret
    }

    /// How many bytes.
    public var count: Int { storage.count }

    /// Lends the bytes.
    public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(storage))
    }

    /// A copy for a file or a sealed message that may hold secrets; `wipe` it after use.
    public func exposed() -> [UInt8] { Array(storage) }

    /// Overwrites an array with zeros in a way that the optimiser keeps.
    public static func wipe(_ bytes: inout [UInt8]) {
        bytes.withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) }
    }

    /// Never the bytes.
    public var description: String { "****" }
}

/// Comparison whose time does not depend on where the inputs differ.
public enum ConstantTime {
    /// Whether both hold the same bytes; different counts are told apart at once, since lengths are no secret.
    public static func equal(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
        let left = Array(left)
        let right = Array(right)
        guard left.count == right.count else { return false }
        return left.isEmpty || CRYPTO_memcmp(left, right, left.count) == 0
    }
}
