import ClusterModel
import ClusterSetup
import Dispatch
import LinuxIO
import Logging

/// Keeps the list of nodes in the identity file current, for commands that run while no agent does, and for the next
/// start: before the log is heard again, an agent knows its peers from it.
final class IdentityRecord {
    private var identity: Identity
    private let path: String
    private let log: Logger
    /// Files are written in order, and never on the core thread.
    private let writer = DispatchQueue(label: "haven-identity")

    init(_ identity: Identity, path: String, log: Logger) {
        self.identity = identity
        self.path = path
        self.log = log
    }

    /// These are the nodes now.
    func keep(_ nodes: [Node]) {
        // A newcomer does not find itself before it has heard of its own addition.
        guard nodes != identity.known, nodes.contains(where: { $0.id == identity.node }) else { return }
        identity.members = nodes
        let (newest, path, log) = (identity, path, log)
        writer.async {
            do {
                try DurableFile.replace(path, content: try newest.encoded(), mode: 0o600)
            } catch { log.error("\(path) cannot be brought up to date: \(error)") }
        }
    }
}
