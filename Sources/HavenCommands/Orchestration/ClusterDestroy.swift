/// Forgetting a cluster.
enum ClusterDestroy {
    /// Whether it is there; what is not is left out of the help.
    static let isAvailable = false

    /// Stops the agent and removes its files, here or everywhere over the remote shell (empty: ssh).
    static func run(everyNode: Bool, remoteShell: [String], _ session: Session) throws(CommandFailure) {
        throw CommandFailure(.failed, "haven cluster destroy is not in this version yet")
    }
}
