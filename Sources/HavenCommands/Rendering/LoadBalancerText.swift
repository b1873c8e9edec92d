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
        let serving = listener.servers.filter { $0.health != .down && $0.state == .ready }.count
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

/// Votes and leader as text.
enum QuorumText {
    static func text(_ view: QuorumView) -> String {
        let heard = view.voters.filter(\.isHeard).count
        var lines = [
            "Quorate: \(view.isQuorate ? "yes" : "NO")",
            "Leader: \(view.leader ?? "none") (term \(view.term))",
            "Votes: \(heard) of \(view.voters.count) heard, \(view.needed) needed",
        ]
        lines += view.voters.map { voter in
            let incarnation = voter.incarnation.map { ", incarnation \($0)" } ?? ""
            let last =
                voter.isHeard
                ? "heard"
                : voter.lastHeard.map { "MISSING, last heard \(TimeText.duration($0)) ago" } ?? "MISSING, never heard"
            let dead = voter.isProvenDead == true ? ", proven dead" : ""
            return "  \(voter.node): \(last)\(incarnation)\(dead)"
        }
        if !view.isQuorate { lines += why(view) }
        return lines.joined(separator: "\n")
    }

    /// Why there is no quorum, and what would restore it.
    private static func why(_ view: QuorumView) -> [String] {
        let heard = view.voters.filter(\.isHeard).count
        let missing = view.voters.filter { !$0.isHeard }
        var lines: [String] = []
        if view.isHalf == true {
            lines.append("Half of the voters answers: what runs keeps running, nothing is started or moved.")
        }
        if view.meetsOtherHistory == true {
            lines.append("A node with another history of this cluster is heard; one of the two gives way by itself.")
        }
        let more = view.needed - heard
        if more > 0 {
            let names = missing.map { voter in
                voter.node + (voter.lastHeard.map { " (last heard \(TimeText.duration($0)) ago)" } ?? " (never heard)")
            }
            lines.append("\(more) more of these must be heard for a quorum: \(names.joined(separator: ", "))")
            lines.append("If they are gone for ever: haven quorum unblock NODE …")
        } else {
            lines.append("Enough voters are heard; they have not elected a leader yet.")
        }
        if heard * 2 == view.voters.count {
            let alive = missing.filter { $0.isProvenDead != true }.map(\.node)
            if view.isListed == false {
                lines.append(
                    "This node was started anew and is not listed as it runs, so it cannot decide with half of the voters."
                )
            } else if !alive.isEmpty {
                lines.append(
                    "Or these must be proven dead, by power-off or clean leave: \(alive.joined(separator: ", "))"
                )
            }
        }
        if let wanted = view.wantedDead, !wanted.isEmpty {
            lines.append(
                view.fencingFailure.map { "They cannot be powered off: \($0)" }
                    ?? "\(wanted.joined(separator: ", ")): being powered off"
            )
        }
        return lines
    }
}
