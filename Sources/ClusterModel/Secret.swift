/// A password or key that shows itself only to code that asks for it by name.
///
/// Its description is `****`. It encodes as `****` too, unless the encoder carries `Secret.reveal`, which only
/// the replicated log and the link to the node's own runner do.
public struct Secret: Hashable, Codable, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The secret itself; never to be logged, put on a command line or into an error.
    public let exposed: String

    /// Wraps a secret.
    public init(_ exposed: String) { self.exposed = exposed }

    /// What stands in the place of a secret that was not to be shown; coming back, it means "the one that is stored".
    public static let masked = Secret("****")

    /// `****`.
    public var description: String { "****" }
    /// `****`.
    public var debugDescription: String { "****" }

    /// Set to `true` in the `userInfo` of an encoder whose output stays in files and channels that may hold secrets.
    public static let reveal: CodingUserInfoKey = {
        guard let key = CodingUserInfoKey(rawValue: "haven.secret.reveal") else { preconditionFailure("literal key") }
        return key
    }()

    /// Decodes the text.
    public init(from decoder: any Decoder) throws { exposed = try decoder.singleValueContainer().decode(String.self) }

    /// Encodes the text, or `****`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(encoder.userInfo[Self.reveal] as? Bool == true ? exposed : description)
    }
}
