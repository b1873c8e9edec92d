/// Where an agent keeps its files; all directories are 0700 root unless said otherwise.
public struct AgentPaths: Sendable, Hashable {
    /// What must survive a reboot.
    public var state: String
    /// What must not survive a reboot (the lease word, sockets); 0750, so that the group `haven` reaches the socket.
    public var run: String

    /// `/var/lib/haven` and `/run/haven`.
    public static let standard = AgentPaths(state: "/var/lib/haven", run: "/run/haven")

    /// Uses other directories, for tests.
    public init(state: String, run: String) {
        self.state = state
        self.run = run
    }

    /// Who this node is and the cluster's secret; 0600.
    public var identity: String { state + "/identity.json" }
    /// Why this node may not take part until it has joined again; absent in ordinary life.
    public var quarantine: String { state + "/quarantine" }
    /// Another history of the cluster, which this node goes over to at its next start; absent in ordinary life.
    public var rejoin: String { state + "/rejoin.json" }
    /// What was put aside when the node went over to another history, one directory for each, named by the incarnation
    /// that ended there.
    public var histories: String { state + "/histories" }
    /// Term, vote, log, snapshot, incarnation.
    public var database: String { state + "/state.db" }
    /// The agent's interface for operators.
    public var socket: String { run + "/agent.sock" }
    /// The data plane's control socket.
    public var proxySocket: String { run + "/proxy.sock" }
    /// The lease word.
    public var lease: String { run + "/lease" }
    /// What the guard ends when the lease is over.
    public var guardList: String { run + "/guard" }
    /// Held with flock while an agent runs.
    public var lock: String { run + "/agent.lock" }
    /// What supervised processes leave for a restarted agent.
    public var resources: String { run + "/resources" }
}
