/// Everything that a simulated cluster can be made to suffer, and what operators do to it meanwhile.
///
/// Schedules, shrinking and reports take the kinds from `allCases`; a new one needs a case here and what it does in
/// `ClusterSimulator+Injection`, `+Operators` or `+Membership`.
public enum FaultKind: String, CaseIterable, Hashable, Sendable {
    // The network.

    /// Datagrams are lost, `amount` of a thousand.
    case drop
    /// Datagrams come late, `amount` of a thousand, up to 300 ms.
    case delay
    /// Datagrams come twice, `amount` of a thousand.
    case duplicate
    /// Datagrams take up to `amount` milliseconds, so that they overtake each other.
    case reorder
    /// `node` reaches `other` no more, and still hears it.
    case oneWayCut = "one-way-cut"
    /// `node` and `other` do not reach each other; both reach the rest.
    case partialPartition = "partial-partition"
    /// The nodes of the bits of `amount` and the others do not reach each other.
    case fullPartition = "full-partition"
    /// Directions are cut one after the other in an order drawn from `amount`, and come back in another.
    case swizzle
    /// The link between `node` and `other` goes down and up, `amount` times.
    case flap
    /// All links work again.
    case heal

    // Processes and machines.

    /// The agent does not run for a while.
    case pause
    /// The agent is killed and is started again after a while.
    case killAgent = "kill-agent"
    /// The agent is killed and comes back at once.
    case restart
    /// The machine loses power and has it back after a while.
    case powerOff = "power-off"
    /// The machine is switched on and its agent started, if they are not.
    case powerOn = "power-on"

    // Disks.

    /// The agent dies when it next writes, before anything of it is on the disk.
    case crashBeforeWrite = "crash-before-write"
    /// The agent dies when its next write is on the disk, before it knows.
    case crashAfterWrite = "crash-after-write"
    /// Power is lost while writes are on their way: some of them are on the disk, and nobody was told.
    case tornWrite = "torn-write"
    /// The disk is `amount` times slower.
    case slowDisk = "slow-disk"
    /// The disk takes no writes.
    case fullDisk = "full-disk"

    // Clocks.

    /// The clock runs `amount` parts per million too fast or, below zero, too slow; at most by 10%.
    case clockRate = "clock-rate"
    /// The wall clock is set, by `amount` seconds.
    case wallClockJump = "wall-clock-jump"

    // Power controllers.

    /// The node's controller takes `amount` times longer.
    case bmcSlow = "bmc-slow"
    /// The node's controller does not answer, or fails.
    case bmcFails = "bmc-fails"
    /// The node's controller says off, and cuts the power `amount` milliseconds later, or never if that is 0.
    case bmcLies = "bmc-lies"
    /// The node's controller switches the power of `other`.
    case bmcMiswired = "bmc-miswired"
    /// The machine loses power and its controller with it, for a while.
    case bmcSharesPower = "bmc-shares-power"

    // What runs resources.

    /// Operations on the node hang until their time-out, `amount` of a thousand.
    case agentHangs = "agent-hangs"
    /// Starts fail on the node, `amount` of a thousand.
    case failsToStart = "fails-to-start"
    /// Stops and kills of processes fail on the node, `amount` of a thousand.
    case failsToStop = "fails-to-stop"
    /// Monitors on the node say the contrary of what is, `amount` of a thousand.
    case monitorLies = "monitor-lies"
    /// A process ends by itself.
    case processDies = "process-dies"

    // Operators.

    /// Something is configured: a number in the environment of a process, the stickiness, or a colocation.
    case configure
    /// The node is put into standby, or back.
    case standby
    /// A resource is moved to the node.
    case move
    /// A resource is disabled, or enabled.
    case disable
    /// The cluster, the node or a resource is left to the operator, or taken back.
    case maintenance
    /// Failures of a resource are forgotten.
    case cleanup
    /// The node is told to leave the cluster; its agent is started again after a while.
    case leave

    // Operators who change what the cluster is made of.

    /// A machine is added as a node, and its agent started.
    case addNode = "node-add"
    /// The node is told to leave, and taken out of the configuration for ever.
    case removeNode = "node-remove"
    /// The machine loses its power and its disk, and joins again with an empty one.
    case loseDisk = "lose-disk"
    /// The node becomes a member, a witness or a satellite.
    case nodeRole = "node-role"
    /// All machines but this one lose power, and it is told to go on alone; they come back later.
    case unblock
    /// All nodes are told to stop, and started again after a while.
    case stopAll = "stop-all"
    /// The machine loses power, and somebody says so before it has it back.
    case confirmOff = "confirm-off"

    // What does not belong to the cluster.

    /// The arbiter does not answer the node, or, if `amount` is even, nobody.
    case arbiterSilent = "arbiter-silent"

    // Operators who install another version.

    /// The machine's agent ends and comes back as the other version: the newer one, or now and then the older one.
    case upgrade

    /// Changes who votes, or makes histories part.
    public var changesMembership: Bool {
        switch self {
        case .addNode, .removeNode, .loseDisk, .nodeRole, .unblock, .stopAll, .confirmOff: true
        default: false
        }
    }

    /// Breaks the assumption that a controller says the truth and switches the machine that it is said to switch; see
    /// `ClusterObserver` for which checks are waived for it, and where.
    public var breaksPowerControl: Bool { self == .bmcLies || self == .bmcMiswired }
}
