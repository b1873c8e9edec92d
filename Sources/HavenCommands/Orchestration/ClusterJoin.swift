import ClusterModel

/// Making this machine a node of a running cluster.
enum ClusterJoin {
    /// Whether it is there; what is not is left out of the help.
    static let isAvailable = false

    /// Joins with the token; the agent's files are written before the agent is started.
    static func run(token: String, name: NodeName?, start: Bool, _ session: Session) throws(CommandFailure) {
        throw CommandFailure(.failed, "haven cluster join is not in this version yet")
    }
}
