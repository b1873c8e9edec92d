public import ClusterModel
public import LinuxIO
public import Processes

/// The loop of a worker thread: descriptors, timers and children, each with a handler.
///
/// Owned by one thread. A handler may add and remove watches and timers, its own included. A handler that was removed is not called any more,
/// even if its descriptor was ready in the same pass.
public final class EventLoop {
    private var poller: Poller
    private var watches: [UInt64: Watch] = [:]
    private var timers: [Timer] = []
    private var nextNumber: UInt64 = 1
    /// Whether `stop` was called.
    public private(set) var isStopped = false

    private struct Watch {
        let descriptor: Int32?
        let handler: (Poller.Event) -> Void
    }

    private struct Timer {
        let number: UInt64
        let deadline: Instant
        let handler: () -> Void
    }

    /// Names a watch or a timer for its removal; never used twice.
    public struct Token: Hashable, Sendable {
        let number: UInt64
    }

    /// Makes an idle loop.
    public init() throws(SystemError) {
        poller = try Poller()
    }

    /// Calls the handler whenever the descriptor is ready, until the watch is removed.
    public func watch(
        _ descriptor: Int32,
        _ interest: Poller.Interest,
        _ handler: @escaping (Poller.Event) -> Void
    ) throws(SystemError) -> Token {
        let token = draw()
        try poller.add(descriptor, interest, token: token.number)
        watches[token.number] = Watch(descriptor: descriptor, handler: handler)
        return token
    }

    /// Calls the handler whenever something happened to the child, until the watch is removed.
    ///
    /// The child's descriptors leave the loop when the child is released, which its owner does right after its end.
    public func watch(_ child: ChildProcess, _ handler: @escaping () -> Void) throws(SystemError) -> Token {
        let token = draw()
        try child.register(in: &poller, token: token.number)
        watches[token.number] = Watch(descriptor: nil) { _ in handler() }
        return token
    }

    /// Calls the handler once, at the deadline or as soon after it as the thread runs.
    @discardableResult
    public func schedule(at deadline: Instant, _ handler: @escaping () -> Void) -> Token {
        let token = draw()
        let place = timers.firstIndex { $0.deadline > deadline } ?? timers.endIndex
        timers.insert(Timer(number: token.number, deadline: deadline, handler: handler), at: place)
        return token
    }

    /// Forgets a watch or a timer; one that is gone already is no error.
    public func remove(_ token: Token?) {
        guard let token else { return }
        if let watch = watches.removeValue(forKey: token.number) {
            if let descriptor = watch.descriptor { poller.remove(descriptor) }
        } else {
            timers.removeAll { $0.number == token.number }
        }
    }

    /// Ends `run` after the current handler.
    public func stop() { isStopped = true }

    /// Runs until `stop`.
    ///
    /// - Throws: only when the kernel refuses to wait, which is a fault of this program.
    public func run() throws(SystemError) {
        while !isStopped { try pass(until: nil) }
    }

    /// Waits once, at most until the deadline, and calls the handlers of what is due.
    public func pass(until deadline: Instant?) throws(SystemError) {
        var events: [Poller.Event] = []
        let limits = [timers.first?.deadline, deadline].compactMap { $0 }
        try poller.wait(until: limits.min(), now: Clock.monotonic(), into: &events)
        for event in events where !isStopped {
            watches[event.token]?.handler(event)
        }
        let now = Clock.monotonic()
        while !isStopped, let first = timers.first, first.deadline <= now {
            timers.removeFirst()
            first.handler()
        }
    }

    private func draw() -> Token {
        defer { nextNumber += 1 }
        return Token(number: nextNumber)
    }
}
