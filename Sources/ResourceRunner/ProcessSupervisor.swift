internal import CLinux
internal import ClusterModel
internal import LinuxIO
internal import Processes
internal import Recovery
internal import Supervision

/// Resources of class `process`: starts them in a group of their own, notices their death at once, stops them wholly.
///
/// A process that leaves its group is still found by the mark in its environment; one that wipes its environment too
/// is not, and outlives its resource.
final class ProcessSupervisor {
    private let loop: EventLoop
    private let records: ProcessRecords
    private let logs: ProcessLogs
    private let sink: @Sendable (RunnerEvent) -> Void
    private var processes: [ResourceName: SupervisedProcess] = [:]

    init(loop: EventLoop, settings: RunnerSettings, sink: @escaping @Sendable (RunnerEvent) -> Void) {
        self.loop = loop
        self.sink = sink
        records = ProcessRecords(directory: settings.stateDirectory, kind: "process")
        logs = ProcessLogs(directory: settings.logDirectory)
    }

    /// Runs an operation.
    ///
    /// - Returns: What cuts it short; nothing here can be, because nothing but a stop takes time.
    func run(
        _ operation: Operation,
        _ specification: ProcessSpecification,
        _ finish: @escaping Finish
    ) -> (() -> Void)? {
        let resource = operation.resource.name
        switch operation.kind {
        case .probe, .monitor: finish(look(resource, operation.id), nil)
        case .start: finish(start(resource, specification, operation.id), nil)
        case .stop: stop(resource, grace: operation.timeout) { finish($0, nil) }
        case .kill: stop(resource, grace: .zero) { finish($0, nil) }
        }
        return nil
    }

    /// Leaves everything running for the next agent.
    func letGo() {
        for process in processes.values { process.letGo() }
        processes = [:]
    }

    private func look(_ resource: ResourceName, _ operation: UInt64) -> OperationOutcome {
        if processes[resource] != nil { return .succeeded }
        let finding = records.find(resource)
        if finding == .nothing { return .notRunning }
        if adopt(finding, startedBy: operation) { return .succeeded }
        let left = ProcessTable.members(of: resource, group: finding.group)
        guard left.isEmpty else { return .failed(Self.leftovers(left)) }
        records.remove(resource)
        return .notRunning
    }

    private func start(
        _ resource: ResourceName,
        _ specification: ProcessSpecification,
        _ operation: UInt64
    ) -> OperationOutcome {
        if let running = processes[resource] {
            running.startedBy = operation
            return .succeeded
        }
        let finding = records.find(resource)
        if finding != .nothing {
            if adopt(finding, startedBy: operation) { return .succeeded }
            let left = ProcessTable.members(of: resource, group: finding.group)
            guard left.isEmpty else { return .failed(Self.leftovers(left)) }
        }
        do throws(SystemError) {
            let invocation = try invocation(resource, specification)
            // First the intention: if the agent dies in between, the next one knows to look for the mark.
            try records.write(ProcessRecord(resource: resource, process: nil))
            try launch(invocation, resource, operation)
            return .succeeded
        } catch {
            if processes[resource] == nil { records.remove(resource) }
            return .failed(error.description)
        }
    }

    private func launch(
        _ invocation: Invocation,
        _ resource: ResourceName,
        _ operation: UInt64
    ) throws(SystemError) {
        let process = try SupervisedProcess.start(
            invocation,
            resource: resource,
            startedBy: operation,
            loop: loop
        )
        keep(process)
        // It cannot be gone: even a dead child stays until it is collected, which happens on this thread.
        let identity = ProcessFacts(of: process.pid).map {
            ProcessRecord.Identity(pid: process.pid, startTime: $0.startTime)
        }
        try records.write(ProcessRecord(resource: resource, process: identity))
    }

    private func invocation(
        _ resource: ResourceName,
        _ specification: ProcessSpecification
    ) throws(SystemError) -> Invocation {
        guard let program = specification.command.first, program.hasPrefix("/") else {
            throw SystemError(call: "start", subject: specification.command.first ?? "", code: ENOENT)
        }
        var invocation = Invocation(program, Array(specification.command.dropFirst()))
        var environment = ["PATH": Invocation.searchPath]
        environment.merge(specification.environment) { _, given in given }
        environment[ProcessMark.variable] = resource
        invocation.environment = environment
        invocation.directory = specification.directory ?? "/"
        if let user = specification.user { invocation.identity = try UserIdentity(named: user) }
        // A file and no pipe: the process outlives the agent.
        invocation.output = .append(path: logs.path(resource))
        invocation.errors = .append(path: logs.path(resource))
        invocation.leftovers = .kill
        return invocation
    }

    private func adopt(_ finding: ProcessRecord.Finding, startedBy: UInt64) -> Bool {
        guard case .record(let record) = finding,
            let process = SupervisedProcess.adopt(record, startedBy: startedBy, loop: loop)
        else { return false }
        keep(process)
        return true
    }

    private func keep(_ process: SupervisedProcess) {
        if processes.isEmpty { watchLogs() }
        processes[process.resource] = process
        process.ended = { [weak self] reason in self?.ended(process, reason) }
    }

    private func ended(_ process: SupervisedProcess, _ reason: String) {
        process.ended = nil
        processes[process.resource] = nil
        sink(.processExited(process.resource, startedBy: process.startedBy, reason: reason))
    }

    /// Asks the group to end, kills it after the grace, and succeeds when nothing of it is left.
    private func stop(
        _ resource: ResourceName,
        grace: Duration,
        _ completion: @escaping (OperationOutcome) -> Void
    ) {
        guard let process = processes[resource] else {
            if adopt(records.find(resource), startedBy: 0) { return stop(resource, grace: grace, completion) }
            return sweep(resource, group: records.find(resource).group, completion)
        }
        let sequence: StopSequence = grace == .zero ? .kill : .terminate(grace: grace)
        let stopping = ProcessStop(process, sequence, loop: loop) { [weak self] isGone in
            guard let self else { return }
            guard isGone else {
                keep(process)
                return completion(.failed("process \(process.pid) survives SIGKILL"))
            }
            processes[resource] = nil
            sweep(resource, group: process.pid, completion)
        }
        stopping.begin()
    }

    private func sweep(
        _ resource: ResourceName,
        group: Int32?,
        _ completion: @escaping (OperationOutcome) -> Void
    ) {
        ProcessSweep.kill(resource, group: group, loop: loop) { [weak self] outcome in
            if outcome == .succeeded { self?.records.remove(resource) }
            completion(outcome)
        }
    }

    private static func leftovers(_ pids: [Int32]) -> String {
        let list = pids.prefix(5).map(String.init).joined(separator: ", ")
        return "its process is gone, but has left others behind: \(list)"
    }

    /// Looks at the logs for as long as something writes them.
    private func watchLogs() {
        loop.schedule(at: Clock.monotonic() + RunnerLimits.logInterval) { [weak self] in
            guard let self, !processes.isEmpty else { return }
            for resource in processes.keys { logs.turnOver(resource) }
            watchLogs()
        }
    }
}

extension ProcessRecord.Finding {
    /// The process group that is written down.
    fileprivate var group: Int32? {
        if case .record(let record) = self { record.process?.pid } else { nil }
    }
}
