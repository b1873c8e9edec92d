import ClusterModel
import LinuxIO
import Logging
import Recovery
import ResourceRunner

/// The core thread's way to the runner: operations go to its thread, addresses are dropped without it.
final class OperationDesk {
    private let runner: ResourceRunner
    private var dropper: AddressDropper
    private let log: Logger
    /// Nil where the kernel cannot hold the lease of virtual IPs.
    private let keeper: AddressKeeper?
    /// What an operator should know of this machine for as long as the agent runs.
    private let notices: [String]
    /// Every address that was ordered here since the agent started, so that one whose resource is deleted meanwhile is
    /// dropped with the rest; as many as a configuration may hold resources.
    private(set) var ordered: Set<IPAddress> = []

    /// The most addresses that are remembered beyond the configuration's.
    private static let mostOrdered = 4096

    init(
        settings: RunnerSettings,
        realtimePriority: Int32?,
        inbox: Inbox<AgentNews>,
        log: Logger
    ) throws(SystemError) {
        self.log = log
        (keeper, notices) = Self.openKeeper(realtimePriority, inbox)
        for notice in notices { log.warning("\(notice)") }
        runner = try ResourceRunner(settings: settings, keeper: keeper) { event in
            switch event {
            case .ended(let end):
                inbox.put(.operationEnded(end.resource, operation: end.operation, end.outcome))
                if let remark = Self.remark(end) { inbox.put(.remark(remark)) }
            case .processExited(let resource, let startedBy, let reason):
                inbox.put(.processExited(resource, startedBy: startedBy, reason: reason))
            case .rival(let resource, let address, let hardwareAddress):
                inbox.put(.rival("\(resource): another machine (\(hardwareAddress)) answers for \(address)"))
            }
        }
        dropper = try AddressDropper(for: runner)
    }

    /// Without nf_tables virtual IPs work all the same; what they lose is named in every status.
    private static func openKeeper(
        _ realtimePriority: Int32?,
        _ inbox: Inbox<AgentNews>
    ) -> (keeper: AddressKeeper?, notices: [String]) {
        do throws(SystemError) {
            let keeper = try AddressKeeper(realtimePriority: realtimePriority) { inbox.put(.remark($0)) }
            return (keeper, [])
        } catch {
            let notice =
                "the kernel does not hold the lease of virtual IPs (\(error)): if this node hangs, nothing but haven-guard "
                + "takes them from it"
            return (nil, [notice])
        }
    }

    /// The node's lease now ends then; nil: there is none.
    func renewLease(until end: Instant?) { keeper?.renew(until: end) }

    /// These are the virtual IPs of the cluster now.
    func manage(_ configuration: ClusterConfiguration) { keeper?.manage(configuration.virtualAddresses) }

    /// What an operator should know.
    var warnings: [String] {
        let trouble = keeper?.trouble.map { "the kernel does not renew the lease of virtual IPs here: \($0)" }
        return notices + [trouble].compactMap(\.self)
    }

    /// Remembers what a start will bring here.
    func note(_ operation: Operation) {
        guard case .virtualIP(let address) = operation.resource.kind, ordered.count < Self.mostOrdered else { return }
        ordered.insert(address.address)
    }

    func run(_ operation: Operation) { runner.run(operation) }

    func cancel(_ operation: UInt64) { runner.cancel(operation) }

    /// Tells the neighbours again who has the addresses.
    func announceAgain() { runner.announceAgain() }

    /// Repeats that until told otherwise, and looks for others who answer for them.
    func keepAnnouncing(_ keeps: Bool) { runner.keepAnnouncing(keeps) }

    /// Takes every virtual IP from this node's interfaces, now.
    func dropAllVirtualIPs(of configuration: ClusterConfiguration) {
        keeper?.releaseAll()
        let addresses = ordered.union(configuration.virtualAddresses)
        if addresses.isEmpty { return }
        for failure in dropper.drop(addresses) { log.error("a virtual IP could not be removed: \(failure)") }
    }

    /// Ends the runner.
    ///
    /// - Parameter hasLeft: Whether nothing of this node's is left that the kernel must keep silent.
    func shutDown(hasLeft: Bool) {
        runner.shutDown()
        guard hasLeft else { return }
        do throws(SystemError) { try keeper?.end() } catch {
            log.error("\(error); remove them with: nft delete table inet haven, nft delete table arp haven")
        }
    }

    /// What is worth a line in the log: starts and stops, and what failed.
    private static func remark(_ end: OperationEnd) -> String? {
        let took = "\(end.took.milliseconds) ms"
        switch (end.kind, end.outcome) {
        case (.start, .succeeded), (.stop, .succeeded), (.kill, .succeeded):
            return "\(end.resource): \(end.kind.rawValue) done in \(took)"
        case (_, .failed(let reason)): return "\(end.resource): \(end.kind.rawValue) failed after \(took): \(reason)"
        case (_, .timedOut): return "\(end.resource): \(end.kind.rawValue) took too long (\(took))"
        default: return nil
        }
    }
}
