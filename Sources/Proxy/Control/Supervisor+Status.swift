import Balancing
import CLinux
import ClusterModel
import LinuxIO
import ProxyControl

extension Supervisor {
    /// What the proxy is doing now.
    func status(holdsLease: Bool) -> ProxyStatus {
        let reports = listeners.map(report)
        return ProxyStatus(
            generation: generation,
            threads: threads.count,
            residentBytes: Self.residentBytes(),
            connections: reports.reduce(0) { $0 + $1.connections },
            holdsLease: holdsLease,
            listeners: reports
        )
    }

    private func report(_ live: LiveListener) -> ListenerStatus {
        var status = ListenerStatus(name: live.planned.listener.name)
        let id = live.id
        status.connections = Int(clamping: threads.total { $0.value(.open, listener: id) })
        status.accepted = threads.total { $0.value(.accepted, listener: id) }
        status.requests = threads.total { $0.value(.requests, listener: id) }
        status.handshakeFailures = threads.total { $0.value(.handshakeFailures, listener: id) }
        status.resetWithoutLease = threads.total { $0.value(.resetWithoutLease, listener: id) }
        for reason in AnswerReason.allCases {
            let count = threads.total { $0.value(reason, listener: id) }
            if count > 0 { status.answers["\(reason.name)"] = count }
        }
        for reason in PickReason.allCases {
            let count = threads.total { $0.value(reason, picked: id) }
            if count > 0 { status.picks["\(reason)"] = count }
        }
        status.servers = live.servers.map(report)
        return status
    }

    private func report(_ live: LiveServer) -> ServerReport {
        var report = ServerReport(
            name: live.configuration.name,
            status: live.condition.status,
            node: live.node,
            since: live.since,
            lastCheck: live.lastCheck
        )
        let id = live.id
        report.connections = Int(clamping: threads.total { $0.value(.open, server: id) })
        report.idleConnections = Int(clamping: threads.total { $0.value(.idle, server: id) })
        report.requests = threads.total { $0.value(.requests, server: id) }
        report.handshakeFailures = threads.total { $0.value(.handshakeFailures, server: id) }
        report.connectFailures = threads.total { $0.value(.connectFailures, server: id) }
        report.badResponses = threads.total { $0.value(.badResponses, server: id) }
        return report
    }

    /// Resident memory of this process, from /proc/self/statm.
    private static func residentBytes() -> UInt64 {
        guard let file = try? Descriptor.open("/proc/self/statm", O_RDONLY), let bytes = try? file.read(upTo: 128)
        else { return 0 }
        let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        guard fields.count > 1, let pages = UInt64(fields[1]) else { return 0 }
        return pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))
    }
}
