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
    /// Every address that was ordered here since the agent started, so that one whose resource is deleted meanwhile is
    /// dropped with the rest; as many as a configuration may hold resources.
    private var ordered: Set<IPAddress> = []

    /// The most addresses that are remembered beyond the configuration's.
    private static let mostOrdered = 4096

    init(settings: RunnerSettings, inbox: Inbox<AgentNews>, log: Logger) throws(SystemError) {
        self.log = log
        runner = try ResourceRunner(settings: settings) { event in
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

    func run(_ operation: Operation) {
        if case .virtualIP(let address) = operation.resource.kind, operation.kind == .start,
            ordered.count < Self.mostOrdered
        {
            ordered.insert(address.address)
        }
        runner.run(operation)
    }

    func cancel(_ operation: UInt64) { runner.cancel(operation) }

    /// Tells the neighbours again who has the addresses.
    func announceAgain() { runner.announceAgain() }

    /// Repeats that until told otherwise, and looks for others who answer for them.
    func keepAnnouncing(_ keeps: Bool) { runner.keepAnnouncing(keeps) }

    /// Takes every virtual IP from this node's interfaces, now.
    func dropAllVirtualIPs(of configuration: ClusterConfiguration) {
        var addresses = ordered
        for resource in configuration.resources {
            if case .virtualIP(let specification) = resource.kind { addresses.insert(specification.address) }
        }
        if addresses.isEmpty { return }
        for failure in dropper.drop(addresses) { log.error("a virtual IP could not be removed: \(failure)") }
    }

    func shutDown() { runner.shutDown() }

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
