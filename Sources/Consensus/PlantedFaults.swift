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
    /// A voter promises for its own election time-out, whatever longer one the leader's lease needs.
    package var ignoreAskedPromise = false

    /// None.
    package init() {}
}
