import ClusterModel
import Testing

@testable import Consensus

/// One node among many, which hears all of them until one stops.
@Suite
struct DetectionTests {
    @Test(arguments: [3, 32, 100], [TimingProfile.fast, .lan, .wan])
    func `A node that stops is suspect and lost after the same time in a cluster of any size`(
        nodes: Int,
        profile: TimingProfile
    ) throws {
        let timing = ConsensusTiming(profile)
        let voters = (1...nodes).map { NodeID(UInt8($0)) }
        let start = Instant(nanoseconds: 1_000_000_000)
        var core = ConsensusCore(
            id: NodeID(1),
            voters: voters,
            incarnation: 1,
            timing: timing,
            durable: DurableState(),
            seed: 1,
            now: start
        )
        let dead = NodeID(UInt8(nodes))
        let silentFrom = start + timing.heartbeatInterval * 10
        var lastHeard = start
        var seen: [PeerState: Instant] = [:]
        var lost: Set<NodeID> = []
        var now = start
        var beat = start
        while now < silentFrom + timing.lostAfter * 2 {
            now = now + .milliseconds(5)
            var events: [Event] = []
            if now >= beat {
                beat = beat + timing.heartbeatInterval
                for peer in voters.dropFirst() where peer != dead || now < silentFrom {
                    events += core.receive(.message(from: peer, .heartbeat(heartbeat(now, timing))), now: now).events
                    if peer == dead { lastHeard = now }
                }
            }
            if let deadline = core.nextDeadline, deadline <= now { events += core.receive(.tick, now: now).events }
            for case .peer(let peer, let state) in events {
                if peer == dead, now > silentFrom { seen[state.kind] = now }
                if case .lost = state { lost.insert(peer) }
            }
        }
        let suspectAfter = try #require(seen[.suspect]) - lastHeard
        let lostAfter = try #require(seen[PeerState.lost(since: .zero)]) - lastHeard
        #expect(suspectAfter >= timing.suspectAfter && suspectAfter <= timing.suspectAfter + .milliseconds(5))
        #expect(lostAfter >= timing.lostAfter && lostAfter <= timing.lostAfter + .milliseconds(5))
        #expect(lost == [dead])
    }

    private func heartbeat(_ now: Instant, _ timing: ConsensusTiming) -> Heartbeat {
        var heartbeat = Heartbeat(
            incarnation: 1,
            term: 0,
            leader: nil,
            last: LogPosition(index: 0, term: 0),
            commitIndex: 0,
            configurationDigest: 0,
            sentAt: now.echo
        )
        heartbeat.lostAfter = timing.lostAfter
        heartbeat.promise = timing.electionTimeout
        return heartbeat
    }
}

extension PeerState {
    /// The state without when it began.
    fileprivate var kind: PeerState { if case .lost = self { .lost(since: .zero) } else { self } }
}
