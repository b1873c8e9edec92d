import ClusterModel

/// A failover on purpose, measured.
enum FailoverTest {
    /// Whether it is there; what is not is left out of the help.
    static let isAvailable = false

    /// Checks first that it is safe (`AdminRequest.failoverCheck`), then moves, measures and moves back.
    static func run(node: NodeName?, _ session: Session) throws(CommandFailure) {
        throw CommandFailure(.failed, "haven failover test is not in this version yet")
    }
}
