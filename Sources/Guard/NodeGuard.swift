internal import CLinux
internal import ClusterModel
public import LinuxIO
internal import Netlink
internal import Processes

/// Ends what a lease covered when the agent cannot: takes virtual IPs off the node and kills leased processes.
///
/// It believes nothing but the lease word and the list, asks nobody, and needs neither of them to change in order to
/// act. It outlives the agent, and ends when there is nothing left to be guarded.
public struct NodeGuard: ~Copyable {
    private let word: LeaseWord
    private let listPath: String
    private let session: String
    private let say: (String) -> Void
    private var route: RouteSocket
    private let lastResort: LastResort
    private var cache = GuardList.Cache()
    private var list: GuardList?
    private var watchdog: Watchdog?
    /// What was told last about the watchdog.
    private var told: String?
    private var hasResorted = false
    /// Since when the node has had no lease; nil while it has one.
    private var leaselessSince: Instant?
    private var isDone = false

    /// How often the list is looked at while the node holds a lease.
    static let interval = Duration.milliseconds(100)
    /// How often it is looked while something is left that should be gone.
    static let shortInterval = Duration.milliseconds(10)
    /// How much later than its end a lease counts as over here: an agent that runs does all of this itself.
    static let delay = Duration.milliseconds(20)
    /// An agent whose loop has not gone round for so long hangs.
    static let longestPass = Duration.seconds(3)
    /// How much later than its end something that is still there makes the guard take the last resort.
    static let lastResortDelay = Duration.milliseconds(60)
    /// How long processes that need no lease may run on without one, if the agent cannot stop them itself.
    public static let patience = Duration.seconds(5)

    /// Opens what it needs, in the calling thread's network namespace.
    ///
    /// - Parameters:
    ///   - lease: The file of the lease word.
    ///   - list: The file of the list.
    ///   - session: The start of the agent that it serves.
    ///   - lastResort: What an operator may have chosen for the case that all else fails.
    ///   - say: Takes a sentence for the log.
    /// - Throws: what is not there.
    public init(
        lease: String,
        list: String,
        session: String,
        lastResort: LastResort,
        say: @escaping (String) -> Void
    ) throws(SystemError) {
        let word = try LeaseWord.open(path: lease)
        let route = try RouteSocket()
        self.word = word
        self.route = route
        listPath = list
        self.lastResort = lastResort
        self.session = session
        self.say = say
        // What another guard has written about its watchdog is not true of this one.
        _ = unlink(Self.statePath(list))
    }

    /// Guards until there is nothing to be guarded any more.
    public mutating func run() {
        while !isDone { Pause.until(pass(now: Clock.monotonic())) }
    }

    /// Looks once, does what is due, and says when to look again.
    mutating func pass(now: Instant) -> Instant {
        switch GuardList.read(listPath, &cache) {
        case .nothing: isDone = true
        // The last one that could be read still says what is to be guarded.
        case .unreadable: break
        case .list(let read):
            list = read
            // Another start of the agent has a guard of its own.
            if read.session != session { isDone = true }
        }
        guard !isDone, let list else {
            // Whoever comes next, or an operator, is in charge.
            if let armed = watchdog.take() { armed.disarm() }
            return now + Self.interval
        }
        if let end = leaseEnd(after: now) {
            leaselessSince = nil
            hasResorted = false
            attendWatchdog(list)
            return min(end, now + Self.interval)
        }
        let since = leaselessSince ?? now
        if leaselessSince == nil {
            leaselessSince = since
            say("the lease is over")
        }
        let left = endLease(list, since: since, now: now)
        // Nobody will ever write another list. With a watchdog that starves the machine ends anyway.
        if !left, watchdog == nil, now > since + Self.patience, !list.agent.isRunning { isDone = true }
        return now + (left ? Self.shortInterval : Self.interval)
    }

    /// When the lease is over; nil when it is.
    private func leaseEnd(after now: Instant) -> Instant? {
        guard let end = word.end, end + Self.delay > now else { return nil }
        return end + Self.delay
    }

    /// Whether anything was there that should not be.
    private mutating func endLease(_ list: GuardList, since: Instant, now: Instant) -> Bool {
        var found = removeAddresses(list.addresses)
        let survives = kill(list.leased)
        found = survives || found
        if survives, now > since + Self.lastResortDelay { takeLastResort(list) }
        if now > since + Self.patience, now - word.lastPass > Self.longestPass || !list.agent.isRunning {
            found = kill(list.others) || found
        }
        return found
    }

    private mutating func removeAddresses(_ addresses: Set<IPAddress>) -> Bool {
        guard !addresses.isEmpty else { return false }
        do throws(SystemError) {
            let held = try route.addresses().filter { addresses.contains($0.address) }
            for address in held {
                // The agent may have a lease again since the list was made.
                guard leaseEnd(after: Clock.monotonic()) == nil else { return true }
                if try route.remove(address) == .made { say("\(address) is taken from this node") }
            }
            return !held.isEmpty
        } catch {
            say("addresses cannot be removed: \(error)")
            return true
        }
    }

    private func kill(_ resources: Set<ResourceName>) -> Bool {
        let members = ProcessTable.marked(with: resources)
        for pid in members {
            guard leaseEnd(after: Clock.monotonic()) == nil else { return true }
            if haven_kill(pid, SIGKILL) == 0 { say("process \(pid) is killed") }
        }
        return !members.isEmpty
    }

    /// Arms and feeds the watchdog; called only while the lease holds.
    private mutating func attendWatchdog(_ list: GuardList) {
        guard list.selfFence == .watchdog else {
            if let armed = watchdog.take() { armed.disarm() }
            return tell(nil)
        }
        do throws(SystemError) {
            if watchdog == nil {
                watchdog = try Watchdog(
                    path: lastResort.device,
                    seconds: list.watchdogSeconds,
                    control: lastResort.control
                )
            }
            try watchdog?.feed()
            tell("armed")
        } catch { tell("\(error)") }
    }

    /// Writes down for the agent how the watchdog is.
    private mutating func tell(_ state: String?) {
        guard state != told else { return }
        told = state
        if let state { say("watchdog: \(state)") }
        guard let file = try? Descriptor.open(Self.statePath(listPath), O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
        else {
            return
        }
        try? file.writeAll(Array((state ?? "").utf8))
    }

    private static func statePath(_ list: String) -> String { list + ".watchdog" }

    /// How the watchdog is, as the guard of that list has written it down: `armed`, or what is wrong; nil without any.
    public static func watchdogState(ofList path: String) -> String? {
        guard let bytes = readFile(statePath(path), limit: 4096), !bytes.isEmpty else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    private mutating func takeLastResort(_ list: GuardList) {
        guard !hasResorted else { return }
        hasResorted = true
        switch list.selfFence {
        case .reboot:
            say("processes survive the lease: the machine is rebooted")
            lastResort.reboot()
        case .command:
            say("processes survive the lease: /etc/haven/self-fence is run")
            lastResort.command()
        case .watchdog: say("processes survive the lease: the watchdog is not fed")
        case .nothing, nil: say("processes survive the lease")
        }
    }
}
