/// What a name in the configuration may be: 1 to 64 letters, digits, `.`, `_` and `-`, starting with a letter or digit.
///
/// The set is the one that is safe in file names, environment variables' values, cookies and Pacemaker ids alike.
public enum NameRule {
    /// The longest name.
    public static let longest = 64

    /// Why a text is no name, or nil when it is one.
    public static func violation(_ text: String) -> String? {
        if text.isEmpty { return "a name is empty" }
        if text.utf8.count > longest { return "\"\(text.prefix(20))…\" is longer than \(longest) characters" }
        guard let first = text.utf8.first, isAlphanumeric(first) else {
            return "\"\(text)\" does not start with a letter or digit"
        }
        for byte in text.utf8 where !isAlphanumeric(byte) && !Array("._-".utf8).contains(byte) {
            return "\"\(text)\" holds a character other than letters, digits, \".\", \"_\" and \"-\""
        }
        return nil
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}

/// The name of a node, as operators write it; unique in the cluster.
public typealias NodeName = String

/// The name of a resource; unique among resources.
public typealias ResourceName = String
