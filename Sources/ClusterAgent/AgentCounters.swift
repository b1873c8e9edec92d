import AdminAPI
import ClusterModel
import Consensus
import NodeCore

/// Counts what happened to this agent since it started, for the status.
struct AgentCounters {
    private let began: Instant
    private var view: AgentView
    private var leader: (node: NodeID, term: Term)?

    init(incarnation: Incarnation, isRealtime: Bool, now: Instant) {
        began = now
        view = AgentView(node: "", incarnation: incarnation, uptime: Milliseconds(0), isRealtime: isRealtime)
    }

    mutating func note(stall: Duration, now: Instant) {
        let stall = AgentView.Stall(uptime: uptime(now), length: Milliseconds(stall.milliseconds))
        view.stallCount += 1
        view.longestStall = max(view.longestStall, stall.length)
        view.stalls = view.stalls.suffix(AgentView.mostStalls - 1) + [stall]
    }

    mutating func note(_ event: NodeEvent) {
        switch event {
        case .peer(_, .suspect): view.peersSuspected += 1
        case .peer(_, .lost): view.peersLost += 1
        case .leader(let node?, let term):
            // Losing sight of a leader and finding it again is no change.
            if let leader, leader == (node, term) { return }
            leader = (node, term)
            view.leaderChanges += 1
        case .leaseLost: view.leasesEnded += 1
        case .applied(.assign(let assignments)): view.assignments += assignments.count
        case .peer, .leader, .elected, .deposed, .peerRestarted, .notice, .stalled, .applied, .quorum, .provenDead,
            .voters, .quorumFencingFails, .stopsWithAll, .branchLost:
            break
        }
    }

    private func uptime(_ now: Instant) -> Milliseconds { Milliseconds((now - began).milliseconds) }

    func view(of node: NodeName, now: Instant) -> AgentView {
        var view = view
        view.node = node
        view.uptime = uptime(now)
        return view
    }
}
