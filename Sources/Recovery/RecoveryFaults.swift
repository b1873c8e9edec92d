/// Mistakes that the simulation must notice, each known to break a promise.
///
/// All off in production; nothing outside this package can switch one on.
package struct RecoveryFaults: Hashable, Sendable {
    /// The leader acts on what it has only proposed.
    package var startBeforeCommit = false
    /// The executor runs on when its lease ends.
    package var ignoreLeaseEnd = false
    /// What needs only a lease is recovered without waiting for its end.
    package var skipLeaseWait = false
    /// What needs a fence is recovered without one.
    package var skipFence = false
    /// Leases are granted to nodes with a fence under way.
    package var forgetDeniedLease = false
    /// A node asks for a lease before it has looked for what runs there.
    package var leaseBeforeProbe = false
    /// A node that is to leave does not wait until it runs nothing.
    package var leaveAtOnce = false
    /// What the operator looks after is treated like everything else.
    package var ignoreMaintenance = false
    /// The executor follows any sheet of its session, however old it and whatever lease it was made under.
    package var ignoreEpoch = false
    /// What needs only a lease is recovered at its end, without the grace.
    package var forgetGrace = false
    /// What was withdrawn from a node's orders counts as stopped there.
    package var trustWithdrawal = false
    /// A fence that failed counts as verified.
    package var trustFailedFence = false
    /// A node that is heard never counts as lost, whether it can be told anything or not.
    package var trustHeardNodes = false
    /// Entries of any level go into the log, whatever the cluster's level is.
    package var ignoreClusterLevel = false
    /// The cluster's level is raised as soon as a quorum speaks it.
    package var raiseLevelEarly = false

    /// None.
    package init() {}
}
