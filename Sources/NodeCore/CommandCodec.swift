public import ClusterModel
public import Consensus

/// How entries and states become bytes; handed in, because text formats need libraries that a core must not import.
///
/// All nodes of a cluster must use codecs that read each other's bytes, and equal configurations must have equal digests.
public struct CommandCodec: Sendable {
    /// An entry's bytes.
    public var encodeCommand: @Sendable (Command) -> [UInt8]
    /// The entry again; nil for bytes that it cannot read.
    public var decodeCommand: @Sendable ([UInt8]) -> Command?
    /// A state's bytes, for snapshots.
    public var encodeState: @Sendable (ClusterState) -> [UInt8]
    /// The state again; nil for bytes that it cannot read.
    public var decodeState: @Sendable ([UInt8]) -> ClusterState?
    /// A digest of the configuration with its version.
    public var digest: @Sendable (ClusterState) -> UInt64

    /// Joins five functions.
    public init(
        encodeCommand: @escaping @Sendable (Command) -> [UInt8],
        decodeCommand: @escaping @Sendable ([UInt8]) -> Command?,
        encodeState: @escaping @Sendable (ClusterState) -> [UInt8],
        decodeState: @escaping @Sendable ([UInt8]) -> ClusterState?,
        digest: @escaping @Sendable (ClusterState) -> UInt64
    ) {
        self.encodeCommand = encodeCommand
        self.decodeCommand = decodeCommand
        self.encodeState = encodeState
        self.decodeState = decodeState
        self.digest = digest
    }

    /// The configuration that an entry of the log asks for; nil for any other entry.
    public func configuration(in entry: LogEntry) -> ClusterConfiguration? {
        guard case .command(let bytes) = entry.payload, case .configure(_, let wanted) = decodeCommand(bytes)?.change
        else {
            return nil
        }
        return wanted
    }
}
