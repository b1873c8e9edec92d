/// Mistakes that the simulation must notice, each known to break a promise.
///
/// All off in production; nothing outside
/// this package can switch one on.
package struct PlantedFaults: Hashable, Sendable {
    /// A follower counts its lease from the receipt of the acknowledgement instead of its own sending.
    package var followerLeaseFromReceipt = false
    /// The leader counts its lease from the receipt of acknowledgements.
    package var leaderLeaseFromReceipt = false
    /// A follower takes a whole lease whatever remains of the leader's own.
    package var ignoreLeaderRemainder = false
    /// Votes do not say how long ago their voter acknowledged another leader.
    package var forgetAcknowledgements = false
    /// A restarted voter claims that it never acknowledged anybody.
    package var forgetUptime = false
    /// Messages do not wait for the disk.
    package var sendBeforePersist = false
    /// The leader counts its own log before it is written.
    package var countUnwrittenLog = false
    /// A voter votes again in the same term.
    package var voteTwice = false
    /// The leader commits entries of earlier terms by counting (Raft §5.4.2, figure 8).
    package var commitEarlierTerms = false
    /// Leases are prolonged by the time of a stall.
    package var compensateLeases = false
    /// A configuration entry is committed by a quorum of the new voter set alone.
    package var countNewestSetOnly = false
    /// A start that is not listed counts half of a voter set.
    package var countUnlistedHalf = false
    /// Half of a voter set decides although nobody has proven the other half dead.
    package var countHalfWithoutProof = false
    /// A node says that it has left and goes on voting.
    package var leaveAndVote = false
    /// A dead voter is taken out of an odd set whatever the others can prove (4.2-d).
    package var shrinkOddSets = false
    /// Only a quorum renews leases, so that a survivor stops what runs while it fences (4.3-a).
    package var leaseNeedsQuorum = false
    /// A leader elected by half of the voters does not wait for leases that the dead half may have granted.
    package var forgetProofTime = false
    /// A leader that had no quorum for a while acts on leases as if it had had one.
    package var forgetLapse = false
    /// A voter that has lost its store votes and acknowledges as if it had not.
    package var countNewcomers = false
    /// A voter promises for its own election time-out, whatever longer one the leader's lease needs.
    package var ignoreAskedPromise = false
    /// A voter votes for a candidate whose log lacks what its own holds (Raft §5.4.1).
    package var ignoreLogInVotes = false
    /// A leader appends a configuration entry before the one before is committed, and before anything of its own term
    /// is (4.2-a).
    package var changeVotersEarly = false

    /// None.
    package init() {}
}
