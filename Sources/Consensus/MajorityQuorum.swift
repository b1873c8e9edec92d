import ClusterModel

/// Who decides: a strict majority of a voter set that does not change while an agent runs.
///
/// This is the one place that says what a quorum is. Exact halves with proof of death, and the joint quorum of two
/// voter sets while a configuration entry is not yet known committed, belong here and nowhere else.
struct MajorityQuorum: Hashable, Sendable {
    let voters: NodeSet

    init(_ voters: [NodeID]) { self.voters = NodeSet(voters) }

    /// How many voters make a quorum.
    var needed: Int { voters.count / 2 + 1 }

    /// Whether these voters make a quorum.
    ///
    /// Callers put in voters only.
    func isReached(by granted: NodeSet) -> Bool { granted.count >= needed }

    /// The highest value that a quorum has reached, the caller's own vote counted as given already.
    ///
    /// - Parameters:
    ///   - peers: The other voters.
    ///   - value: What a peer has reached; nil for nothing yet.
    /// - Returns: nil when no quorum has reached anything. With a single voter there is nobody to ask: also nil.
    func reached<Value: Comparable>(_ peers: [PeerRecord], _ value: (PeerRecord) -> Value?) -> Value? {
        let others = needed - 1
        guard others > 0 else { return nil }
        var best: Value?
        for index in peers.indices {
            guard let candidate = value(peers[index]) else { continue }
            if let best, candidate <= best { continue }
            var count = 0
            for other in peers.indices {
                if let reached = value(peers[other]), reached >= candidate { count += 1 }
            }
            if count >= others { best = candidate }
        }
        return best
    }
}
