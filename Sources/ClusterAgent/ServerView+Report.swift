import AdminAPI
import Balancing
import ClusterModel
import ProxyControl

extension ServerView {
    /// A server for operators: its configuration with what the proxy says of it.
    ///
    /// - Parameters:
    ///   - server: The configuration.
    ///   - report: What the proxy says; nil where it does not run or does not know the server yet.
    ///   - now: Milliseconds since 1970.
    init(_ server: Server, _ report: ServerReport?, now: Int64) {
        self.init(
            name: server.name,
            endpoint: server.endpoint,
            weight: server.weight,
            state: server.state,
            health: Self.health(server, report)
        )
        isBackup = server.isBackup
        guard let report else {
            reason = "unknown"
            return
        }
        if report.node != .available {
            reason = "node \(report.node.rawValue)"
        } else {
            reason = Self.reason(server, report)
        }
        since = Milliseconds(max(0, now - report.since))
        connections = report.connections
        totalConnections = report.requests
    }

    private static func health(_ server: Server, _ report: ServerReport?) -> Health {
        switch report?.status {
        case .down: return .down
        // Of its agent, or of the server that it tracks.
        case .maint where server.state != .maint: return .down
        case .drain where server.state == .ready && report?.node == .available: return .stopping
        case .stopping: return .stopping
        case .up, .drain, .maint, nil:
            return server.check == nil && server.agent == nil && server.track == nil ? .unchecked : .up
        }
    }

    private static func reason(_ server: Server, _ report: ServerReport) -> String {
        var parts: [String] = []
        if let track = server.track { parts.append("tracks \(track.listener)/\(track.server)") }
        if let check = report.lastCheck {
            let status = check.httpStatus.map { " \($0)" } ?? ""
            parts.append(check.result.rawValue + status + (check.info.map { " \($0)" } ?? ""))
        }
        if let text = report.agentText { parts.append("agent: \(text)") }
        return parts.joined(separator: ", ")
    }
}
