import ClusterModel
import Consensus
import NodeCore

/// Which states of a node were ever seen, so that one can tell whether more runs reach anything new.
///
/// A state is: the role, whether a quorum answers, whether a lease is held, whether half of the voters is held, whether
/// somebody leads, whether recovery is at work, whether somebody is wanted dead for a quorum, how many voters are listed,
/// whether that list is committed, whether the own start is in it, and whether a fence is ordered.
public struct Coverage: Hashable, Sendable {
    private var words = [UInt64](repeating: 0, count: Self.states / 64)
    private static let states = 1 << 14

    /// Nothing seen yet.
    public init() {}

    /// How many different states were seen.
    public var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// Adds what another run has seen.
    public mutating func merge(_ other: Coverage) {
        for index in words.indices { words[index] |= other.words[index] }
    }

    /// Notes the state of a core, which is looked at where it stands.
    mutating func see(_ core: inout NodeCore, holdsLease: Bool) {
        let observed = core.consensus.observeRole()
        var state =
            switch observed.role {
            case .follower: 0
            case .preCandidate: 1
            case .candidate: 2
            case .leader: 3
            }
        let sets = observed.voterSets
        let (id, incarnation) = (core.id, core.incarnation)
        state |= (observed.isQuorate ? 1 : 0) << 2
        state |= (holdsLease ? 1 : 0) << 3
        state |= (observed.isHolder ? 1 : 0) << 4
        state |= (observed.hasLeader ? 1 : 0) << 5
        state |= (core.isLeading ? 1 : 0) << 6
        state |= (core.wantedDead.isEmpty ? 0 : 1) << 7
        state |= min(sets.first?.count ?? 0, 7) << 8
        state |= (sets.count > 1 ? 1 : 0) << 11
        state |= (sets.first?.incarnation(of: id) == incarnation ? 1 : 0) << 12
        state |= (core.state.fences.values.contains { $0.outcome == .ordered } ? 1 : 0) << 13
        words[state >> 6] |= 1 << UInt64(state & 63)
    }
}
