public import AdminAPI
internal import ClusterModel

/// Whether the agents of a soak run before all others.
public enum SoakPriority: String, Hashable, CaseIterable, Sendable {
    /// With real-time priority and locked memory, as they do by default.
    case realtime
    /// As any other process, by `HAVEND_OPTIONS=--no-realtime`.
    case normal
}

/// What one agent says before and after a time in which all processors were busy.
public struct SoakRecord: Hashable, Sendable {
    /// The host.
    public var host: String
    /// Before it.
    public var before: AgentView
    /// After it; nil where the agent gave no answer.
    public var after: AgentView?

    /// Joins what was said.
    public init(host: String, before: AgentView, after: AgentView?) {
        self.host = host
        self.before = before
        self.after = after
    }

    /// How much a counter grew; nil where it was not read, or belongs to another start of the agent.
    func growth(of counter: KeyPath<AgentView, Int>) -> Int? {
        guard let after, after.incarnation == before.incarnation else { return nil }
        return after[keyPath: counter] - before[keyPath: counter]
    }

    /// The longest time in which the agent did not run, in milliseconds.
    ///
    /// An agent lists its newest stalls only; one that is the longest of its life is known even if it is not listed.
    var longestStall: Int64 {
        guard let after else { return 0 }
        if after.longestStall > before.longestStall { return after.longestStall.count }
        return after.stalls.filter { $0.uptime > before.uptime }.map(\.length.count).max() ?? 0
    }
}

/// How often an agent was stopped on purpose.
public struct SoakPause: Hashable, Sendable {
    /// The host.
    public var host: String
    /// How often.
    public var count: Int
    /// For how long at most, in milliseconds, measured from outside.
    public var longest: Int64

    /// States the figures.
    public init(host: String, count: Int, longest: Int64) {
        self.host = host
        self.count = count
        self.longest = longest
    }
}

/// A time in which all processors were busy, and what it did to the cluster.
public struct SoakPeriod: Sendable {
    /// How the agents ran.
    public var priority: SoakPriority
    /// How long the processors were busy, in seconds.
    public var seconds: Double
    /// How many processors were busy on average, of how many.
    public var busyProcessors: Double
    /// See `busyProcessors`.
    public var processors: Int
    /// What each agent said.
    public var records: [SoakRecord]
    /// The leader before and after it.
    public var leaders: (before: String?, after: String?)
    /// What ran elsewhere afterwards: `VirtualIP ctl1 -> ctl2`.
    public var moved: [String]
    /// How agents were stopped on purpose; nil where they were not.
    public var pauses: [SoakPause]?

    /// A share of the processors' time below this is no load worth the name.
    static let leastLoad = 0.95

    /// What no load may bring about; empty for a good one.
    public var objections: [String] {
        var objections: [String] = []
        if busyProcessors < Double(processors) * Self.leastLoad {
            objections.append("only \(Self.tenths(busyProcessors)) of \(processors) processors were kept busy")
        }
        for record in records {
            guard let after = record.after else {
                objections.append("the agent of \(record.host) gives no answer")
                continue
            }
            guard after.incarnation == record.before.incarnation else {
                objections.append("the agent of \(record.host) was started again")
                continue
            }
            if after.isRealtime != (priority == .realtime) {
                objections.append("the agent of \(record.host) does not run as it should: \(Self.describe(after))")
            }
            // A lease is shorter than the time after which a node is lost, so that a pause may end it, and what ran
            // under it is given to the same node anew.
            let count = pauses == nil ? Self.forbidden.count : Self.forbiddenInPauses
            for (counter, text) in Self.forbidden.prefix(count) {
                guard let times = record.growth(of: counter), times > 0 else { continue }
                objections.append("\(record.host) \(text) \(times == 1 ? "once" : "\(times) times")")
            }
        }
        for pause in pauses ?? [] where pause.count == 0 {
            objections.append("the agent of \(pause.host) was never stopped")
        }
        if leaders.before != leaders.after {
            objections.append("the leader changed from \(leaders.before ?? "-") to \(leaders.after ?? "-")")
        }
        if !moved.isEmpty { objections.append("moved: " + moved.joined(separator: ", ")) }
        return objections.map { "\(priority.rawValue) priority: \($0)" }
    }

    private static let forbidden: [(any KeyPath<AgentView, Int> & Sendable, String)] = [
        (\.peersLost, "gave a peer up that lived"),
        (\.leaderChanges, "got another leader"),
        (\.leasesEnded, "lost its lease"),
        (\.assignments, "learned that a resource was given to a node"),
    ]

    /// How many of these pauses must not bring about either.
    private static let forbiddenInPauses = 2

    static func describe(_ agent: AgentView) -> String {
        agent.isRealtime ? "with real-time priority" : "without real-time priority (does this machine allow it?)"
    }

    static func tenths(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }
}
