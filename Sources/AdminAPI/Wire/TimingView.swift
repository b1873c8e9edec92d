public import ClusterModel

/// The times of membership, all derived from the profile.
public struct TimingView: Hashable, Codable, Sendable {
    /// The profile that the answering node uses.
    public var profile: TimingProfile
    /// How often every node sends every other node a heartbeat.
    public var heartbeatInterval: Milliseconds
    /// Silence after which a node is suspect.
    public var suspectAfter: Milliseconds
    /// Silence after which a node is lost.
    public var lostAfter: Milliseconds
    /// Silence of the leader after which another is elected.
    public var electionTimeout: Milliseconds
    /// The length of a lease.
    public var lease: Milliseconds
    /// What is waited after the end of a lease.
    public var grace: Milliseconds
    /// How wrong clocks may run, in percent.
    public var clockRateErrorPercent: Int
    /// When clients are served again after the power-off of a node: in half of all cases.
    public var promisedFailover: Milliseconds
    /// The same: in all cases.
    public var longestFailover: Milliseconds
    /// Nodes that still use another profile, or were not heard since the change.
    public var nodesElsewhere: [NodeName]

    /// States every time.
    public init(
        profile: TimingProfile,
        heartbeatInterval: Milliseconds,
        suspectAfter: Milliseconds,
        lostAfter: Milliseconds,
        electionTimeout: Milliseconds,
        lease: Milliseconds,
        grace: Milliseconds,
        clockRateErrorPercent: Int,
        promisedFailover: Milliseconds,
        longestFailover: Milliseconds,
        nodesElsewhere: [NodeName]
    ) {
        self.profile = profile
        self.heartbeatInterval = heartbeatInterval
        self.suspectAfter = suspectAfter
        self.lostAfter = lostAfter
        self.electionTimeout = electionTimeout
        self.lease = lease
        self.grace = grace
        self.clockRateErrorPercent = clockRateErrorPercent
        self.promisedFailover = promisedFailover
        self.longestFailover = longestFailover
        self.nodesElsewhere = nodesElsewhere
    }
}
