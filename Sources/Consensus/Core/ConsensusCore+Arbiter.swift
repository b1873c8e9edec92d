import ClusterModel

/// Answers of the addresses that may veto going on alone, as one: each may speak for all.
struct ArbiterAnswers: Hashable, Sendable {
    /// When the first question was sent whose answer was followed by others without a gap.
    var since: Instant
    /// When the newest question was sent that was answered.
    ///
    /// It is the question that counts: a node that was cut off after it had asked has the answer nonetheless.
    var newest: Instant
}

/// The veto of an arbiter against going on alone.
///
/// Both nodes of a pair may reach an address that is neither's, so its answer can permit nothing (with it as a third vote,
/// both would go on when only the link between them is cut). But its silence tells a node that it is cut off from more
/// than the other node, and then the other one is the one to go on. So silence forbids, whatever the reason: an answer
/// that is too old, a question that hangs and an arbiter that is off are the same.
extension ConsensusCore {
    /// Whether this node would go on alone now, and does not because no arbiter answers it.
    public var isVetoed: Bool { lossToActOn.map { isVetoed(lostSince: $0) } ?? false }

    /// Whether an arbiter forbids to go on alone for a loss.
    ///
    /// One that has answered all the while permits it as soon as it has answered what was asked after the loss; one that
    /// was silent in between, after `arbiterReturn`.
    func isVetoed(lostSince: Instant) -> Bool {
        if settings.arbiters.isEmpty { return false }
        guard let answers = own.arbiterAnswers, answers.newest >= lostSince,
            clock - answers.newest <= timing.arbiterWindow
        else { return true }
        return answers.since > lostSince && clock - answers.since < timing.arbiterReturn
    }

    /// Takes an answer; one to an older question than the newest answered one, or from the future, is none.
    mutating func arbiterAnswered(_ address: IPAddress, sent: Instant) {
        guard settings.arbiters.contains(address), sent <= clock, clock - sent <= timing.arbiterWindow else { return }
        guard let known = own.arbiterAnswers, sent - known.newest <= timing.arbiterWindow else {
            own.arbiterAnswers = ArbiterAnswers(since: sent, newest: sent)
            return
        }
        own.arbiterAnswers?.newest = max(known.newest, sent)
    }
}
