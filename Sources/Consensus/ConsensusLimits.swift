import ClusterModel

/// Bounds of everything that consensus keeps or sends.
public enum ConsensusLimits {
    /// The most voters that a core takes; a configuration allows fewer (`ConfigurationLimits.nodes`).
    public static let voters = 128
    /// The longest command, so that one always fits an append message.
    public static let commandBytes = 384 * 1024
    /// Command bytes in one append message; a single longer command travels alone.
    ///
    /// Below the transport's 1 MiB.
    public static let appendBytes = 512 * 1024
    /// Entries in one append message.
    public static let appendEntries = 128
    /// Append messages that a follower may not yet have answered.
    public static let appendsInFlight = 8
    /// Entries that a leader accepts beyond its commit index.
    public static let uncommittedEntries = 1024
    /// Command bytes that a leader accepts beyond its commit index.
    public static let uncommittedBytes = 16 * 1024 * 1024
    /// Log entries above which the shell is asked for a snapshot.
    public static let logEntries = 4096
    /// Command bytes in the log above which the shell is asked for a snapshot.
    public static let logBytes = 16 * 1024 * 1024
    /// Entries that stay in the log behind a snapshot, so that a follower a little behind needs no snapshot.
    public static let retainedEntries = 128
    /// Bytes of a snapshot in one message.
    public static let snapshotChunkBytes = 512 * 1024
    /// The largest snapshot that is sent or taken.
    public static let snapshotBytes = 64 * 1024 * 1024
    /// Terms and indexes from the wire stay below this, so that counting on from them never runs over.
    public static let highestOrdinal: UInt64 = 1 << 62
    /// Facts of death that are kept: two of each voter, and as many of former ones.
    public static let deathFacts = 64
    /// Branches that gave way to one and are remembered by it, the newest: as many as the replicated state keeps.
    ///
    /// A node that was away for longer is compared as any other.
    public static let branchesGone = ClusterState.historiesGoneKept
    /// Messages that wait for one write; more are dropped, and whoever needs the answer asks again.
    public static let heldMessages = 256
}
