import AdminAPI
import ClusterModel
import Consensus
import NodeCore

extension StatusBuilder {
    /// The times in force on this node.
    func timing() -> TimingView {
        let timing = core.consensus.timing
        let elsewhere = core.state.configuration.nodes.filter { node in
            node.id != core.id && core.consensus.peer(node.id)?.lostAfter != timing.lostAfter
        }
        return TimingView(
            profile: core.state.configuration.properties.profile,
            heartbeatInterval: Self.milliseconds(timing.heartbeatInterval),
            suspectAfter: Self.milliseconds(timing.suspectAfter),
            lostAfter: Self.milliseconds(timing.lostAfter),
            electionTimeout: Self.milliseconds(timing.electionTimeout),
            lease: Self.milliseconds(timing.lease),
            grace: Self.milliseconds(timing.grace),
            clockRateErrorPercent: timing.clockRateErrorPercent,
            promisedFailover: Self.milliseconds(timing.promisedFailover),
            longestFailover: Self.milliseconds(timing.longestFailover),
            nodesElsewhere: elsewhere.map(\.name)
        )
    }

    private static func milliseconds(_ duration: Duration) -> Milliseconds { Milliseconds(duration.milliseconds) }
}
