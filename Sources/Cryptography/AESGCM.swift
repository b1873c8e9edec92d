internal import COpenSSL
import Synchronization

/// AES-256-GCM (NIST SP 800-38D) under one key, with contexts that are set up once and used for every datagram.
///
/// A (key, nonce) pair must never seal twice: the caller counts. Sealing and opening work in place in the caller's
/// buffer and allocate nothing. Callable from any thread; uses of one direction exclude each other.
public final class AESGCM: Sendable {
    /// Bytes of a key.
    public static let keySize = 32
    /// Bytes of a nonce.
    public static let nonceSize = 12
    /// Bytes that sealing adds.
    public static let tagSize = 16

    /// 96 bits that never repeat under one key.
    public struct Nonce: Hashable, Sendable {
        /// The first eight bytes, big-endian.
        public let counter: UInt64
        /// The last four bytes, big-endian.
        public let salt: UInt32

        /// Joins both parts.
        public init(counter: UInt64, salt: UInt32) {
            self.counter = counter
            self.salt = salt
        }

        fileprivate var bytes: [12 of UInt8] {
            let counter = counter
            let salt = salt
            return [12 of UInt8] { index in
                index < 8
                    ? UInt8(truncatingIfNeeded: counter >> UInt64(56 - 8 * index))
                    : UInt8(truncatingIfNeeded: salt >> UInt32(88 - 8 * index))
            }
        }
    }

    private let sealer: Mutex<Context>
    private let opener: Mutex<Context>

    /// Sets both directions up for a key of `keySize` bytes.
    public init(key: SecretBytes) throws(CryptographyError) {
        guard key.count == Self.keySize else { throw .invalidSize }
        sealer = Mutex(try Context(key: key, sealing: true))
        opener = Mutex(try Context(key: key, sealing: false))
    }

    /// Encrypts everything behind the first `clear` bytes in place, authenticates all, and appends the tag.
    public func seal(_ bytes: inout [UInt8], clear: Int, nonce: Nonce) throws(CryptographyError) {
        guard clear >= 0, clear <= bytes.count else { throw .invalidSize }
        let body = bytes.count - clear
        for _ in 0..<Self.tagSize { bytes.append(0) }
        try sealer.withLock { (context) throws(CryptographyError) in
            try context.run(&bytes, clear: clear, body: body, nonce: nonce.bytes)
        }
    }

    /// Checks the tag at the end of the first `count` bytes and decrypts what lies between it and the clear part.
    ///
    /// - Parameters:
    ///   - bytes: A buffer that may be longer than its datagram.
    ///   - count: Bytes of the datagram.
    ///   - clear: Bytes at its start that are authenticated only.
    ///   - nonce: The nonce that sealed it.
    /// - Returns: Where the opened bytes stand in the buffer.
    /// - Throws: `notAuthentic`; the sealed part of the buffer is then zeroed.
    public func open(
        _ bytes: inout [UInt8],
        count: Int,
        clear: Int,
        nonce: Nonce
    ) throws(CryptographyError) -> Range<Int> {
        guard clear >= 0, count <= bytes.count, count >= clear + Self.tagSize else { throw .notAuthentic }
        let body = count - clear - Self.tagSize
        try opener.withLock { (context) throws(CryptographyError) in
            try context.run(&bytes, clear: clear, body: body, nonce: nonce.bytes)
        }
        return clear..<(clear + body)
    }

    /// One direction of a key.
    private struct Context: ~Copyable, Sendable {
        // SAFETY: owned by this value alone, used only under the lock around it.
        private nonisolated(unsafe) let raw: OpaquePointer
        private let sealing: Bool

        init(key: SecretBytes, sealing: Bool) throws(CryptographyError) {
            guard let raw = EVP_CIPHER_CTX_new() else { throw .library("EVP_CIPHER_CTX_new") }
            let done = key.withUnsafeBytes { key in
                EVP_CipherInit_ex(
                    raw,
                    EVP_aes_256_gcm(),
                    nil,
                    key.bindMemory(to: UInt8.self).baseAddress,
                    nil,
                    sealing ? 1 : 0
                )
            }
            guard done == 1 else {
                EVP_CIPHER_CTX_free(raw)
                throw .library("EVP_CipherInit_ex")
            }
            self.raw = raw
            self.sealing = sealing
        }

        deinit { EVP_CIPHER_CTX_free(raw) }

        mutating func run(
            _ bytes: inout [UInt8],
            clear: Int,
            body: Int,
            nonce: [12 of UInt8]
        ) throws(CryptographyError) {
            let raw = raw
            let sealing = sealing
            let failure: CryptographyError? = bytes.withUnsafeMutableBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return .invalidSize }
                let begun = nonce.span.withUnsafeBufferPointer {
                    EVP_CipherInit_ex(raw, nil, nil, nil, $0.baseAddress, sealing ? 1 : 0)
                }
                guard begun == 1 else { return .library("EVP_CipherInit_ex") }
                let text = base + clear
                let tag = text + body
                var written: Int32 = 0
                if !sealing, haven_gcm_set_tag(raw, tag) != 1 { return .library("EVP_CTRL_GCM_SET_TAG") }
                guard clear == 0 || EVP_CipherUpdate(raw, nil, &written, base, Int32(clear)) == 1,
                    body == 0 || EVP_CipherUpdate(raw, text, &written, text, Int32(body)) == 1
                else { return .library("EVP_CipherUpdate") }
                guard EVP_CipherFinal_ex(raw, tag, &written) == 1 else {
                    // Unauthenticated plaintext must not be left where a careless caller might read it.
                    OPENSSL_cleanse(text, body)
                    return .notAuthentic
                }
                if sealing, haven_gcm_get_tag(raw, tag) != 1 { return .library("EVP_CTRL_GCM_GET_TAG") }
                return nil
            }
            if let failure { throw failure }
        }
    }
}
