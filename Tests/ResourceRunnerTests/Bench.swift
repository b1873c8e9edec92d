import CLinux
import ClusterModel
import LinuxIO
import Processes
import Recovery
import Synchronization

@testable import ResourceRunner

/// A directory of a test's own, removed with it; whatever still carries its resources' mark is killed.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = "/tmp/haven-resource-\(getpid())-\(try SystemRandom.random128())"
        guard mkdir(path, 0o755) == 0 else { throw SystemError(call: "mkdir", subject: path, code: haven_errno()) }
    }

    deinit { _ = try? ChildProcess.run(Invocation("/bin/rm", ["-rf", path]), timeout: .seconds(20)) }

    /// A name that no other test uses, because processes are found by it.
    func resource(_ name: String) -> ResourceName { "\(name)-\(path.suffix(24))" }

    func write(_ name: String, _ text: String, mode: mode_t = 0o644) throws {
        let file = try Descriptor.open("\(path)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, mode: mode)
        try file.writeAll(Array(text.utf8))
    }

    func read(_ name: String) -> String {
        String(decoding: readFile("\(path)/\(name)", limit: 64 << 20) ?? [], as: UTF8.self)
    }
}

/// A runner with its events, and one operation after the other.
final class Stand: Sendable {
    let runner: ResourceRunner
    let events: AsyncStream<RunnerEvent>
    private let numbers = Atomic<UInt64>(1)

    init(_ scratch: Scratch, ocfRoot: String? = nil, keeper: AddressKeeper? = nil) throws {
        var settings = RunnerSettings(node: "n1", nodeNumber: NodeID(1))
        settings.stateDirectory = "\(scratch.path)/run/resources"
        settings.logDirectory = "\(scratch.path)/log"
        if let ocfRoot { settings.ocfRoot = ocfRoot }
        let (stream, feed) = AsyncStream.makeStream(of: RunnerEvent.self)
        events = stream
        runner = try ResourceRunner(settings: settings, keeper: keeper) { feed.yield($0) }
    }

    deinit { runner.shutDown() }

    /// Gives an operation to the runner and returns its number.
    func begin(_ kind: OperationKind, _ resource: Resource, within timeout: Duration = .seconds(20)) -> UInt64 {
        let number = numbers.wrappingAdd(1, ordering: .relaxed).oldValue
        runner.run(Operation(id: number, kind: kind, resource: resource, timeout: timeout))
        return number
    }

    /// The end of that operation; a death that is told meanwhile is an error of the test.
    func end(of number: UInt64) async throws -> OperationEnd {
        for await event in events {
            if case .ended(let end) = event, end.operation == number { return end }
            throw Unexpected(event: event)
        }
        throw CancellationError()
    }

    /// Runs an operation to its end.
    @discardableResult
    func run(
        _ kind: OperationKind,
        _ resource: Resource,
        within timeout: Duration = .seconds(20)
    ) async throws -> OperationOutcome {
        try await end(of: begin(kind, resource, within: timeout)).outcome
    }

    /// The next event.
    func next() async -> RunnerEvent? {
        for await event in events { return event }
        return nil
    }

    struct Unexpected: Error { let event: RunnerEvent }
}

/// Whether a process is gone, or dead and only waits to be collected.
func isGone(_ pid: Int32) -> Bool { ProcessFacts(of: pid)?.isDead ?? true }

func process(
    _ name: ResourceName,
    _ command: [String],
    _ change: (inout ProcessSpecification) -> Void = { _ in }
)
    -> Resource
{
    var specification = ProcessSpecification(command: command)
    change(&specification)
    return Resource(name: name, kind: .process(specification))
}

func shell(_ name: ResourceName, _ script: String) -> Resource { process(name, ["/bin/sh", "-c", script]) }

func ocf(_ name: ResourceName, _ provider: String, _ type: String, _ parameters: [String: String] = [:]) -> Resource {
    Resource(name: name, kind: .ocf(OCFSpecification(provider: provider, type: type, parameters: parameters)))
}

/// Waits, a bounded number of short times, until a condition holds that no event tells of.
func eventually(_ condition: () -> Bool) async throws -> Bool {
    for _ in 0..<1000 {
        if condition() { return true }
        // Bounded poll: a thousand times at most.
        try await Task.sleep(for: .milliseconds(10))
    }
    return false
}
