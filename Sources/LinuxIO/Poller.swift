internal import CLinux
public import ClusterModel

/// An epoll instance: says which descriptors are ready; its owner gives each a token of its own choice.
///
/// Level-triggered unless `edge` is asked for. A loop of the agent's size needs no more; the data plane builds its own
/// batch on the same shims.
public struct Poller: ~Copyable {
    private let epoll: Descriptor
    private var batch: [haven_epoll_event]

    /// The most events handed out by one `wait`.
    public static let batchSize = 256

    /// What to wait for.
    public struct Interest: OptionSet, Sendable {
        /// Raw epoll bits.
        public let rawValue: UInt32
        /// Combines raw epoll bits.
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        /// Input, or a peer that closed.
        public static let read = Interest(rawValue: EPOLLIN.rawValue | EPOLLRDHUP.rawValue)
        /// Room for output.
        public static let write = Interest(rawValue: EPOLLOUT.rawValue)
        /// Only changes are told.
        public static let edge = Interest(rawValue: EPOLLET.rawValue)
    }

    /// One ready descriptor.
    public struct Event: Sendable {
        /// The token it was registered with.
        public let token: UInt64
        /// Raw epoll bits.
        public let bits: UInt32
        /// Whether a read will not block.
        public var readable: Bool {
            bits & (EPOLLIN.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue | EPOLLRDHUP.rawValue) != 0
        }
        /// Whether a write will not block.
        public var writable: Bool { bits & (EPOLLOUT.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 }
    }

    /// Makes an empty one.
    public init() throws(SystemError) {
        epoll = Descriptor(owning: Int32(try SystemError.check("epoll_create") { haven_epoll_create() }))
        batch = Array(repeating: haven_epoll_event(), count: Self.batchSize)
    }

    /// Starts watching.
    public func add(_ descriptor: Int32, _ interest: Interest, token: UInt64) throws(SystemError) {
        try SystemError.check("epoll_ctl") {
            haven_epoll_ctl(epoll.number, EPOLL_CTL_ADD, descriptor, interest.rawValue, token)
        }
    }

    /// Changes what is waited for.
    public func modify(_ descriptor: Int32, _ interest: Interest, token: UInt64) throws(SystemError) {
        try SystemError.check("epoll_ctl") {
            haven_epoll_ctl(epoll.number, EPOLL_CTL_MOD, descriptor, interest.rawValue, token)
        }
    }

    /// Stops watching; a descriptor that is closed is no longer watched anyway.
    public func remove(_ descriptor: Int32) {
        _ = haven_epoll_ctl(epoll.number, EPOLL_CTL_DEL, descriptor, 0, 0)
    }

    /// Waits until something is ready or the deadline passes, and appends what is ready to `events`.
    public mutating func wait(until deadline: Instant?, now: Instant, into events: inout [Event]) throws(SystemError) {
        let limit = deadline.map { max(0, ($0.nanoseconds - now.nanoseconds)) } ?? -1
        let epollNumber = epoll.number
        let count = batch.withUnsafeMutableBufferPointer { buffer in
            haven_epoll_wait(epollNumber, buffer.baseAddress, Int32(buffer.count), limit)
        }
        if count == -Int(EINTR) { return }
        if count < 0 { throw SystemError(call: "epoll_wait", code: Int32(-count)) }
        for index in 0..<count {
            events.append(Event(token: batch[index].data, bits: batch[index].events))
        }
    }
}

/// Lets any thread wake a loop that waits in a `Poller`.
public struct WakeUp: ~Copyable, Sendable {
    /// Register it for reading.
    public let descriptor: Descriptor

    /// Makes one that has not been rung.
    public init() throws(SystemError) {
        descriptor = Descriptor(owning: Int32(try SystemError.check("eventfd") { haven_eventfd() }))
    }

    /// Makes the descriptor readable; callable from any thread.
    public func ring() {
        var one: UInt64 = 1
        _ = haven_write(descriptor.number, &one, 8)
    }

    /// Makes it unreadable again.
    public func clear() {
        var count: UInt64 = 0
        _ = haven_read(descriptor.number, &count, 8)
    }
}
