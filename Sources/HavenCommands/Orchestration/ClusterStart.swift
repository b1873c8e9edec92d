/// Starting agents.
enum ClusterStart {
    /// Whether it is there; what is not is left out of the help.
    static let isAvailable = false

    /// Starts the agent of this node, or of all over the remote shell (empty: ssh).
    static func run(everyNode: Bool, remoteShell: [String], _ session: Session) throws(CommandFailure) {
        throw CommandFailure(.failed, "haven cluster start is not in this version yet")
    }
}
