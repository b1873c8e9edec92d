import ClusterModel
import NodeCore
import Recovery

/// One machine of a simulated cluster: its agent, and what really runs on it whether the agent knows it or not.
struct SimulatedHost: Sendable {
    /// Something that may be active on the machine, from the issue of its start to the end of its stop.
    struct Activity: Sendable {
        /// The start of the agent that started it.
        var incarnation: Incarnation
        /// The operation that started it.
        var startedBy: UInt64
    }

    let id: NodeID
    let clock: VirtualClock
    var disk = VirtualDisk()
    var isPowered = true
    /// nil while no agent runs.
    var core: NodeCore?
    /// The newest session of each peer that this start of the agent has learned.
    var sessions: [NodeID: Incarnation] = [:]
    /// Until when the agent is paused, and since when.
    var pause: (since: TrueTime, until: TrueTime)?
    /// The lease as the machine knows it: it outlives the agent that took it.
    var leaseWord: Instant?
    var wakeAt: TrueTime?
    var diskBusyUntil: TrueTime = 0
    var isDiskSlow = false
    /// What may be active; ends with the power, not with the agent.
    var active: [ResourceName: Activity] = [:]
    /// Operations under way.
    var operations: [UInt64: Operation] = [:]
    /// The configuration that the agent knew before its newest input.
    var knownBefore: ClusterConfiguration?
    /// What the observer has seen applied here.
    var applied: LogIndex = 0

    /// Whether the agent is there and runs.
    var isRunning: Bool { core != nil && pause == nil }

    /// Whether the machine's lease holds by its own clock.
    func holdsLease(at time: TrueTime) -> Bool {
        guard isPowered, let leaseWord else { return false }
        return leaseWord > clock.local(time)
    }

    static func session(_ node: NodeID, _ incarnation: Incarnation) -> SessionID {
        Random128(high: UInt64(node.rawValue), low: incarnation)
    }
}
