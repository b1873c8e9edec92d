import ClusterModel
public import Foundation

/// JSON for what stays between agents and in their files: secrets are written out, keys are sorted, so that equal values
/// have equal bytes on every node.
public enum WireJSON {
    /// Writes a value.
    public static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.userInfo[Secret.reveal] = true
        return try encoder.encode(value)
    }

    /// Reads a value.
    public static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
        try JSONDecoder().decode(type, from: Data(bytes))
    }
}
