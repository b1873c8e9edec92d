import Bytes
import ClusterModel
import Consensus

/// What consensus keeps beside vote, log and snapshot, as named facts of the store.
///
/// Each value begins with the version of its layout; a store that has none of them was written before voters were listed.
struct VoterFacts {
    private(set) var snapshotVoters: ListedVoters?
    private(set) var committedVoters: LogIndex = 0
    private(set) var deaths = DeathFacts()
    /// Whether the node was ever listed as it ran; says something only about one that joined later.
    private(set) var wasListed = false
    private(set) var branch: DurableBranch?

    private enum Name {
        static let snapshotVoters = "snapshot-voters"
        static let committedVoters = "committed-voters"
        static let deaths = "deaths"
        static let listed = "listed"
        static let branch = "branch"
    }

    private static let version: UInt8 = 1

    /// Reads them back; nil when one was written by another version.
    init?(_ facts: [String: [UInt8]]) {
        if let bytes = facts[Name.snapshotVoters] {
            snapshotVoters = Self.read(bytes) { (reader) throws(WireError) in try ListedVoters(parsing: &reader) }
            if snapshotVoters == nil { return nil }
        }
        if let bytes = facts[Name.committedVoters] {
            guard let index = Self.read(bytes, { (reader) throws(WireError) in try reader.readUInt64() }) else {
                return nil
            }
            committedVoters = index
        }
        if let bytes = facts[Name.deaths] {
            guard
                let known = Self.read(bytes, { (reader) throws(WireError) in try DeathFacts(parsing: &reader) })
            else { return nil }
            deaths = known
        }
        wasListed = facts[Name.listed] != nil
        if let bytes = facts[Name.branch] {
            branch = Self.read(bytes) { (reader) throws(WireError) in try DurableBranch(parsing: &reader) }
            if branch == nil { return nil }
        }
    }

    /// The facts that a batch of writes changes.
    static func facts(in writes: DurableWrites) -> [String: [UInt8]?] {
        var facts: [String: [UInt8]?] = [:]
        if let voters = writes.snapshot?.voters { facts[Name.snapshotVoters] = bytes { voters.encode(into: &$0) } }
        if let index = writes.committedVoters { facts[Name.committedVoters] = bytes { $0.write(index) } }
        if let deaths = writes.deaths { facts[Name.deaths] = bytes { deaths.encode(into: &$0) } }
        if let branch = writes.branch { facts[Name.branch] = bytes { branch.encode(into: &$0) } }
        if writes.endsNewcomer { facts[Name.listed] = bytes { _ in } }
        return facts
    }

    static func bytes(_ encode: (inout ByteWriter) -> Void) -> [UInt8] {
        var writer = ByteWriter(capacity: 64)
        writer.write(version)
        encode(&writer)
        return writer.bytes
    }

    static func read<Value>(
        _ bytes: [UInt8],
        _ parse: (inout ByteReader) throws(WireError) -> Value
    ) -> Value? {
        var reader = ByteReader(bytes.span.bytes)
        do throws(WireError) {
            guard try reader.readUInt8() == version else { return nil }
            let value = try parse(&reader)
            try reader.finish()
            return value
        } catch {
            return nil
        }
    }
}
