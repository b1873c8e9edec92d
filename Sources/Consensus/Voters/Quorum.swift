import ClusterModel

/// Who decides and who renews: the one place that says what a quorum is.
///
/// * More than half of a voter set decides. So does exactly half, if every voter of the other half is proven dead and
///   whoever counts runs the start that is listed for it (RULE 4.2-b).
/// * Half of a voter set, rounded up, renews leases: any quorum of others holds one of those voters, who promised, or
///   has proven all of them dead (RULE 4.3-a).
/// * While the newest configuration entry is not known committed, all of this is asked of two sets (RULE 4.2-a).
struct Quorum: Sendable {
    /// Who counts.
    let own: Voter
    var sets: [VoterSet]
    var deaths: DeathFacts
    /// Whether half of a set renews leases; not where two nodes without fencing act alone instead.
    var holdsByHalf = true
    var faults: PlantedFaults

    /// Every node whose vote counts.
    var nodes: NodeSet {
        var nodes = NodeSet()
        for index in sets.indices { nodes = nodes.union(sets[index].nodes) }
        return nodes
    }

    /// What decides of a set.
    enum Rule {
        case decide
        case renew
    }

    /// How far a quorum has come.
    enum Reach<Value: Comparable> {
        /// The counting node needs nobody.
        case alone
        case through(Value)
        case never
    }

    /// Whether these nodes decide together.
    func isReached(by granted: NodeSet) -> Bool { holds(.decide, granted) }

    /// Whether these nodes renew leases together.
    func isHeld(by granted: NodeSet) -> Bool { holds(.renew, granted) }

    func holds(_ rule: Rule, _ granted: NodeSet) -> Bool {
        // By index, and more than half first: this is asked many times of every message, and a set is not small.
        for index in sets.indices {
            let twice = granted.intersection(sets[index].nodes).count * 2
            let count = sets[index].count
            if twice < count || twice == count && !holdsByHalf(rule, granted, of: sets[index]) { return false }
            if faults.countNewestSetOnly { break }
        }
        return true
    }

    private func holdsByHalf(_ rule: Rule, _ granted: NodeSet, of set: VoterSet) -> Bool {
        guard isListed(in: set), granted.contains(own.node) else { return false }
        switch rule {
        case .renew: return holdsByHalf && !faults.leaseNeedsQuorum
        case .decide:
            return faults.countHalfWithoutProof
                || set.voters.allSatisfy { granted.contains($0.node) || deaths.cover($0) }
        }
    }

    private func isListed(in set: VoterSet) -> Bool {
        guard let listed = set.incarnation(of: own.node) else { return false }
        return listed == own.incarnation || faults.countUnlistedHalf
    }

    /// Whom somebody would have to prove dead before these nodes decide; nil when no proof would help.
    func unproven(besides granted: NodeSet) -> [Voter]? {
        guard isHeld(by: granted) else { return nil }
        var wanted: [Voter] = []
        for set in sets where granted.intersection(set.nodes).count * 2 == set.count {
            wanted += set.voters.filter { !granted.contains($0.node) && !deaths.cover($0) }
        }
        return VoterSet(wanted).voters
    }

    /// The highest value that enough nodes have reached, the counting node itself at any value.
    ///
    /// - Parameters:
    ///   - rule: What enough means.
    ///   - peers: The other nodes.
    ///   - value: What a peer has reached; nil for nothing yet.
    /// - Returns: How far that is.
    func reached<Value: Comparable>(
        _ rule: Rule,
        _ peers: [PeerRecord],
        _ value: (borrowing PeerRecord) -> Value?
    ) -> Reach<Value> {
        var alone = NodeSet()
        alone.insert(own.node)
        if holds(rule, alone) { return .alone }
        var best: Value?
        for index in peers.indices {
            guard let candidate = value(peers[index]) else { continue }
            if let best, candidate <= best { continue }
            var granted = alone
            for other in peers.indices {
                if let reached = value(peers[other]), reached >= candidate { granted.insert(peers[other].id) }
            }
            if holds(rule, granted) { best = candidate }
        }
        return best.map { .through($0) } ?? .never
    }
}
