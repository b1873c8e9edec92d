public import ClusterModel

/// Where a runner keeps things, and whose node it works for.
public struct RunnerSettings: Sendable {
    /// This node's name, which agents are told.
    public var node: NodeName
    /// This node's number, which agents are told.
    public var nodeNumber: NodeID
    /// Records of running processes; must survive a restart of the agent, and must not survive a reboot.
    public var stateDirectory = "/run/haven/resources"
    /// What supervised processes print.
    public var logDirectory = "/var/log/haven"
    /// Where OCF agents live.
    public var ocfRoot = "/usr/lib/ocf"
    /// A syslog facility for OCF agents; nil where nothing listens to syslog.
    public var logFacility: String?

    /// The standard places.
    public init(node: NodeName, nodeNumber: NodeID) {
        self.node = node
        self.nodeNumber = nodeNumber
    }
}

/// Bounds of a runner.
public enum RunnerLimits {
    /// How many requests may wait for the runner's thread.
    public static let mailbox = 1024
    /// How many operations run at a time; an executor runs one per resource at most.
    public static let operations = 512
    /// How much of an agent's output is kept; the rest is read and dropped.
    public static let agentOutput = 64 * 1024
    /// How long an agent's metadata may be.
    public static let metadata = 1 << 20
    /// How long an agent may take to describe itself.
    public static let metadataTime = Duration.seconds(10)
    /// How long the log of a process becomes before it is turned over; one older log is kept.
    public static let log = 10 << 20
    /// How often the length of logs is looked at.
    public static let logInterval = Duration.seconds(1)
    /// How long processes that were killed may take to go.
    public static let goneAfterKill = Duration.seconds(2)
    /// How often it is looked whether they are gone.
    public static let goneInterval = Duration.milliseconds(20)
}
