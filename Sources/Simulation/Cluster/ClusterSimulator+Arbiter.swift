import ClusterModel
import Consensus
import NodeCore

/// An address that is no node's, and who reaches it: it may veto that a node goes on alone.
extension ClusterSimulator {
    /// The arbiter's place in the network; no node has this number.
    static let arbiter = NodeID(.max)
    static let arbiterAddress = IPAddress(bytes: [192, 0, 2, 1])
    private static let longestRoundTrip: TrueTime = 3_000_000

    var hasArbiter: Bool { options.configuration.properties.arbiter?.isEmpty == false }

    /// An agent asks, and will ask again.
    mutating func askArbiter(_ index: Int, _ incarnation: Incarnation) {
        let host = hosts[index]
        guard let agent = host.agent, agent.core.incarnation == incarnation, let address = Self.arbiterAddress else {
            return
        }
        queue.insert(
            .asksArbiter(index, incarnation),
            at: now + agent.core.consensus.timing.arbiterInterval.nanoseconds
        )
        guard host.pause == nil, !agent.core.arbitersToAsk.isEmpty else { return }
        let isReached = network.reaches(from: host.id, to: Self.arbiter, random: &random)
        guard isReached, network.reaches(from: Self.arbiter, to: host.id, random: &random) else { return }
        host.arbiterAskedAt = now
        let answer = NodeInput.arbiterAnswered(address, sent: host.clock.local(now))
        let delay = Int64.random(in: 100_000...Self.longestRoundTrip, using: &random)
        queue.insert(.tell(index, incarnation, answer), at: now + delay)
    }

    /// A node goes on alone without an operator who told it to: an arbiter, if there is one, must have answered it lately.
    mutating func checkVeto(_ index: Int) {
        guard hasArbiter, !hosts[index].isToldToGoOn, let agent = hosts[index].agent else { return }
        // Its clock may be wrong by a tenth, and what it waits for comes with its next tick.
        let window = agent.core.consensus.timing.arbiterWindow.nanoseconds * 6 / 5
        if now - hosts[index].arbiterAskedAt > window {
            observer.fail("A1: \(hosts[index].id) goes on alone, and no arbiter answers it")
        }
    }
}
