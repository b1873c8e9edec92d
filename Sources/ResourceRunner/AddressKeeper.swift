internal import CLinux
public import ClusterModel
public import LinuxIO
internal import Netlink
internal import Supervision
import Synchronization

/// Keeps the kernel's lease of this node's virtual IPs (`AddressLease`) up with the node's own.
///
/// Renewals come from a thread of its own, so that one that has to wait for an operator's change of firewall rules holds
/// up nothing else; the address is silent for that time if the wait is too long, and never too late.
public final class AddressKeeper: Sendable {
    private let kernel: KernelSide
    private let worker: Worker<Nudge>

    /// What the renewing thread is told; all else it looks up.
    private enum Nudge { case look }

    /// The shortest time between two renewals in which nothing but the end has moved.
    static let shortestInterval = Duration.milliseconds(25)
    /// The pause after a renewal that the kernel refused.
    static let retryInterval = Duration.milliseconds(50)

    /// Opens the kernel's side, with nothing held, in the calling thread's network namespace.
    ///
    /// - Parameters:
    ///   - realtimePriority: That of the renewing thread, where the machine allows it; nil asks for none.
    ///   - remark: Called on some thread with what an operator should see in the log.
    /// - Throws: where the kernel has no nf_tables or this process no right to use it.
    public init(
        realtimePriority: Int32?,
        remark: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(SystemError) {
        let kernel = KernelSide(try AddressLease(), remark: remark)
        self.kernel = kernel
        // One nudge stands for all that follow it until it is seen.
        worker = try Worker(name: "address-lease", limit: 1) { loop in
            if let realtimePriority { try? Scheduling.becomeRealtime(priority: realtimePriority) }
            let renewal = Renewal(loop: loop, kernel: kernel)
            return { _ in renewal.look() }
        }
    }

    /// The node's lease now ends then; nil: there is none.
    public func renew(until end: Instant?) {
        let matters = kernel.change { wish in
            wish.end = end
            // A node with a lease knows the configuration: what an earlier agent knew is not needed any more.
            if end != nil, !wish.isWhole {
                wish.isWhole = true
                wish.version += 1
                return true
            }
            return !wish.held.isEmpty
        }
        if matters { nudge() }
    }

    /// These are the virtual IPs of the cluster: nobody but a holder answers for them.
    public func manage(_ addresses: Set<IPAddress>) {
        let isNew = kernel.change { wish in
            guard wish.known != addresses else { return false }
            wish.known = addresses
            wish.version += 1
            return true
        }
        if isNew { nudge() }
    }

    /// Nothing is held any more, from now on; returns at once.
    public func releaseAll() {
        kernel.change { wish in
            wish.lingering.formUnion(wish.held)
            wish.held = []
            wish.version += 1
        }
        nudge()
    }

    /// What keeps the kernel from taking renewals; nil when nothing does.
    public var trouble: String? { kernel.change { $0.trouble } }

    /// Removes the kernel's tables: this node is no part of a cluster any more.
    public func end() throws(SystemError) { try kernel.end() }

    private func nudge() { _ = worker.post(.look) }

    /// Lets this node answer for an address from when this returns, until the lease ends.
    func admit(_ address: IPAddress) throws(SystemError) {
        kernel.change { wish in
            wish.held.insert(address)
            wish.lingering.remove(address)
            wish.version += 1
        }
        do throws(SystemError) {
            guard try kernel.write() else {
                throw SystemError(call: "hold", subject: "\(address) longer than the lease", code: ETIME)
            }
        } catch {
            silence(address)
            throw error
        }
    }

    /// Lets this node answer for it no more; it stays silent should it still be on an interface.
    func silence(_ address: IPAddress) {
        kernel.change { wish in
            wish.held.remove(address)
            wish.lingering.insert(address)
            wish.version += 1
        }
        nudge()
    }

    /// The address is not on this node any more.
    func forget(_ address: IPAddress) {
        kernel.change { wish in
            guard !wish.held.contains(address), wish.lingering.remove(address) != nil else { return }
            wish.version += 1
        }
        nudge()
    }

    /// Whether this node may answer for the address now.
    func holds(_ address: IPAddress) -> Bool {
        let now = Clock.monotonic()
        return kernel.change { wish in wish.held.contains(address) && wish.end.map { $0 > now } ?? false }
    }
}

/// What the kernel is to be told, and how it is told.
private final class KernelSide: Sendable {
    struct Wish {
        var end: Instant?
        var known: Set<IPAddress> = []
        var held: Set<IPAddress> = []
        /// Not held any more, but perhaps still on an interface.
        var lingering: Set<IPAddress> = []
        /// Whether what an earlier agent told the kernel may be forgotten.
        var isWhole = false
        var version: UInt64 = 1
        var trouble: String?
        var hasEnded = false
    }

    private struct Kernel: ~Copyable {
        var lease: AddressLease
        var version: UInt64 = 0
        var end: Instant?
        var rebuilds = 0
    }

    private let wish = Mutex(Wish())
    private let kernel: Mutex<Kernel>
    private let remark: @Sendable (String) -> Void

    init(_ lease: consuming AddressLease, remark: @escaping @Sendable (String) -> Void) {
        kernel = Mutex(Kernel(lease: lease))
        self.remark = remark
    }

    @discardableResult
    func change<Result: Sendable>(_ body: (inout Wish) -> Result) -> Result {
        wish.withLock { wish in body(&wish) }
    }

    /// Tells the kernel the newest wish.
    ///
    /// - Returns: Whether what is to be held is held.
    @discardableResult
    func write() throws(SystemError) -> Bool {
        try kernel.withLock { (kernel) throws(SystemError) -> Bool in
            // Read under the kernel's lock: a later write never tells an older wish.
            let wish = change { $0 }
            guard !wish.hasEnded else { return false }
            let silent = wish.known.union(wish.lingering)
            do throws(SystemError) {
                let isHeld = try kernel.lease.write(
                    virtual: silent,
                    isWhole: wish.isWhole,
                    held: wish.held,
                    until: wish.end
                )
                kernel.version = wish.version
                let least = Clock.monotonic() + AddressLease.margin + AddressLease.shortestRest
                // One that came too late though there is time left is tried again.
                if isHeld || wish.held.isEmpty || wish.end.map({ $0 < least }) ?? true { kernel.end = wish.end }
                tell(nil)
                if kernel.lease.rebuilds > kernel.rebuilds {
                    kernel.rebuilds = kernel.lease.rebuilds
                    remark("somebody removed the nftables tables \"haven\"; they were made again")
                }
                return isHeld
            } catch {
                tell(error.description)
                throw error
            }
        }
    }

    /// Whether the kernel knows less than it should.
    var isBehind: Bool {
        kernel.withLock { kernel in
            let wish = change { $0 }
            return kernel.version != wish.version || (!wish.held.isEmpty && kernel.end != wish.end)
        }
    }

    func end() throws(SystemError) {
        try kernel.withLock { (kernel) throws(SystemError) in
            change { $0.hasEnded = true }
            try kernel.lease.remove()
        }
    }

    private func tell(_ trouble: String?) {
        let isNew = change { wish in
            guard wish.trouble != trouble else { return false }
            wish.trouble = trouble
            return true
        }
        if isNew, let trouble { remark("the kernel does not renew the lease of virtual IPs: \(trouble)") }
    }
}

/// The renewing thread's part.
private final class Renewal {
    private let loop: EventLoop
    private let kernel: KernelSide
    private var next = Instant(nanoseconds: 0)
    private var timer: EventLoop.Token?
    private var seen: UInt64 = 0

    init(loop: EventLoop, kernel: KernelSide) {
        self.loop = loop
        self.kernel = kernel
    }

    func look() {
        guard kernel.isBehind else { return }
        let version = kernel.change { $0.version }
        let now = Clock.monotonic()
        guard now >= next || version != seen else { return lookAgain(at: next) }
        seen = version
        do throws(SystemError) {
            try kernel.write()
            next = now + AddressKeeper.shortestInterval
        } catch { next = now + AddressKeeper.retryInterval }
        if kernel.isBehind { lookAgain(at: next) }
    }

    private func lookAgain(at moment: Instant) {
        loop.remove(timer)
        timer = loop.schedule(at: moment) { [weak self] in self?.look() }
    }
}
