/// What the tour does to the cluster, in this order.
public enum StepName: String, CaseIterable, Codable, Sendable {
    /// The active node is put into standby, and back.
    case standby
    /// The process that runs on one node is killed.
    case processDeath = "process-death"
    /// The active node, which is also the leader, loses its power.
    case powerOff = "power-off"
    /// That node comes back.
    case `return`
    /// The active node's cables are pulled.
    case linkDown = "link-down"
    /// The active node's agent and proxy are stopped where they are, as if their machine hung.
    case hang

    /// What is told when it begins.
    var title: String {
        switch self {
        case .standby: "planned standby of the active node"
        case .processDeath: "death of the process"
        case .powerOff: "power-off of the active node, which is also the leader"
        case .return: "return of the node"
        case .linkDown: "the cables of the active node are pulled"
        case .hang: "agent and proxy of the active node stop where they are"
        }
    }
}
