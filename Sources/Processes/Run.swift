internal import CLinux
public import ClusterModel
public import LinuxIO

/// What a program that was waited for left behind.
public struct RunResult: Sendable {
    /// How it ended.
    public let exit: ProcessExit
    /// Whether it was stopped because its time was over.
    public let timedOut: Bool
    /// What it wrote to standard output.
    public let output: CapturedOutput
    /// What it wrote to standard error.
    public let errors: CapturedOutput

    /// It ended by itself with exit code 0.
    public var isSuccess: Bool { exit.isSuccess && !timedOut }
}

extension ChildProcess {
    /// Drives the child, blocking the calling thread, until `condition` holds, it has ended, or the deadline passes.
    ///
    /// - Returns: Whether the condition holds now.
    @discardableResult
    public func wait(until deadline: Instant?, for condition: (ChildProcess) -> Bool) throws(SystemError) -> Bool {
        var poller = try Poller()
        try register(in: &poller, token: 0)
        var events: [Poller.Event] = []
        progress()
        while !condition(self) {
            let now = Clock.monotonic()
            if exit != nil { return false }
            if let deadline, now >= deadline { return false }
            events.removeAll(keepingCapacity: true)
            try poller.wait(until: deadline, now: now, into: &events)
            progress()
        }
        return true
    }

    /// Stops the process group by a sequence and waits until the process is gone.
    ///
    /// - Returns: How it ended; nil when it outlived all steps and one more second (a process that hangs in the kernel).
    public func stop(_ sequence: StopSequence) throws(SystemError) -> ProcessExit? {
        var progress = StopProgress(sequence, now: Clock.monotonic())
        while exit == nil {
            let now = Clock.monotonic()
            if let signal = progress.signal(now: now) { signalGroup(signal) }
            let isLast = progress.nextDeadline == nil
            try wait(until: progress.nextDeadline ?? now + Self.patienceAfterKill) { $0.exit != nil }
            if isLast { break }
        }
        return exit
    }

    private static let patienceAfterKill = Duration.seconds(1)

    /// Starts a program, waits for its end and returns what it wrote; blocks the calling thread.
    ///
    /// - Parameters:
    ///   - invocation: What to run.
    ///   - timeout: How long it may take.
    ///   - stop: How it is stopped when that time is over.
    /// - Returns: How it ended and what it wrote.
    /// - Throws: when it could not be started, or not even be killed.
    public static func run(
        _ invocation: Invocation,
        timeout: Duration,
        stop: StopSequence = .kill
    ) throws(SystemError) -> RunResult {
        let child = try ChildProcess(invocation)
        let finished = try child.wait(until: Clock.monotonic() + timeout) { $0.exit != nil }
        guard let exit = finished ? child.exit : try child.stop(stop) else {
            throw SystemError(call: "kill", subject: invocation.executable, code: ETIMEDOUT)
        }
        return RunResult(exit: exit, timedOut: !finished, output: child.output, errors: child.errors)
    }
}
