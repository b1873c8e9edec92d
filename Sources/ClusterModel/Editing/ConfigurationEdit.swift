/// One change of the configuration by an operator; the whole change is made or none of it.
public enum ConfigurationEdit: Hashable, Codable, Sendable {
    /// Sets a cluster-wide setting.
    case setProperty(ClusterProperty)
    /// Sends nodes into standby or brings them back.
    case setStandby(nodes: [NodeName], standby: Bool)
    /// Takes nodes into maintenance or ends it.
    case setMaintenance(nodes: [NodeName], maintenance: Bool)
    /// Adds a machine, which joins afterwards; number 0 asks for the next one that nobody had.
    case addNode(Node)
    /// Takes a machine out of the cluster, with the constraints that name it; fence devices forget it.
    case removeNode(NodeName)
    /// Says whether a machine votes, runs resources, or both.
    case setRole(node: NodeName, NodeRole)

    /// Adds a resource.
    case createResource(Resource)
    /// Changes a resource of the same name.
    case replaceResource(Resource)
    /// Deletes a resource and the constraints that name it.
    case deleteResource(ResourceName)
    /// Lets resources run, or keeps them stopped.
    case setEnabled(resources: [ResourceName], enabled: Bool)
    /// Lets the cluster act on resources, or leaves them to the operator.
    case setManaged(resources: [ResourceName], managed: Bool)

    /// States how much a resource wants a node; replaces an earlier statement about the same two.
    case addLocation(resource: ResourceName, node: NodeName, score: Score, id: String?)
    /// States how much a resource wants to be where another is.
    case addColocation(resource: ResourceName, with: ResourceName, score: Score, id: String?)
    /// Deletes a location or colocation constraint by its id.
    case deleteConstraint(id: String)

    /// Adds a fence device.
    case createFenceDevice(FenceDevice)
    /// Changes a fence device of the same name; a masked secret keeps what is there.
    case replaceFenceDevice(FenceDevice)
    /// Deletes a fence device.
    case deleteFenceDevice(String)

    /// Adds a listener.
    case createListener(Listener)
    /// Changes a listener of the same name.
    case replaceListener(Listener)
    /// Deletes a listener with its servers.
    case deleteListener(String)
    /// Adds a server behind a listener.
    case addServer(listener: String, Server)
    /// Changes a server of the same name.
    case replaceServer(listener: String, Server)
    /// Removes a server.
    case removeServer(listener: String, server: String)
    /// Changes a server's weight, its state, or both.
    case setServer(listener: String, server: String, weight: Int?, state: ServerAdminState?)

    /// Makes the whole configuration this one: `apply`. Nodes stay as they are where the file names none, and can only
    /// be named, not added or removed; masked secrets keep what is there.
    case replaceAll(ClusterConfiguration)
}

/// A cluster-wide setting with its value.
public enum ClusterProperty: Hashable, Codable, Sendable {
    /// `stonith-enabled`.
    case stonithEnabled(Bool)
    /// `stonith-timeout`.
    case stonithTimeout(Milliseconds)
    /// `stonith-check-interval`; nil: the default.
    case checkInterval(Milliseconds?)
    /// `maintenance-mode`.
    case maintenanceMode(Bool)
    /// `resource-stickiness`.
    case resourceStickiness(Score)
    /// `self-fence`; nil: nobody has said.
    case selfFence(SelfFence?)
    /// `stonith-watchdog-timeout`; nil: the default.
    case watchdogTimeout(Milliseconds?)
    /// `profile`.
    case profile(TimingProfile)
    /// `arbiter`; nil: none.
    case arbiter([IPAddress]?)

    /// The names, as Pacemaker spells them where it has them.
    public static let names = [
        "arbiter", "maintenance-mode", "profile", "resource-stickiness", "self-fence", "stonith-check-interval",
        "stonith-enabled", "stonith-timeout", "stonith-watchdog-timeout",
    ]

    /// Reads `name=value` as operators write it; an empty value means the default.
    public init(name: String, value: String) throws(EditError) {
        let defaults = ClusterProperties()
        switch name {
        case "stonith-enabled":
            self = .stonithEnabled(value.isEmpty ? defaults.stonithEnabled : try Self.boolean(name, value))
        case "maintenance-mode":
            self = .maintenanceMode(value.isEmpty ? defaults.maintenanceMode : try Self.boolean(name, value))
        case "stonith-timeout":
            guard let time = value.isEmpty ? defaults.stonithTimeout : Milliseconds(value, bare: .seconds) else {
                throw .badValue(what: name, value: value, expected: "a time such as 60s")
            }
            self = .stonithTimeout(time)
        case "resource-stickiness":
            guard let score = value.isEmpty ? defaults.resourceStickiness : Score(value) else {
                throw .badValue(what: name, value: value, expected: "a number from 0 to 1000000, or INFINITY")
            }
            self = .resourceStickiness(score)
        case "self-fence": self = .selfFence(value.isEmpty ? nil : try Self.selfFence(value))
        case "stonith-watchdog-timeout": self = .watchdogTimeout(try Self.time(name, value, example: "5s"))
        case "stonith-check-interval": self = .checkInterval(try Self.time(name, value, example: "60s"))
        case "profile":
            guard let profile = value.isEmpty ? defaults.profile : TimingProfile(rawValue: value.lowercased()) else {
                throw .badValue(what: name, value: value, expected: "fast, lan or wan")
            }
            self = .profile(profile)
        case "arbiter": self = .arbiter(value.isEmpty ? nil : try Self.addresses(name, value))
        default: throw .unknown(.property, name, known: Self.names)
        }
    }

    /// A time; nil where the default is asked for.
    private static func time(_ name: String, _ text: String, example: String) throws(EditError) -> Milliseconds? {
        if text.isEmpty { return nil }
        guard let time = Milliseconds(text, bare: .seconds) else {
            throw .badValue(what: name, value: text, expected: "a time such as \(example)")
        }
        return time
    }

    /// Addresses between commas, or between spaces as in the `host_list` of Pacemaker's `ping`.
    private static func addresses(_ name: String, _ text: String) throws(EditError) -> [IPAddress] {
        var addresses: [IPAddress] = []
        for word in text.split(omittingEmptySubsequences: false, whereSeparator: { $0 == "," || $0 == " " }) {
            guard let address = IPAddress(String(word)) else {
                let expected =
                    "IPv4 or IPv6 addresses with commas between them, such as 192.0.2.1; names are not resolved"
                throw .badValue(what: name, value: text, expected: expected)
            }
            addresses.append(address)
        }
        return addresses
    }

    private static func selfFence(_ text: String) throws(EditError) -> SelfFence {
        guard let value = SelfFence(rawValue: text) else {
            let known = SelfFence.allCases.map(\.rawValue).joined(separator: ", ")
            throw .badValue(what: "self-fence", value: text, expected: "one of \(known)")
        }
        return value
    }

    /// Pacemaker's spellings of yes and no (crm_str_to_boolean).
    private static func boolean(_ name: String, _ text: String) throws(EditError) -> Bool {
        switch text.lowercased() {
        case "true", "on", "yes", "y", "1": return true
        case "false", "off", "no", "n", "0": return false
        default: throw .badValue(what: name, value: text, expected: "true or false")
        }
    }
}

extension ClusterProperties {
    /// Every setting with its value as operators write it, in the order of `ClusterProperty.names`.
    public var listed: [(name: String, value: String, isDefault: Bool)] {
        let defaults = ClusterProperties()
        return [
            ("arbiter", (arbiter ?? []).map(\.description).joined(separator: ","), arbiter == nil),
            ("maintenance-mode", "\(maintenanceMode)", maintenanceMode == defaults.maintenanceMode),
            ("profile", profile.rawValue, profile == defaults.profile),
            ("resource-stickiness", "\(resourceStickiness)", resourceStickiness == defaults.resourceStickiness),
            ("self-fence", selfFence?.rawValue ?? "", selfFence == nil),
            ("stonith-check-interval", "\(stonithCheckInterval)", checkInterval == nil),
            ("stonith-enabled", "\(stonithEnabled)", stonithEnabled == defaults.stonithEnabled),
            ("stonith-timeout", "\(stonithTimeout)", stonithTimeout == defaults.stonithTimeout),
            (
                "stonith-watchdog-timeout", "\(watchdogTimeout ?? Self.defaultWatchdogTimeout)",
                watchdogTimeout == nil
            ),
        ]
    }
}
