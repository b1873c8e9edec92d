public import AgentAPI
public import ClusterModel
public import LinuxIO
internal import Supervision

/// Powers nodes off by fence agents (ClusterLabs FenceAgentAPI), on a thread of its own.
///
/// Every call returns at once; results come on that thread, through the sink or the completion that was given.
public final class FenceRunner: Sendable {
    private let worker: Worker<FenceWorker.Message>
    private let sink: @Sendable (FenceEvent) -> Void

    /// How many requests may wait for the thread.
    public static let mailboxLimit = 256
    /// Where agents are looked for if nothing else is said, in that order.
    public static let standardSearchPath = ["/usr/sbin", "/usr/lib/haven/fence-agents"]
    /// How long a check may take if nothing else is said.
    public static let checkTimeout = Duration.seconds(20)

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - searchPath: The directories in which agents are looked for.
    ///   - sink: Called with every event, on the runner's thread; it must return soon.
    /// - Throws: when the kernel has no thread or descriptor left.
    public init(
        searchPath: [String] = FenceRunner.standardSearchPath,
        sink: @escaping @Sendable (FenceEvent) -> Void
    ) throws(SystemError) {
        self.sink = sink
        worker = try Worker(name: "fence", limit: Self.mailboxLimit) { loop in
            let fences = FenceWorker(loop: loop, agents: FenceAgents(searchPath: searchPath, loop: loop), sink: sink)
            return { fences.receive($0) }
        }
    }

    /// Takes an order back as far as that goes: no "off" is sent for it from now on.
    ///
    /// One that was sent cannot be called back; what becomes of it is still found out and reported.
    public func withdraw(order: UInt64) { _ = worker.post(.withdraw(order)) }

    /// Powers a node off.
    public func fence(_ order: FenceOrder) {
        if !worker.post(.fence(order)) { sink(.ended(order: order.id, .failed(Self.overload))) }
    }

    /// Asks a device whether it can be reached and logged in to (`monitor`).
    public func check(
        _ device: FenceDevice,
        timeout: Duration = FenceRunner.checkTimeout,
        completion: @escaping @Sendable (Result<Duration, FenceFailure>) -> Void
    ) {
        let posted = worker.post(.check(device, timeout, completion))
        if !posted { completion(.failure(FenceFailure(Self.overload))) }
    }

    /// Asks a device for a node's power.
    public func readPower(
        of node: NodeName,
        by device: FenceDevice,
        timeout: Duration = FenceRunner.checkTimeout,
        completion: @escaping @Sendable (PowerReading) -> Void
    ) {
        if !worker.post(.readPower(node, device, timeout, completion)) { completion(.unknown(Self.overload)) }
    }

    /// Asks an agent what it is; with the answer, `AgentMetadata.violations` checks a device's parameters.
    public func describe(
        agent: String,
        completion: @escaping @Sendable (Result<AgentMetadata, FenceFailure>) -> Void
    ) {
        if !worker.post(.describe(agent, completion)) { completion(.failure(FenceFailure(Self.overload))) }
    }

    /// Ends the thread; agents that run are killed with their process groups, and nothing is reported any more.
    public func shutDown() { _ = worker.post(.shutDown) }

    private static let overload = "more than \(mailboxLimit) requests wait for the fence runner"
}
