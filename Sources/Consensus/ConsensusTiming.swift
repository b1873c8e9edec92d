public import ClusterModel

/// Every time that consensus uses.
///
/// One profile, from which all timers derive, cross-checked by ``violation()``.
public struct ConsensusTiming: Hashable, Sendable {
    /// How often every node sends every other node a heartbeat.
    public var heartbeatInterval: Duration
    /// Silence after which a peer is suspect.
    public var suspectAfter: Duration
    /// Silence after which a peer is lost.
    public var lostAfter: Duration
    /// Silence of the leader after which a voter stands, and for which an acknowledgement is a promise not to vote.
    public var electionTimeout: Duration
    /// What keeps voters from standing at the same moment; half of it separates two ranks.
    public var electionSpread: Duration
    /// How long a lease lasts from the sending of the heartbeat that renewed it.
    public var lease: Duration
    /// How much faster or slower than true time a node's clock may run, in percent.
    public var clockRateErrorPercent: Int
    /// What is waited in addition once a lease is over, for actions that were under way when it ended.
    public var grace: Duration

    /// States every time.
    public init(
        heartbeatInterval: Duration,
        suspectAfter: Duration,
        lostAfter: Duration,
        electionTimeout: Duration,
        electionSpread: Duration,
        lease: Duration,
        clockRateErrorPercent: Int,
        grace: Duration
    ) {
        self.heartbeatInterval = heartbeatInterval
        self.suspectAfter = suspectAfter
        self.lostAfter = lostAfter
        self.electionTimeout = electionTimeout
        self.electionSpread = electionSpread
        self.lease = lease
        self.clockRateErrorPercent = clockRateErrorPercent
        self.grace = grace
    }

    /// Machines on one local network.
    public static let lan = ConsensusTiming(.lan)

    /// All times of a profile.
    public init(_ profile: TimingProfile) {
        switch profile {
        case .fast:
            self.init(interval: 25, lost: 150, lease: 112, spread: 12, grace: 30)
        case .lan:
            self.init(interval: 100, lost: 600, lease: 480, spread: 40, grace: 100)
        case .wan:
            self.init(interval: 500, lost: 3000, lease: 2400, spread: 200, grace: 300)
        }
    }

    /// In milliseconds; a peer is suspect at half of the time after which it is lost, and voters wait for the leader as
    /// long as anybody waits for anybody.
    private init(interval: Int64, lost: Int64, lease: Int64, spread: Int64, grace: Int64) {
        heartbeatInterval = .milliseconds(interval)
        suspectAfter = .milliseconds(lost / 2)
        lostAfter = .milliseconds(lost)
        electionTimeout = .milliseconds(lost)
        electionSpread = .milliseconds(spread)
        self.lease = .milliseconds(lease)
        clockRateErrorPercent = 10
        self.grace = .milliseconds(grace)
    }

    /// After the power-off of a node, when clients of its virtual IPs are served again in half of all cases.
    ///
    /// From three voters on, on disks that sync within a heartbeat interval.
    public var promisedFailover: Duration { lostAfter * 2 }

    /// The same in all cases.
    public var longestFailover: Duration { lostAfter * 10 / 3 }

    /// How often each address of the property `arbiter` is asked.
    ///
    /// So often that one question falls between the loss of the other node and the end of its lease: where the arbiter
    /// answers, nothing takes longer for it.
    public var arbiterInterval: Duration { lostAfter }

    /// How old the question may be that an arbiter has answered for the answer to count: one question or answer in a
    /// row may get lost.
    public var arbiterWindow: Duration { arbiterInterval * 2 + grace }

    /// How long an arbiter that was silent must have answered again before it vetoes no more.
    ///
    /// Whoever gets all links back at once reaches the arbiter sooner than it has a session with the other node again,
    /// and must not go on alone in between.
    public var arbiterReturn: Duration { max(.seconds(5), arbiterWindow) }

    /// The coarsest step in which a shell notices that a time has come.
    static let tick = Duration.milliseconds(10)

    /// A lease as another clock may measure it: L(1+ρ)/(1−ρ).
    ///
    /// Nothing that was granted before is left after it.
    public var leaseCeiling: Duration { stretched(lease) }

    /// A time that one node grants and measures, as another node must wait it out: both clocks may be off by ρ.
    func stretched(_ time: Duration) -> Duration {
        time * (100 + clockRateErrorPercent) / (100 - clockRateErrorPercent)
    }

    /// The first rule that these times break, in words for an operator; nil when they fit each other.
    public func violation() -> String? {
        guard (0..<50).contains(clockRateErrorPercent) else { return "the clock rate error must be 0 to 49 percent" }
        guard heartbeatInterval >= .milliseconds(10) else { return "the heartbeat interval is below 10 ms" }
        guard suspectAfter >= heartbeatInterval * 2 else {
            return "a peer would be suspect after less than two heartbeat intervals"
        }
        guard lostAfter > suspectAfter else { return "a peer would be lost before it is suspect" }
        guard electionSpread > .zero, electionSpread <= electionTimeout / 4 else {
            return "the election spread must be above 0 and at most a quarter of the election time-out"
        }
        guard lease >= heartbeatInterval * 2 else { return "a lease is shorter than two heartbeat intervals" }
        guard grace >= .zero else { return "the grace is negative" }
        let promise = electionTimeout * (100 - clockRateErrorPercent) / 100
        let longestLease = lease * (100 + clockRateErrorPercent) / 100 + Self.tick
        guard promise > longestLease else {
            return "the election time-out less the clock rate error (\(promise.milliseconds) ms) must exceed the lease "
                + "plus the clock rate error (\(longestLease.milliseconds) ms)"
        }
        return nil
    }
}
