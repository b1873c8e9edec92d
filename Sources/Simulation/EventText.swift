import ClusterModel
import Consensus

/// News as lines of a transcript.
enum EventText {
    /// nil for what only fills the page: renewals of leases and accepted proposals, unless all is wanted.
    static func describe(_ event: Event, clock: VirtualClock, at time: TrueTime, isVerbose: Bool) -> String? {
        switch event {
        case .becameLeader(let term, let recoverAt):
            "leads term \(term), may recover by lease in \((recoverAt - clock.local(time)).milliseconds) ms"
        case .deposed(let term): "leads term \(term) no more"
        case .leaderChanged(let leader, let term):
            leader.map { "follows n\($0.rawValue) in term \(term)" } ?? "follows nobody in term \(term)"
        case .leaseChanged(nil): "its lease has ended"
        case .leaseChanged(let end?):
            isVerbose ? "holds its lease for \((end - clock.local(time)).milliseconds) ms" : nil
        case .peer(let peer, let state): "n\(peer.rawValue) is \(describe(state))"
        case .peerRestarted(let peer, let incarnation): "n\(peer.rawValue) runs as incarnation \(incarnation)"
        case .proposalAccepted(let token, let index, _): isVerbose ? "takes proposal \(token) as \(index)" : nil
        case .proposalRefused(let token, _, let reason): isVerbose ? "refuses proposal \(token): \(reason)" : nil
        case .snapshotInstalled(let snapshot): "installs a snapshot up to \(snapshot.lastIndex)"
        case .wantSnapshot: "wants a snapshot"
        case .transferFailed(let target):
            "keeps leading: no hand-over to \(target.map { "n\($0.rawValue)" } ?? "anybody")"
        case .quorum(let holds): holds ? "has a quorum" : "has no quorum"
        case .fenceForQuorum(let voters):
            voters.isEmpty
                ? "needs nobody dead"
                : "needs proof that \(voters.map { "n\($0.node.rawValue)#\($0.incarnation)" }.joined(separator: " ")) is dead"
        case .provenDead(let fact): "knows n\(fact.node.rawValue)#\(fact.incarnation) to be dead: \(fact.proof)"
        case .votersChanged(let voters, let isCommitted):
            "\(isCommitted ? "commits" : "takes") voters \(voters.index): "
                + voters.set.voters.map { "n\($0.node.rawValue)#\($0.incarnation)" }.joined(separator: " ")
        case .mustStop(let reason): "must stop: \(reason)"
        case .beginsAnew: "begins a branch"
        case .branchLost(let mark): "gives its branch up for \(mark.id)"
        case .branchGaveWay(let mark): "hears that branch \(mark.id) gave way"
        case .left: "has left"
        }
    }

    private static func describe(_ state: PeerState) -> String {
        switch state {
        case .alive(let holdsLease): holdsLease ? "alive" : "alive without lease"
        case .suspect: "suspect"
        case .lost: "lost"
        case .left: "gone"
        }
    }
}
