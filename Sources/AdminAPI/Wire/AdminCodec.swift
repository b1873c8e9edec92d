import ClusterModel
public import FoundationEssentials

/// Requests and responses as JSON.
public enum AdminCodec {
    /// Secrets travel inside a request: it stays on the socket between the operator's command and the agent.
    public static func encode(_ request: AdminRequest) throws -> Data {
        let encoder = JSONEncoder()
        encoder.userInfo[Secret.reveal] = true
        return try encoder.encode(request)
    }

    /// Secrets never travel inside a response.
    public static func encode(_ response: AdminResponse) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return try encoder.encode(response)
    }

    /// Any part of a response for `--json`: indented, keys in order, secrets masked.
    public static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// Reads a request.
    public static func decodeRequest(_ data: Data) throws -> AdminRequest {
        try JSONDecoder().decode(AdminRequest.self, from: data)
    }

    /// Reads a response.
    public static func decodeResponse(_ data: Data) throws -> AdminResponse {
        try JSONDecoder().decode(AdminResponse.self, from: data)
    }
}
