internal import AgentAPI
internal import CLinux
internal import ClusterModel
internal import LinuxIO
internal import Processes
internal import Supervision

/// The fence agents of this machine: where they are, what they say of themselves, and one call of one of them.
final class FenceAgents {
    private let searchPath: [String]
    private let loop: EventLoop
    private var known: [String: Known] = [:]

    private struct Known {
        let file: FileIdentity
        let metadata: AgentMetadata
    }

    /// Tells whether a file was replaced since.
    private struct FileIdentity: Equatable {
        let device: UInt
        let inode: UInt
        let size: Int
        let modified: Int
    }

    /// How long an agent may take to describe itself.
    private static let metadataLimit = Duration.seconds(10)
    /// How much an agent may write, beyond which it is read and dropped.
    private static let outputLimit = 64 * 1024
    private static let metadataSize = 1 << 20
    /// How many agents' metadata are remembered.
    private static let mostKnown = 64

    init(searchPath: [String], loop: EventLoop) {
        self.searchPath = searchPath
        self.loop = loop
    }

    /// Asks an agent for one action and hands its answer, without secrets, to the completion.
    ///
    /// - Parameters:
    ///   - action: What is asked for.
    ///   - node: The node that it is about; nil for the device itself.
    ///   - device: The device.
    ///   - deadline: When the agent is killed.
    ///   - isVoid: Asked at the last moment before the agent runs; if so, it does not.
    ///   - completion: Gets the answer.
    func ask(
        _ action: FenceAction,
        node: NodeName?,
        device: FenceDevice,
        deadline: Instant,
        unless isVoid: @escaping () -> Bool = { false },
        completion: @escaping (FenceAnswer) -> Void
    ) {
        guard let path = path(of: device.agent) else { return completion(.failed(notFound(device.agent))) }
        describe(path, deadline: deadline) { [self] described in
            let metadata = try? described.get()
            if let metadata, metadata.action(action.rawValue) == nil {
                return completion(.failed("\(device.agent) has no action \"\(action.rawValue)\""))
            }
            if isVoid() { return completion(.failed("\(action.rawValue) was not sent")) }
            let time = deadline - Clock.monotonic()
            do throws(FenceRequest.Refusal) {
                let request = try FenceRequest(action, node: node, device: device, metadata: metadata, time: time)
                call(path, request, deadline: deadline) { outcome in
                    completion(Self.answer(to: action, outcome, time: time, mask: SecretMask(device)))
                }
            } catch { completion(.failed(error.description)) }
        }
    }

    /// What an agent says of itself, from memory if its file has not changed.
    func describe(agent: String, completion: @escaping (Result<AgentMetadata, FenceFailure>) -> Void) {
        guard let path = path(of: agent) else { return completion(.failure(FenceFailure(notFound(agent)))) }
        describe(path, deadline: Clock.monotonic() + Self.metadataLimit, completion: completion)
    }

    private func describe(
        _ path: String,
        deadline: Instant,
        completion: @escaping (Result<AgentMetadata, FenceFailure>) -> Void
    ) {
        let file = Self.identity(of: path)
        if let entry = known[path], entry.file == file { return completion(.success(entry.metadata)) }
        let limit = min(deadline, Clock.monotonic() + Self.metadataLimit)
        call(path, .metadata, outputLimit: Self.metadataSize, deadline: limit) { [self] outcome in
            let result = Self.metadata(outcome, path: path)
            if case .success(let metadata) = result, let file {
                if known.count >= Self.mostKnown { known = [:] }
                known[path] = Known(file: file, metadata: metadata)
            }
            completion(result)
        }
    }

    private static func metadata(_ outcome: ProgramOutcome, path: String) -> Result<AgentMetadata, FenceFailure> {
        switch outcome {
        case .ended(let exit, let output, let errors):
            do throws(MetadataError) {
                return .success(try AgentMetadata(parsing: output.bytes))
            } catch {
                let words = SecretMask([]).summary(errors.bytes)
                return .failure(FenceFailure("\(path): \(error) (\(exit)\(words.isEmpty ? "" : ": \(words)"))"))
            }
        case .timedOut: return .failure(FenceFailure("\(path) did not describe itself in time"))
        case .notStarted(let error): return .failure(FenceFailure(error.description))
        case .cancelled: return .failure(FenceFailure("\(path): cancelled"))
        }
    }

    private static func answer(
        to action: FenceAction,
        _ outcome: ProgramOutcome,
        time: Duration,
        mask: SecretMask
    ) -> FenceAnswer {
        switch outcome {
        case .ended(.exited(let code), _, let errors):
            return FenceAnswer(action: action, exitCode: code, reason: mask.summary(errors.bytes))
        case .ended(.killed(let signal), _, _):
            return .failed("\(action.rawValue) was killed by signal \(signal)")
        case .timedOut(_, let errors):
            let words = mask.summary(errors.bytes)
            let tail = words.isEmpty ? "" : ": \(words)"
            return .failed("\(action.rawValue) got no answer within \(time.milliseconds) ms\(tail)")
        case .notStarted(let error): return .failed(error.description)
        case .cancelled: return .failed("\(action.rawValue) was cancelled")
        }
    }

    private func call(
        _ path: String,
        _ request: FenceRequest,
        outputLimit: Int = FenceAgents.outputLimit,
        deadline: Instant,
        completion: @escaping (ProgramOutcome) -> Void
    ) {
        var invocation = Invocation(path)
        // Python's warnings would bury what the agent itself says. PCMK_service is left out: it makes agents wait for ever.
        invocation.environment = ["PATH": Invocation.searchPath, "LC_ALL": "C", "PYTHONWARNINGS": "ignore"]
        invocation.directory = "/"
        invocation.input = .bytes(request.input)
        invocation.output = .capture(limit: outputLimit)
        invocation.errors = .captureEnd(limit: Self.outputLimit)
        invocation.leftovers = .kill
        ProgramRun.start(invocation, on: loop, deadline: deadline, completion: completion)
    }

    /// The first executable of that name; a name that is a path is none.
    private func path(of agent: String) -> String? {
        guard NameRule.violation(agent) == nil else { return nil }
        return searchPath.map { "\($0)/\(agent)" }.first { access($0, X_OK) == 0 && Self.identity(of: $0) != nil }
    }

    private func notFound(_ agent: String) -> String {
        "the fence agent \"\(agent)\" is not in \(searchPath.joined(separator: ", "))"
    }

    /// What tells a regular file from its replacement; nil for anything that is no regular file.
    private static func identity(of path: String) -> FileIdentity? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & mode_t(S_IFMT) == mode_t(S_IFREG) else { return nil }
        return FileIdentity(
            device: UInt(status.st_dev),
            inode: UInt(status.st_ino),
            size: Int(status.st_size),
            modified: status.st_mtim.tv_sec * 1_000_000_000 + status.st_mtim.tv_nsec
        )
    }
}
