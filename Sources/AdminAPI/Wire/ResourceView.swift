public import ClusterModel

/// A resource and how it is.
public struct ResourceView: Hashable, Codable, Sendable {
    /// How a resource is in the cluster.
    public enum State: String, Codable, Sendable {
        /// Runs nowhere, and need not.
        case stopped
        /// A start is under way on `node`.
        case starting
        /// Runs on `node`.
        case started
        /// A stop is under way on `node`.
        case stopping
        /// Should run, and cannot for now: `reason` says why.
        case blocked
        /// Failed on `node`, or everywhere: `reason` says how.
        case failed
    }

    /// Its name.
    public var name: ResourceName
    /// As Pacemaker shows it: `ocf::heartbeat:IPaddr2`.
    public var agentName: String
    /// Whether the operator wants it to run.
    public var enabled: Bool
    /// Whether the cluster looks after it where it is now.
    public var managed = true
    /// How it is.
    public var state: State
    /// Where; nil for nowhere.
    public var node: NodeName?
    /// Why it is blocked or failed, or what it waits for; empty otherwise.
    public var reason: String
    /// The address, where it is a virtual IP.
    public var address: IPAddress?
    /// Failures that count, by node.
    public var failures: [Failure]

    /// Failures on one node.
    public struct Failure: Hashable, Codable, Sendable {
        /// The node.
        public var node: NodeName
        /// How many.
        public var count: Int
        /// What the newest said.
        public var reason: String

        /// States failures.
        public init(node: NodeName, count: Int, reason: String) {
            self.node = node
            self.count = count
            self.reason = reason
        }
    }

    /// Describes a resource.
    public init(
        name: ResourceName,
        agentName: String,
        enabled: Bool,
        state: State,
        node: NodeName? = nil,
        reason: String = ""
    ) {
        self.name = name
        self.agentName = agentName
        self.enabled = enabled
        self.state = state
        self.node = node
        self.reason = reason
        address = nil
        failures = []
    }
}

/// A fence device and how it is.
public struct FenceDeviceView: Hashable, Codable, Sendable {
    /// Its name.
    public var name: String
    /// Its agent.
    public var agent: String
    /// The nodes that it can power off.
    public var targets: [NodeName]
    /// Why the last real check of it failed; nil when it passed or none was made.
    public var failure: String?
    /// The last real check of it by each node that makes them; nil from an older agent.
    public var checks: [Check]?

    /// One node's last real check of a device: it was reached and logged in to, or not.
    public struct Check: Hashable, Codable, Sendable {
        /// The node that asked.
        public var node: NodeName
        /// How long ago, as far as the clocks of two nodes agree.
        public var ago: Milliseconds
        /// Why it failed; nil when it passed.
        public var failure: String?

        /// States a check.
        public init(node: NodeName, ago: Milliseconds, failure: String? = nil) {
            self.node = node
            self.ago = ago
            self.failure = failure
        }
    }

    /// Describes a device.
    public init(name: String, agent: String, targets: [NodeName], failure: String? = nil) {
        self.name = name
        self.agent = agent
        self.targets = targets
        self.failure = failure
    }
}

/// A fence.
public struct FenceView: Hashable, Codable, Sendable {
    /// The node.
    public var node: NodeName
    /// Which incarnation, how far it came, why and when.
    public var record: FenceRecord

    /// Pairs both.
    public init(node: NodeName, record: FenceRecord) {
        self.node = node
        self.record = record
    }
}
