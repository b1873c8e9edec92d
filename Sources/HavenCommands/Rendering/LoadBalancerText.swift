import AdminAPI
import ClusterModel

/// Listeners and servers as text.
enum LoadBalancerText {
    /// A section for each node.
    static func text(_ report: LoadBalancerReport) -> String {
        (report.nodes.map { text($0) } + report.silent.map { "\($0) gave no answer; see haven status" })
            .joined(separator: "\n")
    }

    static func text(_ view: LoadBalancerView) -> String {
        var lines = ["Seen by \(view.node)\(view.proxyRuns ? "" : ", whose proxy does NOT run")"]
        lines += view.listeners.flatMap { Self.lines($0) }
        if view.listeners.isEmpty { lines.append("  no listeners; haven lb listener create adds one") }
        return lines.joined(separator: "\n")
    }

    /// A line for the listener, and one for each server.
    static func lines(_ listener: ListenerView) -> [String] {
        let serving = listener.servers.filter { [.up, .unchecked].contains($0.health) && $0.state == .ready }.count
        let binds = listener.binds.map(\.description).joined(separator: ",")
        var head = "  \(listener.name) \(binds) \(listener.mode.rawValue): "
        if let failure = listener.failure { head += "NOT listening - \(failure); " }
        head += "\(serving) of \(StatusText.count(listener.servers.count, "server")) serve"
        head += ", \(StatusText.count(listener.connections, "connection"))"
        return [head] + listener.servers.map { "    \(line($0))" }
    }

    private static func line(_ server: ServerView) -> String {
        var state =
            switch server.health {
            case .up: "UP"
            case .down: "DOWN"
            case .stopping: "stopping"
            case .unchecked: "not checked"
            }
        switch server.state {
        case .ready: break
        case .drain: state += " (drain)"
        case .maint: state = "MAINT"
        }
        var text = "\(server.name) \(server.endpoint): \(state)"
        if let since = server.since { text += " for \(TimeText.duration(since))" }
        if !server.reason.isEmpty { text += ", \(server.reason)" }
        if server.isBackup { text += ", backup" }
        if server.weight != 1 { text += ", weight \(server.weight)" }
        return text + ", \(StatusText.count(server.connections, "connection"))"
    }
}
