public import ClusterModel
public import LinuxIO
public import Processes

/// How a run of a program came out.
public enum ProgramOutcome: Sendable {
    /// It ended by itself.
    case ended(ProcessExit, output: CapturedOutput, errors: CapturedOutput)
    /// Its time was over; its process group was killed. What it had written until then.
    case timedOut(output: CapturedOutput, errors: CapturedOutput)
    /// It was cancelled; its process group was killed.
    case cancelled
    /// It could not be started, for this reason.
    case notStarted(SystemError)
}

/// One run of a program under a deadline, driven by an event loop; its whole process group ends with it when it is late.
public final class ProgramRun {
    private let loop: EventLoop
    private var child: ChildProcess?
    private var watch: EventLoop.Token?
    private var timer: EventLoop.Token?
    private var completion: ((ProgramOutcome) -> Void)?
    private var killed: KillReason?

    private enum KillReason {
        case late
        case unwanted
    }

    /// How long a killed process may take to go before its run is reported; one that hangs in the kernel is collected
    /// whenever it ends.
    private static let patienceAfterKill = Duration.seconds(1)

    private init(loop: EventLoop, completion: @escaping (ProgramOutcome) -> Void) {
        self.loop = loop
        self.completion = completion
    }

    /// The process id while it runs.
    public var pid: Int32? { child?.pid }

    /// Starts a program; `completion` is called exactly once, later, never before this returns.
    @discardableResult
    public static func start(
        _ invocation: Invocation,
        on loop: EventLoop,
        deadline: Instant,
        completion: @escaping (ProgramOutcome) -> Void
    ) -> ProgramRun {
        let run = ProgramRun(loop: loop, completion: completion)
        do throws(SystemError) {
            let child = try ChildProcess(invocation)
            run.child = child
            run.watch = try loop.watch(child) { run.progress() }
            run.timer = loop.schedule(at: deadline) { run.kill(.late) }
        } catch {
            run.timer = loop.schedule(at: Clock.monotonic()) { run.finish(.notStarted(error)) }
        }
        return run
    }

    /// Kills the process group; the completion reports `cancelled`, unless the program has ended already.
    public func cancel() { kill(.unwanted) }

    private func progress() {
        guard let child else { return }
        child.progress()
        guard let exit = child.exit else { return }
        switch killed {
        case nil: finish(.ended(exit, output: child.output, errors: child.errors))
        case .late: finish(.timedOut(output: child.output, errors: child.errors))
        case .unwanted: finish(.cancelled)
        }
        release()
    }

    private func kill(_ reason: KillReason) {
        guard let child, killed == nil, completion != nil else { return }
        killed = reason
        child.signalGroup(9)
        loop.remove(timer)
        timer = loop.schedule(at: Clock.monotonic() + Self.patienceAfterKill) { self.giveUpWaiting() }
    }

    /// Reports a process that does not even die; the watch stays, so that it is collected if it ends after all.
    private func giveUpWaiting() {
        guard let child else { return }
        switch killed {
        case .unwanted: finish(.cancelled)
        default: finish(.timedOut(output: child.output, errors: child.errors))
        }
    }

    private func finish(_ outcome: ProgramOutcome) {
        guard let completion else { return }
        self.completion = nil
        loop.remove(timer)
        timer = nil
        completion(outcome)
    }

    private func release() {
        loop.remove(watch)
        watch = nil
        child = nil
    }
}
