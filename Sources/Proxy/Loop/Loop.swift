import Balancing
import CLinux
import ClusterModel
import HTTP1
import LinuxIO
import ProxyControl
import Synchronization

/// What a loop and the control thread share.
struct Mailbox: ~Copyable {
    /// The address of the newest `RouteTable`; the loop picks it up at its next pass.
    let table = Atomic<UInt>(0)
    /// The serial of the table that the loop uses now; older ones it will never touch again.
    let applied = Atomic<UInt64>(0)
    /// Raised whenever the control thread wants to know that the loop goes round.
    let beat = Atomic<UInt64>(0)
    /// The newest beat that the loop has seen.
    let beaten = Atomic<UInt64>(0)
    /// Whether the loop shall end.
    let stop = Atomic<Bool>(false)
}

/// One event loop with all its state: owned by one thread, sharing nothing but its mailbox and counters.
///
/// It lives behind one pointer and its methods mutate it in place, so there are no exclusivity checks, no reference
/// counts and no allocation on the way of a request. Those that only look are `mutating` too, where they are not inlined:
/// otherwise the compiler may hand them a copy of all of it. Slots know each other by address.
struct Loop {
    let thread: Int
    let epoll: Int32
    let wakeUp: Int32
    let threads: Int
    let mailbox: UnsafeMutablePointer<Mailbox>
    let counters: Counters
    /// The exchanges that ended last.
    let ring: ExchangeRing
    /// The counters of all loops, this one's among them: how many connections a server has altogether.
    let everyCounters: UnsafeMutablePointer<Counters>
    /// Connections per listener, over all loops.
    let connections: UnsafeMutablePointer<Atomic<Int32>>
    let lease: LeaseWord?

    var slab: Slab
    var wheel: TimerWheel
    var blocks = Blocks()
    var table: UnsafeMutablePointer<RouteTable>?
    var pools: UnsafeMutablePointer<Pool>
    var cursors: UnsafeMutablePointer<UInt32>
    /// Where `loads` are put together for a pick.
    let loads: UnsafeMutablePointer<UInt32>
    /// State of a generator for random picks.
    var randomState: UInt64
    /// How long connecting to each server usually takes, for `ConnectPatience`.
    let connectTimes: UnsafeMutablePointer<UInt32>
    var pipes: [Pipe] = []
    var pausedListeners = 0

    /// Milliseconds of the monotonic clock at the start of this pass.
    var now: Int64
    var holdsLease = true
    var hasVirtualBinds = false

    /// Where reads go: `ProxyLimits.headRoom` bytes in front of it are free for a head.
    let scratch: UnsafeMutablePointer<UInt8>
    /// Where heads are written.
    let out: UnsafeMutablePointer<UInt8>
    /// Where a cookie with dates is put together.
    let cookieText: UnsafeMutablePointer<UInt8>
    let events: UnsafeMutablePointer<haven_epoll_event>
    var requestHead = RequestHead()
    var responseHead = ResponseHead()

    private var runHead: SlotPointer?
    private var runTail: SlotPointer?
    private var runCount = 0

    /// Idle connections of one server, the most recently used first.
    struct Pool {
        var first: SlotPointer?
        var last: SlotPointer?
        var count = 0
    }

    // MARK: Life

    init(
        thread: Int,
        threads: Int,
        slots: Int,
        mailbox: UnsafeMutablePointer<Mailbox>,
        counters: Counters,
        ring: ExchangeRing,
        everyCounters: UnsafeMutablePointer<Counters>,
        connections: UnsafeMutablePointer<Atomic<Int32>>,
        wakeUp: Int32,
        lease: LeaseWord?
    ) throws(SystemError) {
        self.thread = thread
        self.threads = threads
        self.mailbox = mailbox
        self.counters = counters
        self.ring = ring
        self.everyCounters = everyCounters
        self.connections = connections
        self.wakeUp = wakeUp
        self.lease = lease
        guard let slab = Slab(capacity: slots) else { throw SystemError(call: "mmap", subject: "slab", code: ENOMEM) }
        self.slab = slab
        epoll = Int32(try SystemError.check("epoll_create") { haven_epoll_create() })
        now = haven_clock(CLOCK_MONOTONIC) / 1_000_000
        wheel = TimerWheel(now: now)
        pools = .allocate(capacity: ProxyLimits.serverIDs)
        pools.initialize(repeating: Pool(), count: ProxyLimits.serverIDs)
        cursors = .allocate(capacity: ProxyLimits.listenerIDs)
        // Threads start at different places, so that the first requests of all do not meet at one server.
        cursors.initialize(repeating: UInt32(thread), count: ProxyLimits.listenerIDs)
        loads = .allocate(capacity: PlanLimits.servers)
        loads.initialize(repeating: 0, count: PlanLimits.servers)
        // Never zero, and another one in each thread.
        randomState = UInt64(bitPattern: now) << 8 | UInt64(thread) << 1 | 1
        connectTimes = .allocate(capacity: ProxyLimits.serverIDs)
        connectTimes.initialize(repeating: 0, count: ProxyLimits.serverIDs)
        scratch = .allocate(capacity: ProxyLimits.headRoom + ProxyLimits.readBytes)
        out = .allocate(capacity: ProxyLimits.outBytes)
        cookieText = .allocate(capacity: ProxyLimits.cookieBytes)
        events = .allocate(capacity: ProxyLimits.eventsPerPass)
        let (epoll, wakeUp) = (epoll, wakeUp)
        try SystemError.check("epoll_ctl") { haven_epoll_ctl(epoll, EPOLL_CTL_ADD, wakeUp, EPOLLIN.rawValue, 0) }
    }

    mutating func run() {
        while !mailbox.pointee.stop.load(ordering: .relaxed) {
            let count = haven_epoll_wait_ms(epoll, events, Int32(ProxyLimits.eventsPerPass), waitLimit())
            now = haven_clock(CLOCK_MONOTONIC) / 1_000_000
            takeTable()
            lookAtLease()
            if count > 0 {
                for index in 0..<count { dispatch(events[index]) }
            }
            runQueued()
            while let slot = wheel.next(now: now) { expire(slot) }
            slab.recycle()
        }
        destroy()
    }

    /// How long to wait for events, in milliseconds; -1 for ever.
    private mutating func waitLimit() -> Int32 {
        if runHead != nil { return 0 }
        var limit: Int64 = -1
        if let look = wheel.nextLook() {
            let current = haven_clock(CLOCK_MONOTONIC) / 1_000_000
            limit = max(0, look - current)
        }
        if hasVirtualBinds, holdsLease, let lease {
            let left = ((lease.end?.nanoseconds ?? 0) - haven_clock(CLOCK_MONOTONIC)) / 1_000_000 + 1
            let look = min(max(0, left), ProxyLimits.leaseLook)
            limit = limit < 0 ? look : min(limit, look)
        }
        return Int32(min(limit, 60_000))
    }

    private mutating func destroy() {
        for index in 0..<slab.high {
            let slot = slab.slot(at: index)
            switch slot.pointee.kind {
            case .free, .listener: break
            case .client, .server: discard(slot, reset: false)
            }
        }
        for pipe in pipes {
            _ = haven_close(pipe.read)
            _ = haven_close(pipe.write)
        }
        slab.recycle()
        slab.destroy()
        wheel.destroy()
        blocks.destroy()
        pools.deallocate()
        cursors.deallocate()
        connectTimes.deallocate()
        loads.deallocate()
        scratch.deallocate()
        out.deallocate()
        cookieText.deallocate()
        events.deallocate()
        _ = haven_close(epoll)
        mailbox.pointee.applied.store(.max, ordering: .releasing)
    }

    // MARK: Events

    @inline(__always)
    private mutating func dispatch(_ event: haven_epoll_event) {
        guard let slot = SlotPointer(bitPattern: UInt(event.data)) else {
            var count: UInt64 = 0
            _ = haven_read(wakeUp, &count, 8)
            mailbox.pointee.beaten.store(mailbox.pointee.beat.load(ordering: .acquiring), ordering: .releasing)
            // A table that came since this pass began has rung the bell that was just silenced.
            return takeTable()
        }
        let bits = event.events
        if slot.pointee.tls != nil { noteEvent(slot, bits) }
        if bits & (EPOLLIN.rawValue | EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 {
            slot.pointee.flags.insert(.readable)
            if bits & (EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 {
                slot.pointee.flags.insert(.hup)
                if bits & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 { slot.pointee.flags.insert(.failed) }
            }
        }
        serve(slot)
    }

    /// Goes on with a slot after an event or its turn in the run queue.
    mutating func serve(_ slot: SlotPointer) {
        switch slot.pointee.kind {
        case .free: break
        case .listener: acceptClients(slot)
        case .client: serveClient(slot)
        case .server: serveServer(slot)
        }
    }

    /// Lets a slot go on at the end of this pass, after others had their turn.
    mutating func enqueue(_ slot: SlotPointer) {
        guard !slot.pointee.flags.contains(.queued) else { return }
        slot.pointee.flags.insert(.queued)
        slot.pointee.next = nil
        runCount += 1
        if let tail = runTail {
            tail.pointee.next = slot
        } else {
            runHead = slot
        }
        runTail = slot
    }

    private mutating func runQueued() {
        // What is queued while this runs waits for the next pass, so that new events are not starved.
        for _ in 0..<runCount {
            guard let slot = runHead else { return }
            dequeueFirst()
            serve(slot)
        }
    }

    private mutating func dequeueFirst() {
        guard let slot = runHead else { return }
        runHead = slot.pointee.next
        if runHead == nil { runTail = nil }
        runCount -= 1
        slot.pointee.next = nil
        slot.pointee.flags.remove(.queued)
    }

    /// Takes a slot out of the run queue, wherever it is; rare.
    mutating func dequeue(_ slot: SlotPointer) {
        guard slot.pointee.flags.contains(.queued) else { return }
        var previous: SlotPointer?
        var current = runHead
        while let here = current, here != slot {
            previous = here
            current = here.pointee.next
        }
        if let previous {
            previous.pointee.next = slot.pointee.next
        } else {
            runHead = slot.pointee.next
        }
        if runTail == slot { runTail = previous }
        runCount -= 1
        slot.pointee.next = nil
        slot.pointee.flags.remove(.queued)
    }

    /// Makes epoll tell about a socket: once, edge-triggered, for all that can happen to it.
    @inline(__always)
    mutating func register(_ slot: SlotPointer) {
        if slot.pointee.flags.contains(.registered) { return }
        slot.pointee.flags.insert(.registered)
        _ = haven_epoll_ctl(
            epoll,
            EPOLL_CTL_ADD,
            slot.pointee.fd,
            EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue,
            UInt64(UInt(bitPattern: slot))
        )
    }

    // MARK: Tables

    /// The listener's entry in the current table.
    @inline(__always)
    func listener(_ number: Int32) -> UnsafePointer<ListenerEntry> {
        guard let table, let base = table.pointee.listeners.baseAddress else {
            preconditionFailure("a connection needs a table")
        }
        return UnsafePointer(base + Int(number))
    }

    /// The server's entry in the current table.
    @inline(__always)
    func server(_ number: Int32) -> UnsafePointer<ServerEntry> {
        guard let table, let base = table.pointee.servers.baseAddress else {
            preconditionFailure("a connection needs a table")
        }
        return UnsafePointer(base + Int(number))
    }
}
