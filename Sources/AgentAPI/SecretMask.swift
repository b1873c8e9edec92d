public import ClusterModel

/// Makes an agent's words fit for logs and errors: secrets become `****`, and only the last lines are kept.
public struct SecretMask: Sendable {
    private let secrets: [[UInt8]]

    /// The longest text that is kept, in bytes: enough for a sentence of an agent.
    public static let longest = 400
    /// How many lines are kept.
    public static let mostLines = 3

    /// Masks the secrets of a device, and parameters that look like secrets by their name.
    public init(_ device: FenceDevice) {
        let named = device.parameters.filter { Self.soundsSecret($0.key) }.map(\.value)
        self.init(device.secrets.values.map(\.exposed) + named)
    }

    /// Masks these texts; longer ones first, so that one that contains another is masked as a whole.
    public init(_ texts: [String]) {
        secrets = texts.filter { !$0.isEmpty }.map { Array($0.utf8) }.sorted { $0.count > $1.count }
    }

    /// Whether a parameter of that name holds a secret.
    public static func soundsSecret(_ name: String) -> Bool {
        let name = name.lowercased()
        return ["passw", "secret", "token", "api_key", "apikey", "hexadecimal_kg"].contains { name.contains($0) }
    }

    /// Replaces every secret.
    public func mask(_ bytes: [UInt8]) -> [UInt8] {
        guard !secrets.isEmpty else { return bytes }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if let secret = secrets.first(where: { bytes[index...].starts(with: $0) }) {
                result += Array("****".utf8)
                index += secret.count
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return result
    }

    /// The last lines of what an agent wrote that say something, masked, in one line.
    public func summary(_ errorOutput: [UInt8]) -> String {
        let lines = mask(errorOutput).split { $0 == 10 || $0 == 13 }
            .filter { line in line.contains { $0 > 0x20 } }
        let text = lines.suffix(Self.mostLines).map { Self.printable($0) }.joined(separator: "; ")
        return text.utf8.count <= Self.longest
            ? text : "…" + String(decoding: text.utf8.suffix(Self.longest), as: UTF8.self)
    }

    private static func printable(_ line: ArraySlice<UInt8>) -> String {
        let clean = line.map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }
        let start = clean.firstIndex { $0 != 0x20 } ?? clean.startIndex
        return String(decoding: clean[start...], as: UTF8.self)
    }
}
