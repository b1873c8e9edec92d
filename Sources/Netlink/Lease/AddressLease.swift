internal import CLinux
public import ClusterModel
public import LinuxIO

/// The virtual IPs for which the kernel lets this node answer, each only until a time that the kernel itself watches.
///
/// A process that hangs or dies leaves nothing to be done: the time runs out, and from then on the node sends no ARP
/// reply and no neighbour advertisement for the address, and packets to and from it are dropped (see `LeaseTables`).
///
/// The kernel takes a time-out, not an end, and takes it at a moment that the caller does not know: the caller may be
/// stopped between reading the clock and sending. So every renewal has two steps. The first puts a mark into the kernel
/// that lives for `margin`. Then the clock is read, and what is left until the end, less `margin`, is sent together with
/// the removal of the mark. If more than `margin` passed in between, the mark is gone, and the kernel refuses all of it.
/// What it does take is therefore over at the end or before it, however long the caller was stopped.
public struct AddressLease: ~Copyable, Sendable {
    private var socket: FilterSocket
    /// What the kernel's sets hold by our doing; nil when they may hold more.
    private var virtual: Set<IPAddress>?
    /// How often the kernel refused a renewal because it came too late.
    private(set) var lateRenewals = 0
    /// How often somebody had removed the tables, and they were made again.
    public private(set) var rebuilds = 0

    /// How much earlier than asked for the kernel stops answering; also the longest that a renewal may take.
    ///
    /// At least two ticks of a kernel with 100 of them a second: times are rounded down to whole ticks.
    public static let margin = Duration.milliseconds(20)
    /// A rest that is shorter than this is none: kernels before 6.12 never end a time-out below one tick.
    public static let shortestRest = Duration.milliseconds(20)
    /// The most addresses of either family.
    public static let mostAddresses = LeaseTables.mostAddresses
    /// How often a renewal that came too late is tried again at once.
    private static let attempts = 3
    private static let mark: [UInt8] = [0, 0, 0, 1]

    /// Opens the socket in the calling thread's network namespace and makes the tables, with nothing held.
    ///
    /// Addresses that were virtual for an earlier process stay so until `write` is told all that are.
    ///
    /// - Throws: where the kernel has no nf_tables, or the process has no right to use it.
    public init() throws(SystemError) {
        var socket = try FilterSocket()
        try Self.prepare(&socket)
        self.socket = socket
    }

    /// Says which addresses are virtual, and for which of them this node may answer until then.
    ///
    /// - Parameters:
    ///   - virtual: Every address that nobody but a holder may answer for; what is held belongs to them.
    ///   - isWhole: Whether addresses that an earlier process knew are forgotten.
    ///   - held: Those that this node answers for; the others are silent from now on.
    ///   - end: Until when, by the monotonic clock; nil holds nothing.
    /// - Returns: Whether the addresses are held; false when the time is over or nearly so.
    /// - Throws: what the kernel refused; then nothing has changed, and what was held runs out.
    @discardableResult
    public mutating func write(
        virtual: Set<IPAddress>,
        isWhole: Bool = true,
        held: Set<IPAddress>,
        until end: Instant?
    ) throws(SystemError) -> Bool {
        try write(virtual: virtual, isWhole: isWhole, held: held, until: end) {}
    }

    /// The same, with something that happens between the reading of the clock and the sending.
    mutating func write(
        virtual: Set<IPAddress>,
        isWhole: Bool,
        held: Set<IPAddress>,
        until end: Instant?,
        gap: () -> Void
    ) throws(SystemError) -> Bool {
        let everything = virtual.union(held)
        guard LeaseTables.mostAddresses >= everything.count else {
            throw SystemError(call: "nf_tables", subject: "\(everything.count) addresses", code: E2BIG)
        }
        if let end, !held.isEmpty {
            for _ in 0..<Self.attempts {
                try setMark()
                let now = Clock.monotonic()
                let rest = end - now - Self.margin
                guard rest >= Self.shortestRest else { break }
                gap()
                guard try send(everything, isWhole, held, milliseconds: rest.milliseconds) else { continue }
                // The kernel may have begun in time and ended late.
                if Clock.monotonic() < now + Self.margin { return true }
            }
        }
        if try !send(everything, isWhole, [], milliseconds: nil) {
            try rebuild()
            _ = try send(everything, isWhole, [], milliseconds: nil)
        }
        return false
    }

    /// Removes the tables: nothing stands between anybody and any address any more.
    public mutating func remove() throws(SystemError) { try Self.remove(&socket) }

    /// Removes tables that another process left; none are no error.
    public static func removeTables() throws(SystemError) {
        var socket = try FilterSocket()
        try remove(&socket)
    }

    private static func remove(_ socket: inout FilterSocket) throws(SystemError) {
        for family in FilterBatch.Family.allCases {
            var batch = FilterBatch()
            LeaseTables.remove(family, in: &batch)
            do throws(SystemError) { try socket.commit(batch, "remove tables") } catch {
                guard error.code == ENOENT else { throw error }
            }
        }
    }

    private static func prepare(_ socket: inout FilterSocket) throws(SystemError) {
        do throws(SystemError) {
            var batch = FilterBatch()
            LeaseTables.prepare(in: &batch)
            try socket.commit(batch, "make tables")
        } catch {
            guard [EEXIST, EINVAL, EOPNOTSUPP, EBUSY].contains(error.code) else { throw error }
            // Tables of our name that another version made.
            var batch = FilterBatch()
            for family in FilterBatch.Family.allCases {
                LeaseTables.make(family, in: &batch)
                LeaseTables.remove(family, in: &batch)
            }
            LeaseTables.prepare(in: &batch)
            try socket.commit(batch, "make tables")
        }
    }

    /// Somebody has removed the tables, with all others perhaps: they come back at once.
    private mutating func rebuild() throws(SystemError) {
        rebuilds += 1
        virtual = nil
        try Self.prepare(&socket)
    }

    private mutating func setMark() throws(SystemError) {
        var batch = FilterBatch()
        LeaseTables.add([Self.mark], to: LeaseTables.pulse, milliseconds: Self.margin.milliseconds, in: &batch)
        do throws(SystemError) { try socket.commit(batch, "renew") } catch {
            guard error.code == ENOENT else { throw error }
            try rebuild()
            try socket.commit(batch, "renew")
        }
    }

    /// Writes the sets; false when the mark, or all of the tables, are gone.
    private mutating func send(
        _ everything: Set<IPAddress>,
        _ isWhole: Bool,
        _ held: Set<IPAddress>,
        milliseconds: Int64?
    ) throws(SystemError) -> Bool {
        var batch = FilterBatch()
        if milliseconds != nil { LeaseTables.remove(Self.mark, from: LeaseTables.pulse, in: &batch) }
        if virtual != everything {
            for (set, family) in LeaseTables.virtual {
                if isWhole { LeaseTables.clear(set, in: &batch) }
                LeaseTables.add(Self.keys(everything, family), to: set, milliseconds: nil, in: &batch)
            }
        }
        // All are written anew, and together: kernels before 6.12 do not renew an element that is there.
        for (set, family) in LeaseTables.held {
            LeaseTables.clear(set, in: &batch)
            LeaseTables.add(Self.keys(held, family), to: set, milliseconds: milliseconds, in: &batch)
        }
        do throws(SystemError) { try socket.commit(batch, "renew") } catch {
            guard error.code == ENOENT else { throw error }
            if milliseconds != nil { lateRenewals += 1 }
            return false
        }
        virtual = isWhole ? everything : nil
        return true
    }

    private static func keys(_ addresses: Set<IPAddress>, _ family: IPAddress.Family) -> [[UInt8]] {
        addresses.filter { $0.family == family }.map(\.bytes).sorted { $0.lexicographicallyPrecedes($1) }
    }
}
