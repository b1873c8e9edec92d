import CLinux
import ClusterModel
import Guard
import LinuxIO
import Logging
import Processes
import Recovery

/// The core thread's way to the guard: keeps its list true and sees that it runs.
final class GuardDesk {
    private let program: String?
    private let paths: GuardPaths
    private let realtime: Bool
    private let log: Logger
    private var list: GuardList
    /// What an earlier agent of this boot had under its lease, until this one knows what there is.
    private var inherited: GuardList?
    private var written: Basis?
    private var child: ChildProcess?
    private var nextStart = Instant(nanoseconds: 0)
    private var trouble: String?

    /// The pause before a guard that has ended is started again.
    static let restartPause = Duration.seconds(1)

    /// What the list was made of.
    private struct Basis: Equatable {
        var version: ConfigurationVersion
        var ordered: Set<IPAddress>
        var hasInherited: Bool
    }

    /// Where its files are.
    struct GuardPaths {
        var lease: String
        var list: String
    }

    init(program: String?, paths: GuardPaths, session: Random128, realtime: Bool, log: Logger) {
        self.program = program
        self.paths = paths
        self.realtime = realtime
        self.log = log
        let own = ProcessIdentity(runningAs: getpid()) ?? ProcessIdentity(pid: getpid(), startTicks: 0)
        list = GuardList(session: "\(session)", agent: own)
        if case .list(let former) = GuardList.read(paths.list) { inherited = former }
    }

    /// The node holds a lease: it knows all that the cluster may run here.
    func leaseBegan() { inherited = nil }

    /// Writes down what must end with the lease; before anything of it is started.
    ///
    /// - Parameters:
    ///   - state: What the nodes agree on; its version tells whether anything changed.
    ///   - ordered: Addresses that were started here, whatever has become of their resources.
    func update(_ state: ClusterState, ordered: Set<IPAddress>) {
        let basis = Basis(version: state.version, ordered: ordered, hasInherited: inherited != nil)
        guard basis != written else { return }
        let configuration = state.configuration
        list.addresses = ordered.union(configuration.virtualAddresses)
        let requirements = configuration.requirements()
        list.leased = Set(requirements.filter { $0.value == .lease }.keys)
        list.others = Set(requirements.filter { $0.value == .fencing }.keys)
        list.selfFence = configuration.properties.selfFence
        let time = configuration.properties.watchdogTimeout ?? ClusterProperties.defaultWatchdogTimeout
        list.watchdogSeconds = Int32(time.count / 1000)
        if let inherited {
            list.addresses.formUnion(inherited.addresses)
            list.leased.formUnion(inherited.leased.filter { list.others.contains($0) == false })
            list.others.formUnion(inherited.others.subtracting(list.leased))
        }
        do throws(SystemError) {
            try list.write(paths.list)
            written = basis
            trouble = nil
        } catch { trouble = "\(error)" }
    }

    /// Starts the guard if it does not run.
    func look(now: Instant) {
        child?.progress()
        if let exit = child?.exit {
            child = nil
            log.error("haven-guard ended with \(exit); it is started again")
            nextStart = now + Self.restartPause
        }
        guard let program, written != nil, child == nil, now >= nextStart else { return }
        nextStart = now + Self.restartPause
        var words = ["--lease", paths.lease, "--list", paths.list, "--session", list.session]
        if !realtime { words.append("--no-realtime") }
        var invocation = Invocation(program, words)
        invocation.directory = "/"
        invocation.newSession = true
        invocation.output = .descriptor(1)
        invocation.errors = .descriptor(2)
        do throws(SystemError) {
            let started = try ChildProcess(invocation)
            // It shall outlive this process.
            started.detach()
            child = started
            trouble = nil
        } catch { trouble = "\(error)" }
    }

    /// Why this resource must not start here; nil when it may.
    ///
    /// What a watchdog is to end does not begin without one.
    func objection(to resource: ResourceName) -> String? {
        guard list.selfFence == .watchdog, list.leased.contains(resource) else { return nil }
        let state = NodeGuard.watchdogState(ofList: paths.list)
        return state == "armed" ? nil : "this node has no armed watchdog (self-fence=watchdog): \(state ?? "none yet")"
    }

    /// What an operator should know.
    var warnings: [String] {
        if program == nil {
            return ["there is no haven-guard beside havend: what runs here under a lease outlives an agent that hangs"]
        }
        if let trouble { return ["haven-guard does not run: \(trouble)"] }
        guard list.selfFence == .watchdog, let state = NodeGuard.watchdogState(ofList: paths.list), state != "armed"
        else { return [] }
        return [
            "self-fence=watchdog, but the watchdog is not armed here (\(state)): what runs under a lease does not start"
        ]
    }

    /// Ends the guard, for a node that has left and runs nothing any more; otherwise it goes on without the agent.
    func shutDown(hasLeft: Bool) {
        if hasLeft { _ = unlink(paths.list) }
    }
}
