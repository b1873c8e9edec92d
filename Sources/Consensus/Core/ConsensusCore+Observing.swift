package import ClusterModel

/// What the simulation asks of a core after every event.
///
/// Mutating although nothing is changed: so the core is looked at where it stands. It is large, and a copy for each
/// question would cost more than all that the core does.
extension ConsensusCore {
    /// See `observeRole`.
    package struct ObservedRole {
        /// What the node is to the others.
        package let role: Role
        /// Whether it is part of a quorum.
        package let isQuorate: Bool
        /// Whether it renews the leases of half of the voters.
        package let isHolder: Bool
        /// Whether it follows somebody, or leads.
        package let hasLeader: Bool
        /// What has to be counted now.
        package let voterSets: [VoterSet]
    }

    /// Whether this leader decides now, and one of these nodes whose lease it would take for ended then.
    ///
    /// A leader without a quorum may believe what it likes.
    package mutating func observe(
        leasesOf nodes: NodeSet,
        at now: Instant
    ) -> (decides: Bool, takesForEnded: NodeID?) {
        guard leadership?.isQuorate == true, let end = quorumLeaseEnd, end > now else { return (false, nil) }
        var rest = nodes
        while let node = rest.lowest {
            if now >= leaseOver(of: node) { return (true, node) }
            rest.remove(node)
        }
        return (true, nil)
    }

    /// An entry in the log; nil when it is compacted away or not there.
    package mutating func entryInLog(at index: LogIndex) -> LogEntry? { index <= log.base.index ? nil : log[index] }

    /// What tells the states of a node apart.
    package mutating func observeRole() -> ObservedRole {
        ObservedRole(
            role: currentRole,
            isQuorate: isQuorate,
            isHolder: holding != nil,
            hasLeader: currentLeader != nil,
            voterSets: quorum.sets
        )
    }
}
