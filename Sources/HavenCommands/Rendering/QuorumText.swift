import AdminAPI
import ClusterModel

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
            let forgetful = voter.isForgetful == true ? ", lost its disk: its vote does not count yet" : ""
            return "  \(voter.node): \(last)\(incarnation)\(dead)\(forgetful)"
        }
        if let arbiter = view.arbiter { lines += Self.lines(arbiter) }
        if !view.isQuorate { lines += why(view) }
        return lines.joined(separator: "\n")
    }

    /// Why there is no quorum, and what would restore it.
    private static func why(_ view: QuorumView) -> [String] {
        let heard = view.voters.filter { $0.isHeard && $0.isForgetful != true }.count
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
            let forgetful = view.voters.filter { $0.isForgetful == true }.map(\.node).joined(separator: ", ")
            if !forgetful.isEmpty {
                lines.append("What \(forgetful) had promised went with its disk: the others decide without it.")
            }
            if names.isEmpty {
                lines.append("All voters are heard, and too few of them have their disks: haven quorum unblock")
            } else {
                lines.append("\(more) more of these must be heard for a quorum: \(names.joined(separator: ", "))")
                lines.append("If they are gone for ever: haven quorum unblock NODE …")
            }
        } else {
            lines.append("Enough voters are heard; they have not elected a leader yet.")
        }
        if let arbiter = view.arbiter, arbiter.isVetoing { lines.append(veto(arbiter)) }
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

    /// Each address of the arbiter, and why it has no say where it has none.
    private static func lines(_ arbiter: ArbiterView) -> [String] {
        let lines = arbiter.addresses.map { "Arbiter \($0.address): \(state($0))" }
        return lines + (arbiter.idleness.map { ["The arbiter has no effect: \($0)."] } ?? [])
    }

    private static func state(_ address: ArbiterView.Address) -> String {
        let time = address.since.map(TimeText.duration) ?? "0s"
        let reason = address.failure.map { " (\($0))" } ?? ""
        switch address.state {
        case .idle: return "not asked by this node"
        case .asked: return "asked, no answer yet\(reason)"
        case .answers: return "answers"
        case .silent:
            return address.hasAnswered ? "SILENT for \(time)\(reason)" : "SILENT, no answer in \(time)\(reason)"
        }
    }

    /// Why a node that would go on alone does not, and what ends that.
    private static func veto(_ arbiter: ArbiterView) -> String {
        if arbiter.addresses.contains(where: { $0.state == .answers }) {
            return
                "This node does not go on alone yet: the arbiter was silent and has to answer for some seconds first."
        }
        return "This node does not go on alone: no arbiter answers it, so it may be the one that is cut off. "
            + "The other node, or an answer of the arbiter, restores the quorum."
    }
}
