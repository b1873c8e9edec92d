public import AgentAPI
internal import ClusterModel
public import LinuxIO
internal import Processes
public import Recovery
internal import Supervision

/// Carries out operations on this node's resources, on a thread of its own.
///
/// Every call returns at once; what came of it is told to the sink, on that thread. When the agent ends, supervised
/// processes and addresses stay; the next agent's probes find them.
public final class ResourceRunner: Sendable {
    private let worker: Worker<ResourceWorker.Message>
    private let sink: @Sendable (RunnerEvent) -> Void
    let gate: AddressGate

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - settings: Where things are kept.
    ///   - keeper: Has the kernel hold the lease of virtual IPs; nil where it cannot.
    ///   - sink: Called with every event, on the runner's thread; it must return soon.
    /// - Throws: when the kernel has no thread or descriptor left, the directories cannot be made, or /proc is not that
    ///   of this process's pid namespace.
    public init(
        settings: RunnerSettings,
        keeper: AddressKeeper? = nil,
        sink: @escaping @Sendable (RunnerEvent) -> Void
    ) throws(SystemError) {
        self.sink = sink
        try Directories.make(settings)
        try ProcessTable.check()
        let gate = AddressGate()
        self.gate = gate
        worker = try Worker(name: "resources", limit: RunnerLimits.mailbox) { loop in
            let resources = ResourceWorker(loop: loop, settings: settings, gate: gate, keeper: keeper, sink: sink)
            return { resources.receive($0) }
        }
    }

    /// Runs an operation.
    public func run(_ operation: Operation) {
        guard !worker.post(.run(operation, drops: gate.count)) else { return }
        sink(.ended(operation.end(.failed("more than \(RunnerLimits.mailbox) requests wait for the runner"))))
    }

    /// Ends an operation now; its end is told as any other's.
    ///
    /// One that has ended already is left alone.
    public func cancel(_ operation: UInt64) { _ = worker.post(.cancel(operation)) }

    /// Tells the neighbours again which addresses are here: after a partition healed, some may have heard another owner.
    public func announceAgain() { _ = worker.post(.announceAgain) }

    /// Repeats announcements of the addresses that are here until told otherwise, and looks for others who answer for
    /// them: a node that is being powered off may still do so.
    public func keepAnnouncing(_ keeps: Bool) { _ = worker.post(.keepAnnouncing(keeps)) }

    /// Asks an OCF agent what it is: for the names of its parameters and the times that it advises.
    public func describe(
        provider: String,
        type: String,
        completion: @escaping @Sendable (Result<AgentMetadata, AgentFailure>) -> Void
    ) {
        let specification = OCFSpecification(provider: provider, type: type)
        guard !worker.post(.describe(specification, completion)) else { return }
        completion(.failure(AgentFailure("more than \(RunnerLimits.mailbox) requests wait for the runner")))
    }

    /// Ends the thread; operations under way are cut short and not told, processes and addresses stay.
    public func shutDown() { _ = worker.post(.shutDown) }
}

extension Operation {
    /// Its end, for one that did not even begin.
    func end(_ outcome: OperationOutcome, exitCode: Int32? = nil, took: Duration = .zero) -> OperationEnd {
        OperationEnd(
            operation: id,
            resource: resource.name,
            kind: kind,
            outcome: outcome,
            exitCode: exitCode,
            took: took
        )
    }
}
