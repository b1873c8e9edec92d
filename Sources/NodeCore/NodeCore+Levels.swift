public import ClusterModel
import Consensus
import Recovery

/// Two neighbouring versions in one cluster: what goes into the log waits until every node can read it, and a node that
/// could not read it ends (docs/upgrades.md).
extension NodeCore {
    /// What keeps the cluster's level below this node's own.
    public enum LevelHold: Hashable, Sendable {
        /// This node speaks less, in session with this one.
        case speaks(NodeID, UInt8)
        /// This node is not heard, so nobody knows what it speaks.
        case isSilent(NodeID)
    }

    /// The level of the protocol that a peer and this node speak in the peer's present session; nil without one.
    public func level(with peer: NodeID) -> UInt8? { sessions[peer]?.level }

    /// The nodes for which the cluster's level waits, as this node hears them; empty where it waits for nobody.
    public var levelHolds: [LevelHold] {
        guard state.protocolLevel < level else { return [] }
        return nodesThatRead.compactMap { node in
            guard node != id else { return nil }
            guard isHeard(node), let spoken = sessions[node]?.level else { return .isSilent(node) }
            return spoken > state.protocolLevel ? nil : .speaks(node, spoken)
        }
    }

    /// Whoever may have to read what is written next: also a voter that is being taken out of the cluster.
    private var nodesThatRead: [NodeID] {
        NodeSet(state.configuration.nodes.map(\.id)).union(consensus.votingNodes).nodes
    }

    /// The leader raises the cluster's level once everybody is in session with it at that level or above.
    ///
    /// Nothing may be under way: an entry that adds a node could be among it. What the leader has applied then is all that
    /// there is, whomever it was told of besides.
    mutating func raiseLevel(now: Instant, into effects: inout [NodeEffect]) {
        guard state.protocolLevel < level, leadsWithNothingUnderWay, appliedIndex == consensus.commitIndex else {
            return
        }
        let spoken = nodesThatRead.map { node -> UInt8 in
            if node == id { return level }
            guard case .alive? = consensus.state(of: node) else { return 0 }
            return sessions[node]?.level ?? 0
        }
        let wanted = faults.raiseLevelEarly ? level : min(level, spoken.min() ?? 0)
        guard wanted > state.protocolLevel else { return }
        proposeOwn(.raiseLevel(wanted), now: now, into: &effects)
    }

    /// Whether an entry may go into the log at the cluster's level.
    func mayPropose(_ change: Change) -> Bool {
        change.level <= state.protocolLevel || faults.ignoreClusterLevel
    }

    /// A node that follows a leader believes its own log, which will say so if it is so; another one could wait for ever.
    mutating func hear(clusterLevel: UInt8, into effects: inout [NodeEffect]) {
        guard clusterLevel > level, consensus.leader == nil else { return }
        endTooOld(for: clusterLevel, into: &effects)
    }

    mutating func endTooOld(for cluster: UInt8, into effects: inout [NodeEffect]) {
        isTooOld = true
        effects.append(.mustStop(LevelOffer(speaking: level).tooOld(for: cluster)))
    }

    /// The level that a node must speak to apply an entry.
    static func level(of change: Change) -> UInt8 {
        if case .raiseLevel(let wanted) = change { return wanted }
        return change.level
    }

    /// The highest level that entries on the disk need, whether they are decided or not: an older version that took part
    /// while that is open would have to end in the middle of it.
    static func level(of log: [LogEntry], _ codec: CommandCodec) -> UInt8 {
        var highest = ProtocolLevel.first
        for entry in log {
            guard case .command(let bytes) = entry.payload, let command = codec.decodeCommand(bytes) else { continue }
            highest = max(highest, level(of: command.change))
        }
        return highest
    }
}
