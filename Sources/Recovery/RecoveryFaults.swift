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

    /// None.
    package init() {}
}
