import ClusterModel
import Lab
import LinuxIO
import Processes

/// Carries a plan of faults out on the hosts of a lab, and repairs everything at its end.
///
/// What cannot be done, because the host is off for instance, is left out: only the cluster is on trial.
final class FaultRunner {
    private let cluster: TestCluster
    private let schedule: FaultSchedule
    /// The name and the command line of the Active/Passive process; nil where there is none.
    private let work: (resource: String, pattern: String)?
    private var commands: [ChildProcess] = []
    /// How often each kind of fault was done.
    private(set) var counts: [String: Int] = [:]

    private static let agent = "havend --state"
    private static let others = ["haven-proxy --control", "haven-guard"]

    init(_ cluster: TestCluster, _ schedule: FaultSchedule, work: (resource: String, pattern: String)? = nil) {
        self.cluster = cluster
        self.schedule = schedule
        self.work = work
    }

    /// Does all of it; `meanwhile` is called often.
    func run(meanwhile: () throws -> Void) throws {
        let start = Clock.monotonic()
        for event in schedule.events {
            while Clock.monotonic() < start + event.at {
                for command in commands { command.progress() }
                try meanwhile()
                Pause.until(min(start + event.at, Clock.monotonic() + .milliseconds(20)))
            }
            if event.isBegin { begin(event.fault) } else { end(event.fault) }
        }
        try repair()
    }

    private func begin(_ fault: Fault) {
        counts[String("\(fault)".prefix { $0 != "(" }), default: 0] += 1
        switch fault {
        case .kill(let host): signal("KILL", Self.agent, host)
        case .freeze(let host, let all):
            signal("STOP", Self.agent, host)
            if all { for other in Self.others { signal("STOP", other, host) } }
        case .freezeWork: signalWork("STOP")
        case .cut(let host): try? cluster.lab.setLink(of: host, up: false)
        case .oneWay(let from, let to): drop(from: from, at: to)
        case .partition(let groups): try? cluster.lab.partition(groups)
        case .powerOff(let host): try? cluster.lab.power(.off, host)
        case .standby(let node): order(["node", "standby", node], besides: node)
        case .move(let node):
            if let work { order(["resource", "move", work.resource, node], besides: node) }
        }
    }

    private func end(_ fault: Fault) {
        switch fault {
        case .kill, .move: break
        case .freeze(let host, _):
            for program in [Self.agent] + Self.others { signal("CONT", program, host) }
        case .freezeWork: signalWork("CONT")
        case .cut(let host): try? cluster.lab.setLink(of: host, up: true)
        case .oneWay(let from, let to): undrop(from: from, at: to)
        case .partition: try? cluster.lab.heal()
        case .powerOff(let host): try? cluster.lab.power(.on, host)
        case .standby(let node): order(["node", "unstandby", node], besides: node)
        }
    }

    /// Ends whatever may still be there, also what a fence and a boot made old.
    private func repair() throws {
        try cluster.lab.heal()
        for host in cluster.lab.hosts {
            if !host.isOn { try cluster.lab.power(.on, host.name) }
            try cluster.lab.setLink(of: host.name, up: true)
            for program in [Self.agent] + Self.others { signal("CONT", program, host.name) }
            // Only what is ours: other tables hold the leases of addresses.
            for from in cluster.lab.hosts { undrop(from: from.name, at: host.name) }
        }
        signalWork("CONT")
        let deadline = Clock.monotonic() + TestCluster.patience
        for command in commands { _ = try? command.wait(until: deadline) { $0.exit != nil } }
    }

    private func signalWork(_ name: String) {
        guard let work else { return }
        for host in cluster.lab.hosts { signal(name, work.pattern, host.name) }
    }

    private func signal(_ name: String, _ pattern: String, _ host: String) {
        _ = try? cluster.lab.host(host).run(["pkill", "-\(name)", "-f", pattern])
    }

    /// By a rule of the receiver's own, so that a power cycle takes it away, as it would a broken network card's.
    private func drop(from: String, at receiver: String) {
        guard let addresses = addresses(of: from), let host = try? cluster.lab.host(receiver) else { return }
        let rules = """
            table inet faults-\(from) {
              chain input {
                type filter hook input priority 0
                ip saddr { \(addresses) } drop
              }
            }

            """
        _ = try? host.run(["nft", "-f", "-"], input: Array(rules.utf8))
    }

    private func undrop(from: String, at receiver: String) {
        _ = try? cluster.lab.host(receiver).run(["nft", "delete", "table", "inet", "faults-\(from)"])
    }

    private func addresses(of name: String) -> String? {
        guard let host = try? cluster.lab.host(name) else { return nil }
        return "\(host.address(on: .service)), \(host.address(on: .heartbeat))"
    }

    /// An operator's command on another host than the one that it is about; nobody waits for it.
    private func order(_ words: [String], besides node: String) {
        let places = cluster.lab.hosts.filter { $0.name != node && $0.isOn }
        guard let command = try? places.first?.start(["haven"] + words) else { return }
        commands.append(command)
    }
}
