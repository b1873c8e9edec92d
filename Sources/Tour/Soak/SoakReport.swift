internal import AdminAPI

/// What a host's programs take while nothing happens.
public struct IdleUse: Hashable, Sendable {
    /// The host.
    public var host: String
    /// The agent's share of one processor, in percent.
    public var agentProcessor: Double
    /// The agent's memory, in megabytes.
    public var agentMemory: Double
    /// The proxy's memory, in megabytes.
    public var proxyMemory: Double

    /// States the figures.
    public init(host: String, agentProcessor: Double, agentMemory: Double, proxyMemory: Double) {
        self.host = host
        self.agentProcessor = agentProcessor
        self.agentMemory = agentMemory
        self.proxyMemory = proxyMemory
    }

    /// What the product promises of an idle agent and an idle proxy.
    static let mostAgentProcessor = 2.0
    static let mostAgentMemory = 60.0
    static let mostProxyMemory = 20.0

    /// What is more than was promised.
    var objections: [String] {
        [
            ("the idle agent takes", agentProcessor, Self.mostAgentProcessor, "% of a processor"),
            ("the idle agent takes", agentMemory, Self.mostAgentMemory, " MB"),
            ("the idle proxy takes", proxyMemory, Self.mostProxyMemory, " MB"),
        ]
        .filter { $0.1 >= $0.2 }
        .map { "\(host): \($0.0) \(SoakPeriod.tenths($0.1))\($0.3), not below \(SoakPeriod.tenths($0.2))\($0.3)" }
    }
}

/// What a soak showed.
public struct SoakReport: Sendable {
    /// What idle programs took, by host.
    public var idle: [IdleUse] = []
    /// The busy times, in order.
    public var periods: [SoakPeriod] = []

    /// Starts an empty one.
    public init() {}

    /// What spoils the verdict; empty for a good one.
    public var objections: [String] { idle.flatMap(\.objections) + periods.flatMap(\.objections) }

    /// The figures of idle programs, as a table.
    public var idleTable: String {
        var rows = [["host", "agent % of a core", "agent MB", "proxy MB"]]
        for use in idle {
            rows.append(
                [use.host]
                    + [use.agentProcessor, use.agentMemory, use.proxyMemory].map(SoakPeriod.tenths)
            )
        }
        return TextTable.text(rows)
    }

    private static let counters: [any KeyPath<AgentView, Int> & Sendable] = [
        \.peersSuspected, \.peersLost, \.leaderChanges, \.leasesEnded, \.assignments, \.stallCount,
    ]

    /// The busy times, as a table.
    public var table: String {
        var rows = [
            [
                "priority", "minutes", "busy cores", "host", "suspected", "lost", "leader changes", "leases ended",
                "assignments", "stalls", "longest ms",
            ]
        ]
        for period in periods {
            let (minutes, busy) = (SoakPeriod.tenths(period.seconds / 60), SoakPeriod.tenths(period.busyProcessors))
            for record in period.records {
                let counters = Self.counters.map { record.growth(of: $0).map(String.init) ?? "-" }
                rows.append(
                    [period.priority.rawValue, minutes, busy, record.host] + counters + ["\(record.longestStall)"]
                )
            }
        }
        return TextTable.text(rows) + periods.compactMap(Self.pauses).joined()
    }

    private static func pauses(_ period: SoakPeriod) -> String? {
        guard let pauses = period.pauses else { return nil }
        let texts = pauses.map { "\($0.host) \($0.count) times, up to \($0.longest) ms" }
        return "\nagents stopped on purpose (\(period.priority.rawValue)): " + texts.joined(separator: "; ")
    }
}

/// Columns of text.
enum TextTable {
    static func text(_ rows: [[String]]) -> String {
        guard let first = rows.first else { return "" }
        let widths = first.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}
