public import ClusterModel

/// One thing that a node's runner shall do with one resource.
public struct Operation: Hashable, Sendable {
    /// Unique within this start of the agent.
    public var id: UInt64
    /// What it does.
    public var kind: OperationKind
    /// The resource as it shall be started, or as it was when it was started.
    public var resource: Resource
    /// How long it may take; past that it is killed and ends as `timedOut`.
    public var timeout: Duration

    /// States all four.
    public init(id: UInt64, kind: OperationKind, resource: Resource, timeout: Duration) {
        self.id = id
        self.kind = kind
        self.resource = resource
        self.timeout = timeout
    }
}

/// What an operation does.
public enum OperationKind: String, Hashable, Sendable {
    /// Looks whether the resource runs, without having started it.
    case probe
    /// Starts it.
    case start
    /// Stops it.
    case stop
    /// Looks whether it still works.
    case monitor
    /// Kills all that is left of it after its stop failed.
    case kill
}

/// How an operation ended.
public enum OperationOutcome: Hashable, Sendable {
    /// Done; of a probe or monitor: it runs.
    case succeeded
    /// Of a probe or monitor: it does not run.
    case notRunning
    /// It did not work, and why.
    case failed(String)
    /// It took too long and was killed.
    case timedOut
    /// It was cancelled.
    case cancelled
}

/// What a node's executor is told.
public enum ExecutorInput: Sendable {
    /// Orders arrived.
    case sheet(OrderSheet, from: NodeID)
    /// The node's lease was renewed, or is known to be over (nil), in this term.
    case lease(until: Instant?, term: Term)
    /// A configuration was applied.
    case configuration(ClusterConfiguration, version: ConfigurationVersion)
    /// What a probe of many resources at once found; those not named are probed one by one.
    case probeFinished([ResourceName: Bool])
    /// An operation ended.
    case operationEnded(ResourceName, operation: UInt64, OperationOutcome)
    /// A process that the start operation of that number left running ended by itself.
    case processExited(ResourceName, startedBy: UInt64, reason: String)
    /// The node shall leave: its resources go to others.
    case leave
    /// What is known of fence devices; passed on in reports.
    case devices(DeviceChecks)
    /// The deadline asked for has come.
    case tick
}

/// What a node's executor wants done, in this order.
public enum ExecutorEffect: Hashable, Sendable {
    /// Take every virtual IP of the cluster from this node's interfaces now, whatever else is under way.
    case dropAllVirtualIPs
    /// Run an operation; answered by one `operationEnded`.
    case run(Operation)
    /// End that operation now; answered by its `operationEnded`.
    case cancel(operation: UInt64)
    /// Send the leader this report, if there is one.
    case report(NodeReport)
}
