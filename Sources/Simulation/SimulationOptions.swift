import ClusterModel
public import Consensus

/// What a simulation is made of.
public struct SimulationOptions: Sendable {
    /// Voters, numbered from 1.
    public var nodes: Int
    /// Times of every core.
    public var timing = ConsensusTiming.lan
    /// The network at the start and after faults have ended.
    public var network = NetworkQuality()
    /// How long a disk takes for a batch, in nanoseconds.
    public var diskDelay: ClosedRange<Int64> = 200_000...5_000_000
    /// The largest error of a clock's rate.
    public var clockErrorPercent = 10
    /// How long a power-off by a controller takes, in nanoseconds.
    public var powerOffDelay: ClosedRange<Int64> = 500_000_000...2_000_000_000
    /// Whether a pause is reported to the core, as the agent's stall detector does.
    public var reportsStalls = true
    /// Whether every message goes through its bytes.
    public var encodesMessages = false
    /// Whether the transcript holds every message, and not just what changed.
    public var isVerbose = false
    /// Lines kept for a failure's report.
    public var transcriptLines = 80
    /// Entries that a core keeps behind a snapshot; small, so that short runs meet snapshots.
    package var retainedEntries = 8
    /// Entries after which a core asks for a snapshot.
    package var logEntries = ConsensusLimits.logEntries
    /// Bytes of a snapshot in one message.
    package var snapshotChunkBytes = 20
    /// Mistakes to be found.
    package var faults = PlantedFaults()

    /// A cluster of perfect machines but for their clocks and the order of things.
    public init(nodes: Int) { self.nodes = nodes }
}

/// Why a simulation stopped, with what is needed to see it again.
public struct SimulationFailure: Error, CustomStringConvertible, Sendable {
    /// Repeats the run exactly.
    public let seed: UInt64
    /// How many nodes.
    public let nodes: Int
    /// The broken rule.
    public let reason: String
    /// The last lines.
    public let transcript: [String]

    /// Seed, reason and transcript as text.
    public var description: String {
        (["seed \(seed), \(nodes) nodes: \(reason)"] + transcript).joined(separator: "\n")
    }
}
