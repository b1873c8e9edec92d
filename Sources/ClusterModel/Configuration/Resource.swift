/// Something the cluster starts, stops and monitors on one node at a time.
public struct Resource: Hashable, Codable, Sendable {
    /// Its name; unique.
    public var name: ResourceName
    /// What it is.
    public var kind: ResourceKind
    /// Pacemaker's target-role: false keeps it stopped.
    public var enabled: Bool
    /// Pacemaker's is-managed: false leaves it to the operator; it is neither started, stopped nor monitored.
    public var managed = true
    /// How much it prefers to stay where it runs; nil takes the cluster's `resource-stickiness`.
    public var stickiness: Score?
    /// What must be true before it starts elsewhere after its node was lost; nil takes the kind's default.
    public var requires: Requirement?
    /// Pacemaker's multiple-active: what is done when it is found running on a second node; nil takes `stop_start`.
    public var multipleActive: MultipleActive?
    /// How long operations may take and how often it is looked at.
    public var operations: OperationSettings

    /// Describes a resource with the kind's default operations.
    public init(name: ResourceName, kind: ResourceKind) {
        self.name = name
        self.kind = kind
        enabled = true
        stickiness = nil
        requires = nil
        operations = kind.defaultOperations
    }

    /// Reads what an older version wrote too: what is missing has its default.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(ResourceName.self, forKey: .name)
        kind = try container.decode(ResourceKind.self, forKey: .kind)
        enabled = try container.decode(Bool.self, forKey: .enabled)
        managed = try container.decodeIfPresent(Bool.self, forKey: .managed) ?? true
        stickiness = try container.decodeIfPresent(Score.self, forKey: .stickiness)
        requires = try container.decodeIfPresent(Requirement.self, forKey: .requires)
        multipleActive = try container.decodeIfPresent(MultipleActive.self, forKey: .multipleActive)
        operations = try container.decode(OperationSettings.self, forKey: .operations)
    }
}

/// What is done about a resource that is found running on a node without having been ordered to, while it runs on, or was
/// given to, another one.
public enum MultipleActive: String, Codable, Sendable, CaseIterable {
    /// All instances are stopped, then one is started: two may have damaged what they share.
    case stopStart = "stop_start"
    /// All instances are stopped and stay stopped until an operator has cleaned up.
    case stopOnly = "stop_only"
    /// Only the instance that nobody ordered is stopped.
    case stopUnexpected = "stop_unexpected"
    /// Nothing is done to any of them until an operator has ended all but one.
    case block
}

/// What a resource is.
public enum ResourceKind: Hashable, Codable, Sendable {
    /// An address that clients use, moved between nodes over netlink.
    case virtualIP(VirtualIP)
    /// A process that the agent itself starts and supervises.
    case process(ProcessSpecification)
    /// An agent of the OCF resource agent API, run unmodified.
    case ocf(OCFSpecification)

    /// The kind's time-outs and interval.
    public var defaultOperations: OperationSettings {
        switch self {
        case .virtualIP: OperationSettings(start: 5000, stop: 5000, monitor: 2000, interval: 5000)
        case .process: OperationSettings(start: 20_000, stop: 10_000, monitor: 20_000, interval: 10_000)
        case .ocf: OperationSettings(start: 20_000, stop: 20_000, monitor: 20_000, interval: 10_000)
        }
    }

    /// What must be true before it starts elsewhere, unless the resource says otherwise.
    public var defaultRequirement: Requirement {
        switch self {
        case .virtualIP: .lease
        case .process, .ocf: .fencing
        }
    }

    /// As Pacemaker shows it: `ocf::heartbeat:IPaddr2`, `ocf::heartbeat:Dummy`, `process`.
    public var agentName: String {
        switch self {
        case .virtualIP: "ocf::heartbeat:IPaddr2"
        case .process: "process"
        case .ocf(let specification): "ocf::\(specification.provider):\(specification.type)"
        }
    }
}

/// Time-outs of operations and the monitor's interval.
public struct OperationSettings: Hashable, Codable, Sendable {
    /// Longest start; past it the start failed.
    public var startTimeout: Milliseconds
    /// Longest stop; past it the stop failed.
    public var stopTimeout: Milliseconds
    /// Longest monitor; past it the monitor failed.
    public var monitorTimeout: Milliseconds
    /// Time between two monitors; 0 for none.
    public var monitorInterval: Milliseconds

    /// States all four.
    public init(start: Milliseconds, stop: Milliseconds, monitor: Milliseconds, interval: Milliseconds) {
        startTimeout = start
        stopTimeout = stop
        monitorTimeout = monitor
        monitorInterval = interval
    }
}

/// What must be true of a lost node before its resource may start elsewhere.
public enum Requirement: String, Codable, Sendable, Comparable {
    /// Nothing: it may run twice.
    case nothing
    /// The node's lease and grace are over.
    case lease
    /// The node was powered off and verified; where fencing is disabled or no device exists, see `Recovery`.
    case fencing

    private var strictness: Int {
        switch self {
        case .nothing: 0
        case .lease: 1
        case .fencing: 2
        }
    }

    /// Orders by strictness.
    public static func < (left: Requirement, right: Requirement) -> Bool { left.strictness < right.strictness }
}

/// An address that clients use.
public struct VirtualIP: Hashable, Codable, Sendable {
    /// The address.
    public var address: IPAddress
    /// 1 to 32 or 1 to 128.
    public var prefixLength: Int
    /// The interface; nil finds the one that already has an address in the same subnet.
    public var interface: String?

    /// Describes an address.
    public init(address: IPAddress, prefixLength: Int, interface: String? = nil) {
        self.address = address
        self.prefixLength = prefixLength
        self.interface = interface
    }
}

/// A process that the agent starts, in a process group of its own.
public struct ProcessSpecification: Hashable, Codable, Sendable {
    /// The program's absolute path and its arguments; never passed through a shell.
    public var command: [String]
    /// The working directory; nil is `/`.
    public var directory: String?
    /// The user it runs as; nil is root.
    public var user: String?
    /// Environment in addition to PATH.
    public var environment: [String: String]

    /// Describes a process.
    public init(
        command: [String],
        directory: String? = nil,
        user: String? = nil,
        environment: [String: String] = [:]
    ) {
        self.command = command
        self.directory = directory
        self.user = user
        self.environment = environment
    }
}

/// An OCF agent with its parameters (OCF resource agent API 1.0 and 1.1).
public struct OCFSpecification: Hashable, Codable, Sendable {
    /// The agent's provider, such as `heartbeat`.
    public var provider: String
    /// The agent's type, such as `Dummy`.
    public var type: String
    /// Parameters, passed as `OCF_RESKEY_name`.
    public var parameters: [String: String]

    /// Names an agent.
    public init(provider: String, type: String, parameters: [String: String] = [:]) {
        self.provider = provider
        self.type = type
        self.parameters = parameters
    }
}
