internal import CLinux
public import LinuxIO

/// A program that was started by this process, to be driven by an event loop.
///
/// Register it in a `Poller`, call `progress()` at each event with its token, and look at `exit`. It never blocks. It
/// counts as ended when the started process has ended, even if processes that it left behind still hold its output:
/// what they wrote until then is kept. Owned by one thread.
public final class ChildProcess {
    /// Its process id, which is also its process group; valid until it is collected, so only as long as `exit` is nil.
    public let pid: Int32
    /// How it ended; nil while it runs.
    public private(set) var exit: ProcessExit?
    /// What it wrote to standard output so far.
    public private(set) var output = CapturedOutput()
    /// What it wrote to standard error so far.
    public private(set) var errors = CapturedOutput()

    private let pidDescriptor: Descriptor
    private let leftovers: Invocation.Leftovers
    private var inputPipe: Descriptor?
    private var unsent: ArraySlice<UInt8>
    private var outputPipe: Descriptor?
    private var errorPipe: Descriptor?
    private let outputLimit: Int
    private let errorLimit: Int
    private let keepsEnds: (output: Bool, errors: Bool)
    private var isDetached = false

    /// The most that one call of `progress` reads from one pipe, so that a flood cannot hold the loop.
    private static let readBudget = 256 * 1024
    private static let readSize = 64 * 1024

    /// Starts a program.
    ///
    /// - Throws: the reason why it could not be started: the file is not there, is not executable, and so on.
    public init(_ invocation: Invocation) throws(SystemError) {
        DetachedChildren.collect()
        let started = try Launch(invocation)
        pid = started.pid
        leftovers = invocation.leftovers
        pidDescriptor = Descriptor(owning: started.pidDescriptor)
        inputPipe = started.inputPipe.map { Descriptor(owning: $0) }
        outputPipe = started.outputPipe.map { Descriptor(owning: $0) }
        errorPipe = started.errorPipe.map { Descriptor(owning: $0) }
        outputLimit = started.outputLimit
        errorLimit = started.errorLimit
        keepsEnds = (invocation.output.keepsEnd, invocation.errors.keepsEnd)
        unsent = if case .bytes(let bytes) = invocation.input { bytes[...] } else { [] }
        sendInput()
    }

    /// An owner that forgets a running child kills it; it then stays a zombie until this process ends.
    deinit {
        guard exit == nil, !isDetached else { return }
        _ = haven_kill(-pid, SIGKILL)
        var status: Int32 = 0
        _ = haven_wait(pid, &status)
    }

    /// Watches everything that concerns this child under one token.
    public func register(in poller: inout Poller, token: UInt64) throws(SystemError) {
        try poller.add(pidDescriptor.number, .read, token: token)
        if let number = inputPipe?.number { try poller.add(number, .write, token: token) }
        if let number = outputPipe?.number { try poller.add(number, .read, token: token) }
        if let number = errorPipe?.number { try poller.add(number, .read, token: token) }
    }

    /// Does what can be done without waiting: passes input on, reads output, sees the end.
    ///
    /// A pipe that reached its end is closed here, which also takes it out of the poller.
    public func progress() {
        guard exit == nil else { return }
        // The end is looked for first: then all that the process wrote is already in the pipes.
        let ended = haven_has_ended(pid) != 0
        sendInput()
        Self.drain(&outputPipe, into: &output, limit: outputLimit, keepsEnd: keepsEnds.output)
        Self.drain(&errorPipe, into: &errors, limit: errorLimit, keepsEnd: keepsEnds.errors)
        guard ended else { return }
        if leftovers == .kill { _ = haven_kill(-pid, SIGKILL) }
        var status: Int32 = 0
        // A negative result (someone else collected it) leaves the status unknown: told as a failure.
        let collected = haven_wait(pid, &status)
        exit =
            collected <= 0
            ? .exited(code: 255) : status >= 256 ? .killed(signal: status - 256) : .exited(code: status)
        inputPipe = nil
        outputPipe = nil
        errorPipe = nil
    }

    /// Sends a signal to the whole process group; nothing happens when the process was collected already.
    public func signalGroup(_ signal: Int32) {
        guard exit == nil else { return }
        _ = haven_kill(-pid, signal)
    }

    /// Leaves it running when this value goes; nobody reads its output any more.
    ///
    /// Once it has ended it is collected when this process starts its next child.
    public func detach() {
        guard exit == nil, !isDetached else { return }
        isDetached = true
        DetachedChildren.add(pid)
    }

    private func sendInput() {
        while !unsent.isEmpty, let number = inputPipe?.number {
            let sent = unsent.withUnsafeBytes { haven_write_pipe(number, $0.baseAddress, $0.count) }
            if sent == -Int(EAGAIN) || sent == -Int(EINTR) { return }
            // EPIPE: it does not want to read more, which is its right.
            guard sent > 0 else { break }
            unsent = unsent.dropFirst(sent)
        }
        unsent = []
        inputPipe = nil
    }

    private static func drain(_ pipe: inout Descriptor?, into output: inout CapturedOutput, limit: Int, keepsEnd: Bool)
    {
        var budget = readBudget
        while budget > 0, let number = pipe?.number {
            var count = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: readSize) { buffer, filled in
                count = haven_read(number, buffer.baseAddress, readSize)
                filled = max(0, count)
            }
            if count == -Int(EAGAIN) || count == -Int(EINTR) { return }
            guard count > 0 else {
                pipe = nil
                return
            }
            budget -= count
            if keepsEnd {
                output.keepEnd(bytes, limit: limit)
            } else {
                let kept = min(count, max(0, limit - output.bytes.count))
                output.bytes += bytes.prefix(kept)
                output.dropped += count - kept
            }
        }
    }
}
