import AdminAPI
import ClusterModel
import Consensus
import LinuxIO
import Logging
import NodeCore
import TransportCore

extension AgentLoop {
    /// Tells the log; that a peer with a single link is gone is told as the peer's own loss.
    func noteLink(_ peer: NodeID, _ link: Int, isUp: Bool) {
        log.notice("link \(link) to \(name(of: peer)) is \(isUp ? "up" : "down")")
    }

    /// Every link of this node, for `haven link status` and the status.
    func linkViews() -> [LinkView] {
        let now = Clock.monotonic()
        return links.facts(now: now).map { peer, local, facts in
            var view = LinkView(
                node: name(of: peer),
                link: facts.link,
                local: local,
                remote: facts.endpoint.address,
                state: !facts.isUp ? .down : facts.heldUntil == nil ? .up : .held
            )
            view.isChosen = facts.isChosen
            view.lossInPerMille = facts.lossIn
            view.lossOutPerMille = facts.lossOut
            view.roundTripMicroseconds = facts.roundTrip.map { $0.nanoseconds / 1000 }
            view.mtu = facts.mtu
            view.lastHeard = facts.heard.map { Milliseconds((now - $0).milliseconds) }
            view.heldFor = facts.heldUntil.map { Milliseconds(($0 - now).milliseconds) }
            return view
        }
    }
}
