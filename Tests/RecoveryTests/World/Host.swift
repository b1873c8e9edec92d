import ClusterModel
import Recovery

/// A machine: its agent's executor and what really runs on it.
final class Host {
    let id: NodeID
    var incarnation: Incarnation = 0
    var session = Random128(high: 0, low: 0)
    var executor: NodeExecutor?
    /// Resources that may really be active, from the issue of a start to the end of a stop.
    var active: Set<ResourceName> = []
    var operations: [UInt64: Operation] = [:]
    /// The start operations of what runs.
    var startedBy: [ResourceName: UInt64] = [:]
    var leaseUntil: Instant?
    var isPowered = false
    var isConnected = true
    /// While its agent does not run at all, what happened to it meanwhile waits here.
    var stalled: [(World) -> Void]?
    /// When this host last heard each host, and what that one said of itself then.
    var heard: [NodeID: Heard] = [:]
    var tickAt: Instant?
    /// The newest term from which a lease came.
    var leaseTerm: Term = 0

    struct Heard {
        var at: Instant
        var incarnation: Incarnation
        var session: SessionID
        var holdsLease: Bool
    }

    init(_ id: NodeID) { self.id = id }
}

/// A leader, present or deposed.
final class Leader {
    var core: RecoveryCore
    let host: NodeID
    let term: Term
    var denied: Set<NodeID> = []
    /// Nil while it leads; afterwards when its lease is over at the latest.
    var deposedUntil: Instant?
    var tickAt: Instant?
    var lost: Set<NodeID> = []

    init(core: RecoveryCore, host: NodeID, term: Term) {
        self.core = core
        self.host = host
        self.term = term
    }
}

/// What goes wrong by itself, in per mille.
struct Faults {
    var lost = 0
    var doubled = 0
    var longestDelay: Int64 = 1
    /// How late the second copy of a message may be.
    var latestCopy: Int64 = 1
    /// How often a node is cut off just when orders are sent to it.
    var cutsAtOrders = 0
    var failedStarts = 0
    var failedMonitors = 0
    var failedStops = 0
    var failedFences = 0
}
