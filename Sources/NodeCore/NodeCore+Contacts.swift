import ClusterModel
import Consensus

/// Nodes that were away while others were added: they know only whom they knew then, and would not understand a leader
/// who came later. Whoever they know tells them.
extension NodeCore {
    /// Whether the applied configuration is not one of former days, that a log which is still coming in starts with: who
    /// went by that would know its own leader no more, if that one came later.
    ///
    /// Nor is it one that does not name the leader: who began this history may have been taken out before, and leads until
    /// it has found another.
    ///
    /// The first entry of a leader's term stands behind all that was committed before; what a leader says of its commits
    /// may be little right after it has started.
    var hasCaughtUp: Bool {
        guard let leader = consensus.leader, state.configuration.node(leader) != nil else { return false }
        return appliedIndex >= contactsThrough && !consensus.isMeeting && appliedTerm == consensus.term
    }

    /// How often a node is told again.
    static let contactsInterval = Duration.seconds(1)

    /// A peer follows nobody, or is in another history, and does not hear whom this node follows: it may not know that one.
    mutating func tellContacts(
        to peer: NodeID,
        _ heartbeat: Heartbeat,
        now: Instant,
        into effects: inout [NodeEffect]
    ) {
        guard heartbeat.leader == nil || heartbeat.branch.id != consensus.branch.id,
            let leader = consensus.leader, leader != peer, leader != id, !heartbeat.hears.contains(leader),
            state.configuration.node(leader) != nil, !heartbeat.hasLeft, let session = sessions[peer],
            session.level >= PeerMessage.contactsLevel
        else { return }
        if let told = toldContacts[peer], now - told < Self.contactsInterval { return }
        toldContacts = toldContacts.filter { state.configuration.node($0.key) != nil }
        toldContacts[peer] = now
        let list = ContactList(nodes: state.configuration.nodes, appliedIndex: appliedIndex)
        effects.append(.send(.contacts(list), to: peer))
    }

    /// Listens to whom a peer names too, until the log says who is part of the cluster.
    ///
    /// Nothing else follows from it: nobody votes and nobody is placed by it.
    mutating func take(_ list: ContactList, now: Instant, into effects: inout [NodeEffect]) {
        guard consensus.leader == nil || consensus.isMeeting, list.nodes.count <= ConfigurationLimits.nodes else {
            return
        }
        let known = NodeSet(state.configuration.nodes.map(\.id)).union(contacts)
        let all = known.union(NodeSet(list.nodes.map(\.id)))
        guard all != known else { return }
        contacts = all
        contactsThrough = max(contactsThrough, list.appliedIndex)
        step(.settings(quorumSettings), now: now, into: &effects)
        effects.append(.contacts(list.nodes))
    }
}
