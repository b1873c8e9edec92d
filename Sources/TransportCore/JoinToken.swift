internal import Bytes
public import ClusterModel

/// What lets one machine join: a secret, where to ask, and which cluster it is; one line of text for a pipe.
///
/// Who holds it within its fifteen minutes can become a member. It shows itself only through `text`.
public struct JoinToken: Hashable, Sendable, CustomStringConvertible {
    /// 256 random bits.
    public let secret: [UInt8]
    /// Addresses of the agent that issued it, the best first.
    public let endpoints: [Endpoint]
    /// The cluster's name, for messages.
    public let clusterName: String

    /// Bytes of the secret.
    public static let secretSize = 32
    /// The most addresses.
    public static let endpointLimit = 8
    private static let prefix = "haven-join-1:"
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// Joins the parts; nil for a secret of another size, no or too many addresses, or a name longer than 64 bytes.
    public init?(secret: [UInt8], endpoints: [Endpoint], clusterName: String) {
        guard secret.count == Self.secretSize, (1...Self.endpointLimit).contains(endpoints.count),
            clusterName.utf8.count <= NameRule.longest
        else { return nil }
        self.secret = secret
        self.endpoints = endpoints
        self.clusterName = clusterName
    }

    /// Never the secret.
    public var description: String { "join token of \(clusterName)" }

    /// The token itself: to be handed over on standard input, never on a command line.
    public var text: String {
        var writer = ByteWriter()
        writer.write(secret)
        writer.write(UInt8(endpoints.count))
        for endpoint in endpoints {
            writer.write(UInt8(endpoint.address.bytes.count))
            writer.write(endpoint.address.bytes)
            writer.write(endpoint.port)
        }
        writer.write(clusterName.utf8)
        writer.write(CRC32C.checksum(writer.bytes))
        return Self.prefix + Self.encode(writer.bytes)
    }

    /// Reads a token, with white space around it; nil for a text that is cut or mistyped.
    public init?(text: String) {
        let trimmed = text.drop { $0.isWhitespace }.prefix { !$0.isWhitespace }
        guard trimmed.hasPrefix(Self.prefix), let bytes = Self.decode(trimmed.dropFirst(Self.prefix.count)),
            bytes.count > Self.secretSize + 4
        else { return nil }
        let sum = bytes.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let body = Array(bytes.dropLast(4))
        guard CRC32C.checksum(body) == sum, let token = try? Self.parse(body) else { return nil }
        self = token
    }

    private static func parse(_ body: [UInt8]) throws(WireError) -> JoinToken {
        var reader = unsafe ByteReader(body.span.bytes)
        let secret = try reader.readBytes(secretSize)
        var endpoints: [Endpoint] = []
        for _ in 0..<(try reader.readUInt8()) {
            let count = Int(try reader.readUInt8())
            guard let address = IPAddress(bytes: try reader.readBytes(count)) else { throw .invalid("address") }
            endpoints.append(Endpoint(address: address, port: try reader.readUInt16()))
        }
        let name = try reader.readBytes(reader.remaining)
        guard let name = String(validating: name, as: UTF8.self),
            let token = JoinToken(secret: secret, endpoints: endpoints, clusterName: name)
        else { throw .invalid("name") }
        return token
    }

    /// RFC 4648 §5, without padding.
    private static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 6 {
                count -= 6
                text.append(alphabet[Int(bits >> UInt32(count) & 63)])
            }
        }
        if count > 0 { text.append(alphabet[Int(bits << UInt32(6 - count) & 63)]) }
        return String(decoding: text, as: UTF8.self)
    }

    private static func decode(_ text: Substring) -> [UInt8]? {
        // No token is longer; a pipe may bring anything.
        guard text.utf8.count <= 1024 else { return nil }
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for digit in text.utf8 {
            guard let value = alphabet.firstIndex(of: digit) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bytes
    }
}
