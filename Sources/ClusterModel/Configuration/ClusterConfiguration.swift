/// Everything an operator decides about a cluster; the whole of it is replicated, versioned and changed by compare-and-swap.
public struct ClusterConfiguration: Hashable, Codable, Sendable {
    /// The cluster's name, shown in `status`; a name by `NameRule`.
    public var name: String
    /// The machines, in the order of their numbers.
    public var nodes: [Node]
    /// Cluster-wide settings.
    public var properties: ClusterProperties
    /// What the cluster starts, stops and monitors, in the order of creation.
    public var resources: [Resource]
    /// Preferences for nodes, in the order of creation.
    public var locations: [LocationConstraint]
    /// What must or should run together or apart, in the order of creation.
    public var colocations: [ColocationConstraint]
    /// How nodes are powered off, in the order of creation.
    public var fenceDevices: [FenceDevice]
    /// What clients connect to, in the order of creation.
    public var listeners: [Listener]

    /// A configuration with default properties and nothing in it but nodes.
    public init(name: String, nodes: [Node]) {
        self.name = name
        self.nodes = nodes
        properties = ClusterProperties()
        resources = []
        locations = []
        colocations = []
        fenceDevices = []
        listeners = []
    }

    /// The node of that number.
    public func node(_ id: NodeID) -> Node? { place(of: id).map { nodes[$0] } }

    /// The nodes whose votes count.
    public var voters: [Node] { nodes.filter(\.role.votes) }

    /// Whether each of its two voters goes on alone when the other is silent, because nobody can power either off.
    public var isPairWithoutFencing: Bool { !properties.stonithEnabled && voters.count == 2 }

    /// The node of that name.
    public func node(named name: NodeName) -> Node? { nodes.first { $0.name == name } }

    /// The resource of that name.
    public func resource(named name: ResourceName) -> Resource? {
        place(of: name).map { resources[$0] }
    }

    /// Where in `nodes` a node is: who wants to know one thing of it looks there, for a copy of the whole is not cheap.
    func place(of id: NodeID) -> Int? { nodes.firstIndex { $0.id == id } }

    /// Where in `resources` a resource is.
    func place(of name: ResourceName) -> Int? { resources.firstIndex { $0.name == name } }

    /// What is done when a resource is active twice; nil for one that is not configured.
    public func multipleActive(of name: ResourceName) -> MultipleActive? {
        place(of: name).flatMap { resources[$0].multipleActive }
    }

    /// The addresses of all virtual IPs.
    public var virtualAddresses: Set<IPAddress> {
        Set(
            resources.compactMap { resource in
                if case .virtualIP(let specification) = resource.kind { specification.address } else { nil }
            }
        )
    }

    /// The listener of that name.
    public func listener(named name: String) -> Listener? { listeners.first { $0.name == name } }

    /// The fence devices that can power that node off.
    public func fenceDevices(for node: NodeName) -> [FenceDevice] { fenceDevices.filter { $0.targets[node] != nil } }
}

/// A machine with an agent.
public struct Node: Hashable, Codable, Sendable {
    /// Its number.
    public var id: NodeID
    /// Its name; unique.
    public var name: NodeName
    /// Where its agent listens for heartbeats, one per link: the nth addresses of two nodes are the ends of one.
    public var addresses: [IPAddress]
    /// Whether it runs no resources for now; it still votes.
    public var standby: Bool
    /// Whether the cluster starts, stops and monitors nothing on it for now, and does not power it off.
    public var maintenance = false
    /// What it does for the cluster.
    public var role: NodeRole

    /// Names a machine.
    public init(
        id: NodeID,
        name: NodeName,
        addresses: [IPAddress],
        standby: Bool = false,
        role: NodeRole = .member
    ) {
        self.id = id
        self.name = name
        self.addresses = addresses
        self.standby = standby
        self.role = role
    }

    /// Reads what an older version wrote too: what is missing has its default.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decode(NodeID.self, forKey: .id)
        name = try container.decode(NodeName.self, forKey: .name)
        addresses = try container.decode([IPAddress].self, forKey: .addresses)
        standby = try container.decode(Bool.self, forKey: .standby)
        maintenance = try container.decodeIfPresent(Bool.self, forKey: .maintenance) ?? false
        role = try container.decodeIfPresent(NodeRole.self, forKey: .role) ?? .member
    }
}

/// Cluster-wide settings, with Pacemaker's names.
public struct ClusterProperties: Hashable, Codable, Sendable {
    /// `stonith-enabled`: whether lost nodes are powered off before what `requires fencing` is recovered; default true.
    public var stonithEnabled = true
    /// `maintenance-mode`: whether the cluster starts, stops, monitors and powers off nothing; default false.
    public var maintenanceMode = false
    /// `stonith-timeout`: how long one fence may take in all; default 60 s; 5 s to 10 min.
    public var stonithTimeout: Milliseconds = 60_000
    /// `stonith-check-interval`: how often each node asks every fence device for real; nil: the default, 60 s; 5 s to 1 h.
    public var checkInterval: Milliseconds?
    /// `resource-stickiness`: how much a running resource prefers to stay; default 100; 0 to INFINITY.
    public var resourceStickiness = Score(100)
    /// `self-fence`: what ends a node that has lost its lease and does not get rid of what ran under it; nil: nobody has
    /// said.
    public var selfFence: SelfFence?
    /// `stonith-watchdog-timeout`: after how long without a lease a watchdog resets the node; nil: the default, 5 s; 2 s
    /// to 5 min, whole seconds.
    public var watchdogTimeout: Milliseconds?

    /// `arbiter`: addresses of which one must answer a node before it goes on alone; 1 to 4, nil for none, and without
    /// effect unless `ClusterConfiguration.isPairWithoutFencing`.
    public var arbiter: [IPAddress]?

    /// See `watchdogTimeout`.
    public static let defaultWatchdogTimeout: Milliseconds = 5000
    /// See `checkInterval`.
    public static let defaultCheckInterval: Milliseconds = 60_000

    /// `stonith-check-interval` as it is used.
    public var stonithCheckInterval: Milliseconds { checkInterval ?? Self.defaultCheckInterval }

    /// `profile`: how fast a silent node counts as lost; default `lan`.
    public var profile = TimingProfile.lan

    /// The defaults.
    public init() {}

    /// Reads what an older version wrote too: what is missing has its default.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let defaults = ClusterProperties()
        stonithEnabled = try container.decodeIfPresent(Bool.self, forKey: .stonithEnabled) ?? defaults.stonithEnabled
        stonithTimeout =
            try container.decodeIfPresent(Milliseconds.self, forKey: .stonithTimeout) ?? defaults.stonithTimeout
        resourceStickiness =
            try container.decodeIfPresent(Score.self, forKey: .resourceStickiness) ?? defaults.resourceStickiness
        maintenanceMode =
            try container.decodeIfPresent(Bool.self, forKey: .maintenanceMode) ?? defaults.maintenanceMode
        profile = try container.decodeIfPresent(TimingProfile.self, forKey: .profile) ?? defaults.profile
        selfFence = try container.decodeIfPresent(SelfFence.self, forKey: .selfFence)
        watchdogTimeout = try container.decodeIfPresent(Milliseconds.self, forKey: .watchdogTimeout)
        checkInterval = try container.decodeIfPresent(Milliseconds.self, forKey: .checkInterval)
        arbiter = try container.decodeIfPresent([IPAddress].self, forKey: .arbiter)
    }
}

/// The last resort of a node without a lease.
public enum SelfFence: String, Hashable, Codable, Sendable, CaseIterable {
    /// There is none: what cannot be killed runs on.
    case nothing = "none"
    /// A hardware watchdog that is fed only while the lease holds.
    case watchdog
    /// The kernel reboots at once.
    case reboot
    /// The program `/etc/haven/self-fence` of the node does something.
    case command
}

/// A preference: integers up to ±1,000,000, where the ends mean "must" and "must not" (Pacemaker's semantics).
public struct Score: Hashable, Comparable, Codable, Sendable, CustomStringConvertible {
    /// -1,000,000 to 1,000,000.
    public let value: Int32

    /// Clamps to the range.
    public init(_ value: Int) { self.value = Int32(max(-1_000_000, min(1_000_000, value))) }

    /// "Must".
    public static let infinity = Score(1_000_000)
    /// "Must not".
    public static let minusInfinity = Score(-1_000_000)

    /// Reads an integer, `INFINITY`, `+INFINITY` or `-INFINITY`; nil for anything else.
    public init?(_ text: String) {
        switch text.uppercased() {
        case "INFINITY", "+INFINITY": self = .infinity
        case "-INFINITY": self = .minusInfinity
        default:
            guard let number = Int(text) else { return nil }
            self.init(number)
        }
    }

    /// Decodes a bare number.
    public init(from decoder: any Decoder) throws { self.init(try decoder.singleValueContainer().decode(Int.self)) }

    /// Encodes a bare number.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }

    /// Pacemaker's addition: -INFINITY wins over everything, then INFINITY, otherwise the clamped sum.
    public static func + (left: Score, right: Score) -> Score {
        if left == .minusInfinity || right == .minusInfinity { return .minusInfinity }
        if left == .infinity || right == .infinity { return .infinity }
        return Score(Int(left.value) + Int(right.value))
    }

    /// Orders by preference.
    public static func < (left: Score, right: Score) -> Bool { left.value < right.value }

    /// The text form.
    public var description: String {
        switch self {
        case .infinity: "INFINITY"
        case .minusInfinity: "-INFINITY"
        default: String(value)
        }
    }
}

/// How much a resource wants, or must or must not have, a node.
public struct LocationConstraint: Hashable, Codable, Sendable {
    /// Its unique name.
    public var id: String
    /// The resource.
    public var resource: ResourceName
    /// The node.
    public var node: NodeName
    /// The preference.
    public var score: Score

    /// States a preference.
    public init(id: String, resource: ResourceName, node: NodeName, score: Score) {
        self.id = id
        self.resource = resource
        self.node = node
        self.score = score
    }
}

/// How much a resource wants to be where another is (`score` > 0) or where it is not (`score` < 0).
public struct ColocationConstraint: Hashable, Codable, Sendable {
    /// Its unique name.
    public var id: String
    /// The resource that follows.
    public var resource: ResourceName
    /// The resource that is placed first.
    public var with: ResourceName
    /// The preference; ±INFINITY is mandatory.
    public var score: Score

    /// States a preference.
    public init(id: String, resource: ResourceName, with: ResourceName, score: Score) {
        self.id = id
        self.resource = resource
        self.with = with
        self.score = score
    }
}

/// How nodes are powered off: a fence agent of the ClusterLabs FenceAgentAPI with its parameters.
public struct FenceDevice: Hashable, Codable, Sendable {
    /// Its unique name.
    public var name: String
    /// The agent's file name, such as `fence_ipmilan`.
    public var agent: String
    /// Parameters as the agent's metadata names them.
    public var parameters: [String: String]
    /// Parameters that are secrets (passwords), kept out of every output.
    public var secrets: [String: Secret]
    /// The nodes it can power off, each with the agent's word for it (`plug`/`port`); empty where the agent needs none.
    public var targets: [NodeName: String]

    /// Describes a device.
    public init(
        name: String,
        agent: String,
        parameters: [String: String] = [:],
        secrets: [String: Secret] = [:],
        targets: [NodeName: String]
    ) {
        self.name = name
        self.agent = agent
        self.parameters = parameters
        self.secrets = secrets
        self.targets = targets
    }
}
