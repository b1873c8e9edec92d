import ClusterModel
import Consensus
import NodeCore
import Recovery

/// News of a whole cluster as lines of a transcript.
enum ClusterText {
    /// nil for what only fills the page.
    static func describe(_ event: NodeEvent, leads: Bool) -> String? {
        switch event {
        case .leader(let leader, let term):
            leader.map { "follows n\($0.rawValue) in term \(term)" } ?? "follows nobody in term \(term)"
        case .elected(let term): "leads term \(term)"
        case .deposed(let term): "leads term \(term) no more"
        case .peer(let peer, .alive(let holdsLease)): "n\(peer.rawValue) is alive\(holdsLease ? "" : " without lease")"
        case .peer(let peer, .suspect): "n\(peer.rawValue) is suspect"
        case .peer(let peer, .lost): "n\(peer.rawValue) is lost"
        case .peer(let peer, .left): "n\(peer.rawValue) is gone"
        case .peerRestarted(let peer, let incarnation): "n\(peer.rawValue) runs as incarnation \(incarnation)"
        case .notice(let notice): "notice: \(notice)"
        case .quorum(let holds): holds ? "has a quorum" : "has no quorum"
        case .provenDead(let fact): "knows n\(fact.node.rawValue)#\(fact.incarnation) to be dead: \(fact.proof)"
        case .voters(let voters, let isCommitted):
            "\(isCommitted ? "commits" : "takes") voters \(voters.index): "
                + voters.set.voters.map { "n\($0.node.rawValue)#\($0.incarnation)" }.joined(separator: " ")
        case .quorumFencingFails(let reason): "cannot fence for quorum: \(reason)"
        case .stalled: nil
        case .branchLost(let mark): "gives its history up for branch \(mark.generation) of n\(mark.founder.rawValue)"
        case .stopsWithAll: "stops with all others"
        case .leaseLost: "its lease has ended"
        case .applied(let change): leads ? "applies \(describe(change))" : nil
        }
    }

    static func describe(_ change: Change) -> String {
        switch change {
        case .assign(let list): "assign " + list.map { "\($0.resource)->n\($0.node.rawValue)" }.joined(separator: " ")
        case .configure: "configuration"
        case .release(let resource, let epoch): "release \(resource)@\(epoch)"
        case .announce(let node, let incarnation): "announce n\(node.rawValue) incarnation \(incarnation)"
        case .left(let node, let incarnation): "left n\(node.rawValue) incarnation \(incarnation)"
        case .fenceOrdered(let node, let incarnation, let reason):
            "fence of n\(node.rawValue) incarnation \(incarnation): \(reason)"
        case .fenceEnded(let node, let incarnation, let failure):
            "end of fence of n\(node.rawValue) incarnation \(incarnation): \(failure ?? "verified off")"
        case .fenceConfirmed(let node, let incarnation):
            "operator: n\(node.rawValue) incarnation \(incarnation) is off"
        case .stopAll: "stop all"
        case .stopAllEnded: "end of stop all"
        case .historyGaveWay(let history): "end of history \(history)"
        case .raiseLevel(let level): "level \(level)"
        case .failure(let resource, let node, let reason, let stopFailed, _, let number):
            "failure \(number) of \(resource) on n\(node.rawValue): \(reason)\(stopFailed ? " (stop)" : "")"
        case .cleanup(let resource, _): "cleanup \(resource)"
        case .move(let resource, let node): "move \(resource) to n\(node.rawValue)"
        case .found(let resource, let node, _, let besides):
            "\(resource) found on node \(node.rawValue)" + (besides.map { ", besides node \($0.rawValue)" } ?? "")
        case .moveEnded(let resource): "end of move of \(resource)"
        case .installKey(let generation, _, _): "secret \(generation) for everybody"
        case .useKey(let generation): "secret \(generation) in use"
        case .retireKeys: "earlier secrets retired"
        }
    }

    static func describe(_ message: PeerMessage) -> String {
        switch message {
        case .consensus(let message): return MessageText.describe(message)
        case .contacts(let list): return "contacts \(list.nodes.map(\.name).joined(separator: " "))"
        case .sheet(let sheet):
            let run = sheet.run.map { "\($0.resource)@\($0.epoch)" }.joined(separator: " ")
            return "sheet t\(sheet.term) #\(sheet.sequence) answers \(sheet.answers): \(run)"
        case .report(let report):
            let list = report.resources.map { "\($0.resource)@\($0.epoch) \($0.state.rawValue)" }
            let flags = (report.probed ? " probed" : "") + (report.leaving ? " leaving" : "")
            return "report #\(report.sequence) of t\(report.sheetTerm) #\(report.sheetSequence)\(flags): "
                + list.joined(separator: ", ")
        }
    }
}
