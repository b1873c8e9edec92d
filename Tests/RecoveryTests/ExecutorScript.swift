import ClusterModel
import Recovery

/// One executor, driven by hand: operations end when the test says so.
struct ExecutorScript {
    static let session = Random128(high: 1, low: 1)
    var executor = NodeExecutor(node: NodeID(1), incarnation: 1, session: session)
    var now = Instant.zero
    var effects: [ExecutorEffect] = []
    /// Operations that have been begun and not ended, by their words.
    var open: [String: Operation] = [:]
    /// The newest start operation of each resource.
    var starts: [ResourceName: UInt64] = [:]
    var report: NodeReport?
    private(set) var dropped = 0

    /// An executor that knows a configuration and has probed, with nothing running.
    init(_ configuration: ClusterConfiguration) {
        give(.configuration(configuration, version: 1))
        for resource in configuration.resources { end("probe \(resource.name)", .notRunning) }
        dropped = 0
    }

    mutating func give(_ input: ExecutorInput) {
        effects = []
        executor.receive(input, now: now, into: &effects)
        for effect in effects {
            switch effect {
            case .run(let operation):
                if operation.kind == .start { starts[operation.resource.name] = operation.id }
                open["\(operation.kind.rawValue) \(operation.resource.name)"] = operation
            case .report(let report): self.report = report
            case .dropAllVirtualIPs: dropped += 1
            case .cancel: break
            }
        }
    }

    mutating func end(_ words: String, _ outcome: OperationOutcome = .succeeded) {
        guard let operation = open.removeValue(forKey: words) else { return }
        give(.operationEnded(operation.resource.name, operation: operation.id, outcome))
    }

    mutating func lease(for milliseconds: Int64 = 480, term: Term = 1) {
        give(.lease(until: now + .milliseconds(milliseconds), term: term))
    }

    /// A sheet made with knowledge of the newest report, unless told otherwise.
    mutating func order(
        _ run: [ResourceName: Epoch],
        _ sequence: UInt64,
        term: Term = 1,
        answers: UInt64? = nil,
        version: ConfigurationVersion = 1,
        session: SessionID = session
    ) {
        let sheet = OrderSheet(
            term: term,
            sequence: sequence,
            session: session,
            answers: answers ?? report?.sequence ?? 0,
            version: version,
            run: run.sorted { $0.key < $1.key }.map { RunOrder(resource: $0.key, epoch: $0.value) }
        )
        give(.sheet(sheet, from: NodeID(2)))
    }

    mutating func wait(_ milliseconds: Int64) {
        now = now + .milliseconds(milliseconds)
        give(.tick)
    }

    /// What the newest report says, as `name@epoch state failures`.
    var states: [String] {
        report?.resources.map {
            "\($0.resource)@\($0.epoch) \($0.state.rawValue)" + ($0.failures > 0 ? " \($0.failures)" : "")
        } ?? []
    }

    var pending: [String] { open.keys.sorted() }
}
