public import ClusterModel
public import Recovery

/// What a runner tells its agent.
public enum RunnerEvent: Hashable, Sendable {
    /// An operation ended; exactly once for each that was run.
    case ended(OperationEnd)
    /// A process that the operation `startedBy` left running (its start, or the probe that found it) ended by itself.
    case processExited(ResourceName, startedBy: UInt64, reason: String)
    /// Another machine answers for an address that is here; told once for each while announcements are repeated.
    case rival(ResourceName, IPAddress, hardwareAddress: String)
}

/// The end of an operation, with what history wants to know.
public struct OperationEnd: Hashable, Sendable {
    /// The operation's number.
    public var operation: UInt64
    /// Its resource.
    public var resource: ResourceName
    /// What it did.
    public var kind: OperationKind
    /// How it ended.
    public var outcome: OperationOutcome
    /// An agent's exit code; nil where no agent ran to its end.
    public var exitCode: Int32?
    /// How long it took.
    public var took: Duration
}

/// Why an agent cannot be described.
public struct AgentFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The sentence.
    public let reason: String

    /// States a reason.
    public init(_ reason: String) { self.reason = reason }

    /// The text form.
    public var description: String { reason }
}
