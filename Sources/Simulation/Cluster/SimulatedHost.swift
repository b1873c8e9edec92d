import ClusterModel
import Consensus
import NodeCore
import Recovery

/// One machine of a simulated cluster: its agent, and what really runs on it whether the agent knows it or not.
///
/// A class, because a value of this size would be copied and counted at every look at it.
final class SimulatedHost {
    /// One start of the agent.
    final class Agent {
        var core: NodeCore
        /// The newest session of each peer that this start has learned, by number of the node.
        var sessions: [Incarnation]
        /// Nodes whose fence is ordered, by what the core has applied.
        private(set) var orderedFences = NodeSet()

        init(_ core: NodeCore, nodes: Int) {
            self.core = core
            sessions = [Incarnation](repeating: 0, count: nodes + 1)
            noteFences()
        }

        /// The core's state is another.
        func noteFences() {
            orderedFences = NodeSet()
            for (node, fence) in core.state.fences where fence.outcome == .ordered { orderedFences.insert(node) }
        }
    }

    /// Something that may be active on the machine, from the issue of its start to the end of its stop.
    struct Activity: Sendable {
        /// The start of the agent that started it.
        var incarnation: Incarnation
        /// The operation that started it.
        var startedBy: UInt64
        /// The history whose nodes know of it.
        var history: Int
    }

    let id: NodeID
    var clock: VirtualClock
    /// How far the wall clock is off, in milliseconds.
    var wallClockError: Int64 = 0
    var disk = VirtualDisk()
    /// What was on the disk that the machine lost last.
    var lostDisk: VirtualDisk?
    /// The highest number that any start of the agent ever had; whoever let the machine join again may not have known it.
    var newestStart: Incarnation = 0
    /// Whether an earlier start had the number of this one.
    var isRepeated = false
    var isPowered = true
    /// nil while no agent runs.
    var agent: Agent?
    /// Until when the agent is paused, and since when.
    var pause: (since: TrueTime, until: TrueTime)?
    /// The lease as the machine knows it: it outlives the agent that took it.
    var leaseWord: Instant?
    var wakeAt: TrueTime?
    /// What may be active; ends with the power, not with the agent.
    var active: [ResourceName: Activity] = [:]
    /// Whether the agent was told to leave.
    var isLeaving = false
    /// Operations under way.
    var operations: [UInt64: Operation] = [:]
    /// When its agent woke last, and how often at that moment.
    var wokenAt: TrueTime = -1
    var wakesAtOnce = 0
    /// How often anything was started or stopped here.
    var moves = 0
    /// The configuration that the agent knew before its newest input.
    var known: ClusterConfiguration?
    var knownVersion: ConfigurationVersion = 0
    /// Whether it is set up as a node of the cluster; no agent starts on another.
    var isMember: Bool
    /// Whether it ever was.
    var wasMember: Bool
    /// The nodes of the cluster as far as it knew last; none while they are those of the beginning.
    var contacts: [NodeID] = []
    /// Whether `contacts` is what the agent has applied.
    var keepsContacts = false
    /// The history that it is in, by the observer's count.
    var history = 0
    /// What the observer has seen applied here.
    var applied: LogIndex = 0

    /// When the arbiter was last asked and answered.
    var arbiterAskedAt: TrueTime = 0
    /// Whether an operator has told this start of the agent to go on alone.
    var isToldToGoOn = false

    /// The newest level of the protocol that the version speaks which is installed.
    var level: UInt8
    /// The newest level that it ever spoke.
    var newestLevel: UInt8
    /// Whether its agent has ended because the cluster is above its level, and does not start until it is upgraded.
    var isTooOld = false

    // What is wrong with the machine.

    /// Nobody switches it on, not even its controller.
    var isHeldDown = false

    var diskBusyUntil: TrueTime = 0
    var slowness = Slowness()
    /// Until when the disk takes no writes, and whether the agent was told.
    var diskFullUntil: TrueTime = 0
    var knowsDiskFull = false
    /// What the next write ends in.
    var crash: (point: CrashPoint, downFor: TrueTime)?
    var controller = Controller()
    /// When the last power-off that was asked for is read as done: nobody switches the machine on before.
    var isFencedUntil: TrueTime = 0
    var runner = Runner()
    /// A controller said that the machine was off while this start of its agent ran: for it and earlier ones nothing
    /// holds that rests on the controller's word.
    ///
    /// 0 for none; ends with the power.
    var falselyDead: Incarnation = 0

    /// A disk that takes so many times longer, until then.
    struct Slowness: Sendable {
        var factor: Int64 = 1
        var until: TrueTime = 0
    }

    /// Where in a write the agent or the machine dies.
    enum CrashPoint: Sendable {
        case before
        case after
        case within
    }

    /// What is wrong with the power controller, and until when.
    struct Controller: Sendable {
        var slowUntil: TrueTime = 0
        var slowness: Int64 = 1
        var failsUntil: TrueTime = 0
        var liesUntil: TrueTime = 0
        /// How long after its word the power goes; 0 for never.
        var lateness: TrueTime = 0
        var miswiredUntil: TrueTime = 0
        var wiredTo: Int?
    }

    /// How often the agents of resources fail, in thousandths, and until when.
    struct Runner: Sendable {
        struct Rate: Sendable {
            var perMille = 0
            var until: TrueTime = 0
        }

        var hangs = Rate()
        var failedStarts = Rate()
        var failedStops = Rate()
        var lies = Rate()
    }

    init(id: NodeID, clock: VirtualClock, isMember: Bool, level: UInt8) {
        self.id = id
        self.clock = clock
        self.isMember = isMember
        wasMember = isMember
        self.level = level
        newestLevel = level
    }

    /// Whether an entry is on the disk, or was when the machine lost it: what it had acknowledged before may be counted
    /// still.
    func holds(index: LogIndex, term: Term) -> Bool {
        disk.holds(index: index, term: term) || lostDisk?.holds(index: index, term: term) == true
    }

    /// Whether the agent is there and runs.
    var isRunning: Bool { agent != nil && pause == nil }

    /// Whether the machine's lease holds by its own clock.
    func holdsLease(at time: TrueTime) -> Bool {
        guard isPowered, let leaseWord else { return false }
        return leaseWord > clock.local(time)
    }

    /// Whether what the lease covers may go on: for a little longer than the lease itself.
    func holdsLease(at time: TrueTime, lateness: Duration) -> Bool {
        guard isPowered, let leaseWord else { return false }
        return leaseWord + lateness > clock.local(time)
    }

    static func session(_ node: NodeID, _ incarnation: Incarnation) -> SessionID {
        Random128(high: UInt64(node.rawValue), low: incarnation)
    }
}
