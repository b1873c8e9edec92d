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

    /// The first eight bytes of SHA-256 over version and configuration.
    @Sendable
    static func digest(_ state: ClusterState) -> UInt64 {
        // Without SHA-256 there is no sealing either, so that an agent that got here has it.
        let hash = (try? SHA256.digest(encode(state.version) + encode(state.configuration))) ?? []
        return hash.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
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
