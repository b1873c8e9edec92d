public import ClusterModel

/// What the cluster knows of a server's node, which counts before any check.
public enum NodeCondition: String, Codable, Sendable {
    /// Nothing speaks against it.
    case available
    /// The cluster lost the node or fenced it: its connections are dead.
    case lost
    /// The node is in standby: it finishes what it has.
    case standby
}

/// What is seen of a server from outside; HAProxy's words.
public enum ServerStatus: String, Codable, Sendable {
    /// Serves.
    case up = "UP"
    /// Checks failed, or its node is gone.
    case down = "DOWN"
    /// The operator took it out.
    case maint = "MAINT"
    /// It keeps clients with its cookie and takes no new ones.
    case drain = "DRAIN"
    /// Its checks say so themselves: it keeps clients with its cookie and takes no new ones.
    case stopping = "NOLB"
}

/// All that decides whether a server gets requests.
public struct ServerCondition: Hashable, Sendable {
    /// What the operator wants.
    public var admin: ServerAdminState
    /// What checks say; true where there are none.
    public var isHealthy: Bool
    /// Whether its checks say that no new clients shall come (`http-check disable-on-404`).
    public var isStopping: Bool
    /// What the cluster says.
    public var node: NodeCondition
    /// Its share; 0 to 256.
    public var weight: Int

    /// States all of it.
    public init(
        admin: ServerAdminState,
        isHealthy: Bool,
        isStopping: Bool = false,
        node: NodeCondition = .available,
        weight: Int = 1
    ) {
        self.admin = admin
        self.isHealthy = isHealthy
        self.isStopping = isStopping
        self.node = node
        self.weight = weight
    }

    /// What is shown.
    public var status: ServerStatus {
        if admin == .maint { return .maint }
        if node == .lost || !isHealthy { return .down }
        if admin == .drain || node == .standby { return .drain }
        return isStopping ? .stopping : .up
    }

    /// Whether clients that hold its cookie are sent to it: in drain and with weight 0 they are.
    public var isUsable: Bool { status == .up || status == .drain || status == .stopping }

    /// Whether it takes clients without a cookie.
    public var isEligible: Bool { status == .up && weight > 0 }
}
