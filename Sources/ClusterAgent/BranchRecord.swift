import Bytes
import ClusterModel
import ClusterSetup
import Consensus
import Foundation
import LinuxIO
import Logging
import Store

/// How a node goes over to another history of the cluster: what must be known is written down before the agent ends, and
/// the next start puts the old log aside, so that a crash at any moment only repeats what was not done.
struct BranchRecord: Codable {
    /// The history, in hexadecimal.
    var branch: String
    /// The newest start in the old one.
    var former: Incarnation

    init(_ mark: BranchMark, former: Incarnation) {
        branch = Self.text(mark)
        self.former = former
    }

    /// A history as identities name it.
    static func text(_ mark: BranchMark) -> String { Hex.encode(VoterFacts.bytes { mark.encode(into: &$0) }) }

    /// Reads what `text` wrote; nil for anything else.
    static func mark(_ text: String) -> BranchMark? {
        Hex.decode(text).flatMap { bytes in
            VoterFacts.read(bytes) { (reader) throws(WireError) in try BranchMark(parsing: &reader) }
        }
    }

    func write(_ paths: AgentPaths) throws {
        try DurableFile.replace(paths.rejoin, content: Array(try WireJSON.encode(self)), mode: 0o600)
    }

    /// Goes over, if an earlier start decided so.
    ///
    /// The agent's lock is held.
    static func carryOut(_ paths: AgentPaths, log: Logger) throws {
        guard let data = FileManager.default.contents(atPath: paths.rejoin) else { return }
        let record = try WireJSON.decode(BranchRecord.self, from: Array(data))
        var identity = try Identity.load(paths.identity)
        let aside = paths.histories + "/\(record.former)"
        // Once the old store is there the one in its place is new.
        if !FileManager.default.fileExists(atPath: aside + "/state.db") {
            try FileManager.default.createDirectory(
                atPath: aside,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            for suffix in ["-wal", "-shm", ""] where FileManager.default.fileExists(atPath: paths.database + suffix) {
                try FileManager.default.moveItem(atPath: paths.database + suffix, toPath: aside + "/state.db" + suffix)
            }
            log.warning("the log of another history of this cluster is kept in \(aside)")
        }
        try forgetOldest(paths.histories)
        identity.isNewcomer = true
        identity.branch = record.branch
        identity.formerIncarnation = max(identity.formerIncarnation ?? 0, record.former)
        try DurableFile.replace(paths.identity, content: try identity.encoded(), mode: 0o600)
        if !FileManager.default.fileExists(atPath: paths.database) {
            _ = try DurableStore.create(in: StateDirectory(path: paths.state))
        }
        try DurableFile.remove(paths.rejoin)
    }

    /// How many old histories a node keeps.
    private static let mostHistories = 8

    private static func forgetOldest(_ directory: String) throws {
        let kept = try FileManager.default.contentsOfDirectory(atPath: directory).compactMap(Incarnation.init).sorted()
        for old in kept.dropLast(mostHistories) { try FileManager.default.removeItem(atPath: directory + "/\(old)") }
    }
}
