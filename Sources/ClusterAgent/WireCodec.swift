import ClusterModel
import ClusterSetup
import Cryptography
import NodeCore

/// Log entries and snapshots as JSON with sorted keys: readable in a store, tolerant of fields that a later version adds.
enum WireCodec {
    static let codec = CommandCodec(
        encodeCommand: { encode($0) },
        decodeCommand: { try? WireJSON.decode(Command.self, from: $0) },
        encodeState: { encode($0) },
        decodeState: { try? WireJSON.decode(ClusterState.self, from: $0) },
        digest: digest
    )

    /// The first eight bytes of SHA-256 over version, configuration and generations of the secret.
    @Sendable
    static func digest(_ state: ClusterState) -> UInt64 {
        // Without SHA-256 there is no sealing either, so that an agent that got here has it.
        let hash = (try? SHA256.digest(encode(state.version) + encode(state.configuration) + keys(state))) ?? []
        return hash.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Generations count, so that a leader sees who has them; clusters that never rotated have the digest they had.
    private static func keys(_ state: ClusterState) -> [UInt8] {
        state.keys.map { encode([$0.newest, $0.current, $0.retired]) } ?? []
    }

    private static func encode(_ value: some Encodable) -> [UInt8] {
        do {
            return Array(try WireJSON.encode(value))
        } catch {
            // Every one of these types is made of strings, integers and collections of them, which JSON always takes.
            preconditionFailure("a value of the cluster's own cannot be written: \(error)")
        }
    }
}
