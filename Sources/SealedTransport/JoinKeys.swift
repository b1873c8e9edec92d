internal import Bytes
internal import ClusterModel
internal import Cryptography
internal import TransportCore

/// The keys of one attempt to join, derived from its token.
struct JoinKeys {
    let requests: AESGCM
    let responses: AESGCM

    init(secret: SecretBytes, attempt: Random128) throws(CryptographyError) {
        requests = try AESGCM(key: Self.derive(secret, "haven join request 1", attempt))
        responses = try AESGCM(key: Self.derive(secret, "haven join response 1", attempt))
    }

    /// The public name of a token.
    static func name(of secret: SecretBytes) throws(CryptographyError) -> Random128 {
        let info = Array("haven join token 1".utf8)
        let bytes = try HKDFSHA256.derive(from: secret, salt: [], info: info, count: 16).exposed()
        func word(_ range: Range<Int>) -> UInt64 { bytes[range].reduce(0) { $0 << 8 | UInt64($1) } }
        return Random128(high: word(0..<8), low: word(8..<16))
    }

    private static func derive(
        _ secret: SecretBytes,
        _ purpose: String,
        _ attempt: Random128
    ) throws(CryptographyError) -> SecretBytes {
        var info = ByteWriter()
        info.write(purpose.utf8)
        info.write(attempt.high)
        info.write(attempt.low)
        return try HKDFSHA256.derive(from: secret, salt: [], info: info.bytes, count: AESGCM.keySize)
    }
}

extension AESGCM {
    /// A whole join datagram.
    func sealed(_ header: JoinHeader, _ encode: (inout ByteWriter) -> Void) throws(CryptographyError) -> [UInt8] {
        var writer = ByteWriter(capacity: TransportLimit.datagram)
        header.encode(into: &writer)
        encode(&writer)
        var bytes = writer.bytes
        try seal(&bytes, clear: JoinHeader.size, nonce: Nonce(counter: header.counter, salt: header.salt))
        return bytes
    }

    /// Opens a join datagram in place.
    func opened(_ header: JoinHeader, _ buffer: inout [UInt8], count: Int) throws(CryptographyError) -> Range<Int> {
        let nonce = Nonce(counter: header.counter, salt: header.salt)
        return try open(&buffer, count: count, clear: JoinHeader.size, nonce: nonce)
    }
}
