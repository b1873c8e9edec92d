import ClusterModel

/// Facts of death: taken from the shell and from peers, kept for ever, acted on at once.
extension ConsensusCore {
    mutating func learn(_ facts: DeathFacts) {
        for fact in facts.list { learn(fact) }
    }

    /// Writes down what is known, and the own end before this node itself may act on it.
    mutating func saveDeaths() {
        var known = deaths
        if own.hasLeft { _ = known.learn(DeathFact(node: id, incarnation: incarnation, proof: .left)) }
        outbox.writes.deaths = known
    }

    mutating func learn(_ fact: DeathFact) {
        let before = deaths.newest(of: fact.node)
        guard deaths.learn(fact) else { return }
        // What an earlier fact of another kind proved already was known since then.
        if before.map({ $0 < fact.incarnation }) ?? true { proofTimes[fact.node] = clock }
        saveDeaths()
        emit(.provenDead(fact))
        refreshQuorum()
        if fact.node == id, fact.incarnation >= incarnation, !own.hasLeft {
            stopTakingPart("this start of the agent was reported powered off, and it runs")
            return
        }
        switch currentRole {
        case .leader: advanceCommit()
        case .preCandidate:
            if quorum.isReached(by: election.votes) { campaign(isTransfer: false) }
        case .candidate:
            if quorum.isReached(by: election.votes) { becomeLeader() }
        case .follower: break
        }
    }
}
