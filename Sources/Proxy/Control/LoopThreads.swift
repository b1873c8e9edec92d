import CLinux
import ClusterModel
import LinuxIO
import Synchronization

/// The event-loop threads, and the only way to talk to them.
final class LoopThreads {
    let count: Int
    let counters: [Counters]
    let rings: [ExchangeRing]
    private let mailboxes: UnsafeMutablePointer<Mailbox>
    private let everyCounters: UnsafeMutablePointer<Counters>
    private let connections: UnsafeMutablePointer<Atomic<Int32>>
    private var wakeUps: [Int32] = []
    private var threads: [pthread_t] = []

    /// Starts them; they do nothing before the first table comes.
    init(count: Int, lease: LeaseWord?) throws(SystemError) {
        self.count = count
        mailboxes = .allocate(capacity: count)
        everyCounters = .allocate(capacity: count)
        connections = .allocate(capacity: ProxyLimits.listenerIDs)
        for index in 0..<ProxyLimits.listenerIDs { (connections + index).initialize(to: Atomic<Int32>(0)) }
        var counters: [Counters] = []
        var rings: [ExchangeRing] = []
        for index in 0..<count {
            (mailboxes + index).initialize(to: Mailbox())
            guard let fresh = Counters(), let ring = ExchangeRing() else {
                throw SystemError(call: "mmap", subject: "counters", code: ENOMEM)
            }
            counters.append(fresh)
            rings.append(ring)
            (everyCounters + index).initialize(to: fresh)
        }
        self.counters = counters
        self.rings = rings
        let descriptors = Int(haven_raise_descriptor_limit())
        let slots = min(ProxyLimits.slotsPerThread, max(64, descriptors))
        for index in 0..<count { try start(index, slots: slots, lease: lease) }
    }

    private func start(_ index: Int, slots: Int, lease: LeaseWord?) throws(SystemError) {
        let wakeUp = Int32(try SystemError.check("eventfd") { haven_eventfd() })
        wakeUps.append(wakeUp)
        let loop = UnsafeMutablePointer<Loop>.allocate(capacity: 1)
        loop.initialize(
            to: try Loop(
                thread: index,
                threads: count,
                slots: slots,
                mailbox: mailboxes + index,
                counters: counters[index],
                ring: rings[index],
                everyCounters: everyCounters,
                connections: connections,
                wakeUp: wakeUp,
                lease: lease
            )
        )
        var thread = pthread_t()
        try SystemError.check("pthread_create") {
            haven_thread_start(
                &thread,
                { argument in
                    guard let loop = argument?.assumingMemoryBound(to: Loop.self) else { return nil }
                    loop.pointee.run()
                    loop.deinitialize(count: 1)
                    loop.deallocate()
                    return nil
                },
                loop
            )
        }
        threads.append(thread)
    }

    /// Hands every loop a new table.
    func publish(_ table: UnsafeMutablePointer<RouteTable>) {
        for index in 0..<count {
            mailboxes[index].table.store(UInt(bitPattern: table), ordering: .releasing)
            ring(index)
        }
    }

    /// The oldest table's serial that some loop may still use.
    var oldestInUse: UInt64 {
        var oldest = UInt64.max
        for index in 0..<count { oldest = min(oldest, mailboxes[index].applied.load(ordering: .acquiring)) }
        return oldest
    }

    /// Asks every loop to show that it goes round.
    ///
    /// - Returns: The beat that `oldestBeat` reaches when all of them have.
    func knock() -> UInt64 {
        var beat: UInt64 = 0
        for index in 0..<count {
            beat = mailboxes[index].beat.add(1, ordering: .releasing).newValue
            ring(index)
        }
        return beat
    }

    /// The beat that all loops have seen.
    var oldestBeat: UInt64 {
        var oldest = UInt64.max
        for index in 0..<count { oldest = min(oldest, mailboxes[index].beaten.load(ordering: .acquiring)) }
        return oldest
    }

    private func ring(_ index: Int) {
        var one: UInt64 = 1
        _ = haven_write(wakeUps[index], &one, 8)
    }

    /// Ends all loops, cutting what they serve, and waits for their threads.
    func stop() {
        for index in 0..<threads.count {
            mailboxes[index].stop.store(true, ordering: .releasing)
            ring(index)
        }
        for thread in threads { _ = haven_thread_join(thread) }
        threads = []
        for number in wakeUps { _ = haven_close(number) }
        wakeUps = []
    }

    deinit {
        stop()
        for fresh in counters { fresh.destroy() }
        for ring in rings { ring.destroy() }
        mailboxes.deinitialize(count: count)
        mailboxes.deallocate()
        everyCounters.deallocate()
        connections.deinitialize(count: ProxyLimits.listenerIDs)
        connections.deallocate()
    }

    /// A sum over all threads.
    func total(_ value: (Counters) -> UInt64) -> UInt64 { counters.reduce(0) { $0 &+ value($1) } }
}
