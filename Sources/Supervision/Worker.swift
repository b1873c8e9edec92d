internal import CLinux
public import LinuxIO

/// A thread with an event loop of its own that receives messages; for work that must not delay the caller's loop.
///
/// It runs under the normal scheduling policy, whatever its creator's is, and takes no signals.
public final class Worker<Message: Sendable>: Sendable {
    private let mailbox: Mailbox<Message>

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - name: Shown by `ps -L`; at most 15 bytes count.
    ///   - limit: How many messages may wait.
    ///   - prepare: Called once on the new thread; what it returns is called there with every message.
    /// - Throws: when the kernel has no thread or descriptor left.
    public init(
        name: String,
        limit: Int,
        prepare: @escaping @Sendable (EventLoop) -> (Message) -> Void
    ) throws(SystemError) {
        let mailbox = try Mailbox<Message>(limit: limit)
        self.mailbox = mailbox
        let loop = try EventLoop()
        let port = Port<Message>()
        _ = try loop.watch(mailbox.wakeUp.descriptor.number, .read) { _ in
            for message in mailbox.takeAll() { port.receive?(message) }
        }
        try startThread(name: name) {
            port.receive = prepare(loop)
            while !loop.isStopped {
                // A wait that fails for lack of memory is tried again: the loop's children need it.
                do throws(SystemError) { try loop.run() } catch { continue }
            }
            port.receive = nil
        }
    }

    /// Sends a message; false when too many wait already, in which case it was dropped.
    public func post(_ message: Message) -> Bool { mailbox.post(message) }
}

/// Where messages go; filled in by the thread that owns the loop.
private final class Port<Message> {
    var receive: ((Message) -> Void)?
}

/// What a new thread is to do.
private final class ThreadBody {
    let name: String
    let body: () -> Void

    init(name: String, body: @escaping () -> Void) {
        self.name = name
        self.body = body
    }
}

/// Starts a thread that nobody joins.
private func startThread(name: String, _ body: sending @escaping () -> Void) throws(SystemError) {
    let boxed = Unmanaged.passRetained(ThreadBody(name: name, body: body))
    let result = haven_thread_start_detached(enterThread, boxed.toOpaque())
    guard result == 0 else {
        boxed.release()
        throw SystemError(call: "pthread_create", subject: name, code: Int32(-result))
    }
}

private func enterThread(_ pointer: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let pointer else { return nil }
    let thread = Unmanaged<ThreadBody>.fromOpaque(pointer).takeRetainedValue()
    // Signals belong to the thread that reads them as input; one that arrived here would end the process.
    haven_thread_become_worker(thread.name)
    thread.body()
    return nil
}
