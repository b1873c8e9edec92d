public import Balancing
public import ClusterModel

/// All that a proxy shall do, sent by the agent whenever any of it changes.
public struct ProxyPlan: Hashable, Codable, Sendable {
    /// Raised by the agent with every change; shown in the status, and never compared by the proxy.
    public var generation: UInt64
    /// What it listens on.
    public var listeners: [PlannedListener]

    /// Describes a plan.
    public init(generation: UInt64, listeners: [PlannedListener]) {
        self.generation = generation
        self.listeners = listeners
    }
}

/// A listener with what only this node or only the cluster knows of it.
public struct PlannedListener: Hashable, Codable, Sendable {
    /// Its configuration.
    public var listener: Listener
    /// Which of its binds are on virtual IPs: those answer only while the node holds its lease.
    public var virtualBinds: Set<Endpoint>
    /// What the cluster knows of servers' nodes, by server name; a server that is missing is available.
    public var nodes: [String: NodeCondition]
    /// The files of its encryption; nil where it does not encrypt.
    public var tls: PlannedTLS?
    /// The files of the encryption to servers, by server name; nil where there are none.
    public var serverTLS: [String: PlannedServerTLS]?

    /// Adds the node's knowledge to a listener.
    public init(_ listener: Listener, virtualBinds: Set<Endpoint> = [], nodes: [String: NodeCondition] = [:]) {
        self.listener = listener
        self.virtualBinds = virtualBinds
        self.nodes = nodes
    }
}

/// How much a plan may hold; larger ones are refused as a whole.
public enum PlanLimits {
    /// Listeners in a plan.
    public static let listeners = 256
    /// Binds of a listener.
    public static let binds = 64
    /// Servers of a listener.
    public static let servers = 256
    /// Servers in all.
    public static let allServers = 4096
    /// Certificates of a listener.
    public static let certificates = 256
    /// The longest cookie name or value, and the longest path or host of a check, in bytes.
    public static let textBytes = 512
    /// Domains of a cookie, and further attributes of one.
    public static let cookieAttributes = 8
    /// The longest of them, in bytes.
    public static let attributeBytes = 128
    /// The most exchanges that are told at once.
    public static let exchanges = 1000
    /// Event-loop threads.
    public static let threads = 64
}

extension ProxyPlan {
    /// What is wrong with it, in the operator's words; nil for a plan that can be applied.
    public var fault: String? {
        if listeners.count > PlanLimits.listeners { return "more than \(PlanLimits.listeners) listeners" }
        if Set(listeners.map(\.listener.name)).count != listeners.count { return "two listeners with one name" }
        let binds = listeners.flatMap(\.listener.binds)
        if Set(binds).count != binds.count { return "two listeners on one address and port" }
        if listeners.reduce(0, { $0 + $1.listener.servers.count }) > PlanLimits.allServers {
            return "more than \(PlanLimits.allServers) servers"
        }
        for planned in listeners {
            if let fault = planned.listener.planFault { return "listener \(planned.listener.name): \(fault)" }
        }
        return nil
    }
}

extension ListenerTLS {
    /// What libssl would take for something else, or not at all.
    fileprivate var planFault: String? {
        let protocols = self.protocols ?? []
        if !protocols.allSatisfy({ (1...255).contains($0.utf8.count) }) || protocols.count > 16 {
            return "alpn: up to 16 names of 1 to 255 bytes are possible"
        }
        return nil
    }
}

extension Listener {
    fileprivate var planFault: String? {
        if binds.isEmpty || binds.count > PlanLimits.binds { return "1 to \(PlanLimits.binds) binds are possible" }
        if servers.count > PlanLimits.servers { return "more than \(PlanLimits.servers) servers" }
        if Set(servers.map(\.name)).count != servers.count { return "two servers with one name" }
        if !(0...100).contains(retries) { return "retries must be 0 to 100" }
        if maxConnections < 1 { return "maxconn must be 1 or more" }
        if let fault = tls?.planFault { return fault }
        if let cookie, !Self.isPlain(cookie.name, forbidden: "=;, \t") { return "cookie name" }
        for list in [cookie?.domains ?? [], cookie?.attributes ?? []] {
            if list.count > PlanLimits.cookieAttributes {
                return "more than \(PlanLimits.cookieAttributes) domains or attributes of the cookie"
            }
            let isFine = list.allSatisfy {
                Self.isPlain($0, forbidden: ";") && $0.utf8.count <= PlanLimits.attributeBytes
            }
            if !isFine { return "domain or attribute of the cookie" }
        }
        if let check = httpCheck {
            if !Self.isPlain(check.method, forbidden: " ") || !Self.isPlain(check.uri, forbidden: " ")
                || !Self.isPlain(check.host ?? "h", forbidden: " ")
            {
                return "text of the HTTP check"
            }
        }
        for server in servers {
            if !(0...256).contains(server.weight) { return "server \(server.name): weight must be 0 to 256" }
            if let name = server.tls?.serverName, !Self.isPlain(name, forbidden: " ") {
                return "server \(server.name): sni"
            }
            if let cookie = server.cookie, !Self.isPlain(cookie, forbidden: "; ,\t\"\\") {
                return "server \(server.name): cookie value"
            }
        }
        return nil
    }

    /// Visible ASCII of a bounded length: these texts are written into HTTP heads.
    private static func isPlain(_ text: String, forbidden: String) -> Bool {
        let bytes = text.utf8
        return !bytes.isEmpty && bytes.count <= PlanLimits.textBytes
            && bytes.allSatisfy { $0 >= 0x20 && $0 < 0x7F && !forbidden.utf8.contains($0) }
    }
}
