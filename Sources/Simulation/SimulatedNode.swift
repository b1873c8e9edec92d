import ClusterModel
import Consensus

/// One machine with its agent.
struct SimulatedNode<App: SimulatedApplication> {
    /// One start of the agent; a class, because a core is large to copy.
    final class Agent {
        var core: ConsensusCore
        var application: App
        /// The newest session of each peer that this start has learned.
        var sessions: [NodeID: Incarnation] = [:]

        init(core: ConsensusCore, application: App) {
            self.core = core
            self.application = application
        }
    }

    let id: NodeID
    let clock: VirtualClock
    var disk = VirtualDisk()
    /// nil while powered off.
    var machine: App.Machine?
    /// nil while no agent runs.
    var agent: Agent?
    /// Until when the agent is paused, and since when.
    var pause: (since: TrueTime, until: TrueTime)?
    /// The lease as the machine knows it: it outlives the agent that took it.
    var leaseWord: Instant?
    /// When the earliest scheduled wake-up comes.
    var wakeAt: TrueTime?
    /// When the disk will be done with everything that waits.
    var diskBusyUntil: TrueTime = 0
    var isDiskSlow = false

    func holdsLease(at time: TrueTime) -> Bool {
        guard machine != nil, let word = leaseWord else { return false }
        return word > clock.local(time)
    }

    func inspection(at time: TrueTime) -> NodeInspection<App> {
        NodeInspection(
            id: id,
            machine: machine,
            application: agent?.application,
            core: agent?.core,
            now: clock.local(time),
            holdsLease: holdsLease(at: time),
            isPaused: pause != nil
        )
    }
}
