internal import AgentAPI
internal import ClusterModel
internal import LinuxIO
internal import Recovery
internal import Supervision

/// How an operation ended, with an agent's exit code where there is one.
typealias Finish = (OperationOutcome, Int32?) -> Void

/// The runner's thread: hands each operation to the part that knows its kind of resource, and sees that it ends once.
final class ResourceWorker {
    /// What other threads ask for.
    enum Message: Sendable {
        case run(Operation, drops: UInt64)
        case cancel(UInt64)
        case announceAgain
        case keepAnnouncing(Bool)
        case describe(OCFSpecification, @Sendable (Result<AgentMetadata, AgentFailure>) -> Void)
        case shutDown
    }

    private let loop: EventLoop
    private let sink: @Sendable (RunnerEvent) -> Void
    private let processes: ProcessSupervisor
    private let agents: OCFAgents
    private let addresses: AddressOperations
    private var underWay: [UInt64: UnderWay] = [:]

    /// An operation that has not ended.
    private struct UnderWay {
        let operation: Operation
        let began: Instant
        /// Cuts it short; nil for what cannot be.
        var cancel: (() -> Void)?
    }

    init(
        loop: EventLoop,
        settings: RunnerSettings,
        gate: AddressGate,
        keeper: AddressKeeper?,
        sink: @escaping @Sendable (RunnerEvent) -> Void
    ) {
        self.loop = loop
        self.sink = sink
        processes = ProcessSupervisor(loop: loop, settings: settings, sink: sink)
        agents = OCFAgents(loop: loop, settings: settings)
        addresses = AddressOperations(
            loop: loop,
            network: AddressNetwork(),
            gate: gate,
            keeper: keeper,
            sink: sink
        )
    }

    func receive(_ message: Message) {
        switch message {
        case .run(let operation, let drops): run(operation, drops: drops)
        case .cancel(let number): underWay[number]?.cancel?()
        case .announceAgain: addresses.announceAgain()
        case .keepAnnouncing(let keeps): addresses.keepAnnouncing(keeps)
        case .describe(let specification, let completion): agents.describe(specification) { completion($0) }
        case .shutDown:
            processes.letGo()
            loop.stop()
        }
    }

    private func run(_ operation: Operation, drops: UInt64) {
        guard underWay.count < RunnerLimits.operations, underWay[operation.id] == nil else {
            let reason = "more than \(RunnerLimits.operations) operations at a time, or one of this number goes on"
            return sink(.ended(operation.end(.failed(reason))))
        }
        underWay[operation.id] = UnderWay(operation: operation, began: Clock.monotonic())
        let cancel = hand(operation, drops: drops) { [weak self] outcome, exitCode in
            self?.finish(operation.id, outcome, exitCode)
        }
        underWay[operation.id]?.cancel = cancel
    }

    private func hand(_ operation: Operation, drops: UInt64, _ finish: @escaping Finish) -> (() -> Void)? {
        // The name becomes part of file names.
        if let violation = NameRule.violation(operation.resource.name) {
            finish(.failed(violation), nil)
            return nil
        }
        switch operation.resource.kind {
        case .virtualIP(let address):
            finish(addresses.run(operation, address, drops: drops), nil)
            return nil
        case .process(let specification): return processes.run(operation, specification, finish)
        case .ocf(let specification): return agents.run(operation, specification, finish)
        }
    }

    private func finish(_ number: UInt64, _ outcome: OperationOutcome, _ exitCode: Int32?) {
        guard let ended = underWay.removeValue(forKey: number) else { return }
        let took = Clock.monotonic() - ended.began
        sink(.ended(ended.operation.end(outcome, exitCode: exitCode, took: took)))
    }
}
