internal import AgentAPI
internal import CLinux
internal import ClusterModel
internal import LinuxIO
internal import Processes
internal import Recovery
internal import Supervision

/// Runs OCF agents as they are.
final class OCFAgents {
    private let loop: EventLoop
    private let environment: OCFEnvironment
    private let calls: ProcessRecords
    /// The resources for which nothing of an earlier agent goes on.
    private var settled: Set<ResourceName> = []

    init(loop: EventLoop, settings: RunnerSettings) {
        self.loop = loop
        var environment = OCFEnvironment(
            node: settings.node,
            nodeNumber: settings.nodeNumber,
            logFacility: settings.logFacility
        )
        environment.root = settings.ocfRoot
        self.environment = environment
        calls = ProcessRecords(directory: settings.stateDirectory, kind: "operation")
        // As resource-agents' own tmpfiles entry makes it. Without it agents fail, and say so.
        try? Directories.make(environment.temporaryDirectory, mode: 0o1755)
    }

    /// Runs an operation.
    ///
    /// - Returns: What cuts it short.
    func run(_ operation: Operation, _ specification: OCFSpecification, _ finish: @escaping Finish) -> (() -> Void)? {
        let settings = operation.resource.operations
        let action: OCFAction
        switch operation.kind {
        case .probe, .monitor: action = .monitor
        case .start: action = .start
        case .stop: action = .stop
        case .kill:
            ProcessSweep.kill(operation.resource.name, group: nil, loop: loop) { finish($0, nil) }
            return nil
        }
        guard let program = program(specification) else {
            finish(Self.outcomeWithoutAgent(operation.kind, environment, specification), nil)
            return nil
        }
        var variables = environment.variables(
            resource: operation.resource.name,
            specification: specification,
            action: action,
            timeout: Milliseconds(operation.timeout.milliseconds),
            interval: operation.kind == .monitor ? settings.monitorInterval : 0
        )
        variables[ProcessMark.variable] = operation.resource.name
        let call = Call()
        endEarlierCall(of: operation.resource.name) { [self] trouble in
            if let trouble { return finish(.failed(trouble), nil) }
            if call.isCancelled { return finish(.cancelled, nil) }
            call.run = change(program, operation, action, variables, finish)
        }
        return { call.cancel() }
    }

    /// An operation that may have to wait before its agent runs.
    private final class Call {
        var run: ProgramRun?
        private(set) var isCancelled = false

        func cancel() {
            isCancelled = true
            run?.cancel()
        }
    }

    /// Runs the agent; what changes something is written down until it has ended.
    private func change(
        _ program: String,
        _ operation: Operation,
        _ action: OCFAction,
        _ variables: [String: String],
        _ finish: @escaping Finish
    ) -> ProgramRun? {
        let resource = operation.resource.name
        let isChange = action != .monitor
        do throws(SystemError) {
            if isChange { try calls.write(ProcessRecord(resource: resource, process: nil)) }
        } catch {
            // A full disk must not keep anything from being stopped.
            guard action == .stop else {
                finish(.failed("\(action.rawValue) failed: \(error)"), nil)
                return nil
            }
        }
        let run = call(program, action, variables, deadline: Clock.monotonic() + operation.timeout) { [calls] outcome in
            if isChange { calls.remove(resource) }
            let (ended, code) = Self.judge(operation.kind, action, outcome)
            finish(ended, code)
        }
        if isChange, let pid = run.pid, let facts = ProcessFacts(of: pid) {
            // If this fails, the intention stays, which the next agent takes for more than there is, not for less.
            let identity = ProcessRecord.Identity(pid: pid, startTime: facts.startTime)
            try? calls.write(ProcessRecord(resource: resource, process: identity))
        }
        return run
    }

    /// Ends what an earlier agent of this node had begun and not ended: a start that goes on unseen would bring the
    /// resource up after it was found stopped here, while another node may run it.
    private func endEarlierCall(of resource: ResourceName, then next: @escaping (_ trouble: String?) -> Void) {
        if settled.contains(resource) { return next(nil) }
        let swept: (OperationOutcome) -> Void = { [self] outcome in
            if case .failed(let reason) = outcome { return next("an earlier operation cannot be ended: \(reason)") }
            calls.remove(resource)
            settled.insert(resource)
            next(nil)
        }
        switch calls.find(resource) {
        case .nothing: swept(.succeeded)
        case .record(let record):
            guard let process = record.process else {
                // It died while it started the agent: whatever carries the mark is part of it, or is stopped anyway.
                return ProcessSweep.kill(resource, group: nil, loop: loop, completion: swept)
            }
            guard ProcessFacts(of: process.pid)?.startTime == process.startTime else { return swept(.succeeded) }
            ProcessSweep.kill(nil, group: process.pid, loop: loop, completion: swept)
        case .unreadable: ProcessSweep.kill(resource, group: nil, loop: loop, completion: swept)
        }
    }

    /// Asks an agent what it is.
    func describe(
        _ specification: OCFSpecification,
        completion: @escaping (Result<AgentMetadata, AgentFailure>) -> Void
    ) {
        guard let program = program(specification) else {
            return completion(.failure(AgentFailure(Self.missing(environment, specification))))
        }
        let variables = environment.variables(describing: specification)
        let deadline = Clock.monotonic() + RunnerLimits.metadataTime
        call(program, .metadata, variables, outputLimit: RunnerLimits.metadata, deadline: deadline) { outcome in
            completion(Self.metadata(outcome, program: program))
        }
    }

    @discardableResult
    private func call(
        _ program: String,
        _ action: OCFAction,
        _ variables: [String: String],
        outputLimit: Int = RunnerLimits.agentOutput,
        deadline: Instant,
        completion: @escaping (ProgramOutcome) -> Void
    ) -> ProgramRun {
        var invocation = Invocation(program, [action.rawValue])
        invocation.environment = variables
        invocation.directory = "/"
        invocation.output = .capture(limit: outputLimit)
        // The exit reason is the last thing that an agent says.
        invocation.errors = .captureEnd(limit: RunnerLimits.agentOutput)
        // What a start leaves behind is the service.
        invocation.leftovers = .keep
        return ProgramRun.start(invocation, on: loop, deadline: deadline, completion: completion)
    }

    private static func judge(
        _ kind: OperationKind,
        _ action: OCFAction,
        _ outcome: ProgramOutcome
    ) -> (OperationOutcome, Int32?) {
        switch outcome {
        case .ended(.exited(let code), _, let errors):
            let reason = OCFExitReason.find(in: errors.bytes)
            let verdict = OCFVerdict(
                action: action,
                code: OCFExitCode(rawValue: code),
                reason: reason,
                isProbe: kind == .probe
            )
            switch verdict {
            case .success: return (.succeeded, code)
            case .notRunning: return (.notRunning, code)
            case .failed(let words): return (.failed(words), code)
            }
        case .ended(.killed(let signal), _, _):
            return (.failed("\(action.rawValue) failed: the agent was killed by signal \(signal)"), nil)
        case .timedOut: return (.timedOut, nil)
        case .cancelled: return (.cancelled, nil)
        case .notStarted(let error): return (.failed("\(action.rawValue) failed: \(error)"), nil)
        }
    }

    private static func metadata(
        _ outcome: ProgramOutcome,
        program: String
    ) -> Result<AgentMetadata, AgentFailure> {
        switch outcome {
        case .ended(let exit, let output, _):
            do throws(MetadataError) {
                return .success(try AgentMetadata(parsing: output.bytes))
            } catch {
                return .failure(AgentFailure("\(program): \(error) (\(exit))"))
            }
        case .timedOut: return .failure(AgentFailure("\(program) did not describe itself in time"))
        case .notStarted(let error): return .failure(AgentFailure(error.description))
        case .cancelled: return .failure(AgentFailure("\(program): cancelled"))
        }
    }

    private func program(_ specification: OCFSpecification) -> String? {
        guard NameRule.violation(specification.provider) == nil, NameRule.violation(specification.type) == nil
        else { return nil }
        let path = environment.program(provider: specification.provider, type: specification.type)
        return access(path, X_OK) == 0 ? path : nil
    }

    /// On a node that lacks the agent, its resource cannot run, and has nothing to stop.
    private static func outcomeWithoutAgent(
        _ kind: OperationKind,
        _ environment: OCFEnvironment,
        _ specification: OCFSpecification
    ) -> OperationOutcome {
        switch kind {
        case .probe, .monitor: .notRunning
        case .stop, .kill: .succeeded
        case .start: .failed(missing(environment, specification))
        }
    }

    private static func missing(_ environment: OCFEnvironment, _ specification: OCFSpecification) -> String {
        let path = environment.program(provider: specification.provider, type: specification.type)
        return "the agent ocf:\(specification.provider):\(specification.type) is not installed (\(path))"
    }
}
