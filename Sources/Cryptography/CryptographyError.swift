/// A failure of libcrypto, or a caller that asked for what no algorithm here does.
public enum CryptographyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A box was forged, damaged, or sealed under another key, nonce or additional data.
    case notAuthentic
    /// A key, nonce or output has a size that the algorithm does not take.
    case invalidSize
    /// libcrypto refused a call that cannot fail unless memory or the library itself is broken.
    case library(StaticName)

    /// The name of a call, fixed in the source.
    public struct StaticName: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
        /// The text form.
        public let description: String
        /// Only literals name calls.
        public init(stringLiteral value: StaticString) { description = "\(value)" }
    }

    /// The text form.
    public var description: String {
        switch self {
        case .notAuthentic: "not authentic"
        case .invalidSize: "invalid size of a key, nonce or output"
        case .library(let name): "libcrypto: \(name) failed"
        }
    }
}
