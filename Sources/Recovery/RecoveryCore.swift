public import ClusterModel
public import Placement

/// What the leader does about the difference between what should run and what does.
///
/// It is created when a node becomes leader and dropped when it ceases to be. What must outlive it is in the replicated
/// state; what it is told again by nodes (liveness, reports) it never writes down. Three rules carry its safety:
/// * a node is ordered to start a resource only after (resource, epoch, node) has been applied from the log;
/// * a resource counts as possibly active on its assigned node until `isPossiblyActive` says otherwise, and is assigned
///   to another only then;
/// * an assignment that was withdrawn from a node's orders is never put back under the same epoch.
public struct RecoveryCore: Sendable {
    /// The term of this leader.
    public let term: Term
    /// The leader's own node.
    public let leader: NodeID
    /// What an operator should know now, in a fixed order; changes are also told by `RecoveryEffect.notice`.
    public internal(set) var conditions: [RecoveryNotice] = []
    /// Where everything should be and why, once there is a state.
    public internal(set) var plan: PlacementPlan?
    /// When the next `tick` is due.
    public internal(set) var nextDeadline: Instant?

    /// Mistakes for the simulation to find.
    package var faults = RecoveryFaults()
    private(set) var recoverByLeaseAt: Instant
    private(set) var grace: Duration
    let startedAt: Instant
    var state: ClusterState?
    var graph: ColocationGraph?
    var graphVersion: ConfigurationVersion?
    var planned: PlacementInput?
    var nodes = NodeMap<NodeView>()
    var proposals = Proposals()
    var withdrawals: [ResourceName: Withdrawal] = [:]
    /// Where resources go by assignments that were proposed and not applied yet.
    var underWay: [ResourceName: NodeID] = [:]
    var startPauses: [ResourceName: StartPause] = [:]
    var attempts = NodeMap<FenceAttempt>()
    var denied: Set<NodeID>
    /// Lost nodes that a voter with a lease hears.
    var heardElsewhere: Set<NodeID> = []
    var isQuorate = true
    /// What is known to be off, fenced for quorum or by an earlier leader, whether the state says so or not.
    var provenOff = NodeMap<Incarnation>()
    var steppedDownAt: Instant?
    var wallClock: (time: Int64, at: Instant)?

    /// Begins to lead.
    ///
    /// - Parameters:
    ///   - term: The term that was won.
    ///   - leader: The own node.
    ///   - recoverByLeaseAt: Before this moment no lease of an earlier leader can be excluded (RULE 4.3-c).
    ///   - grace: How long a node may take to stop what it runs after its lease ended.
    ///   - denied: The nodes that get no lease from this leader now.
    ///   - now: The present moment.
    public init(
        term: Term,
        leader: NodeID,
        recoverByLeaseAt: Instant,
        grace: Duration,
        denied: Set<NodeID> = [],
        now: Instant
    ) {
        self.term = term
        self.leader = leader
        self.recoverByLeaseAt = recoverByLeaseAt
        self.grace = grace
        self.denied = denied
        startedAt = now
    }

    /// The profile of times changed.
    public mutating func setTimes(recoverByLeaseAt: Instant, grace: Duration) {
        self.recoverByLeaseAt = max(self.recoverByLeaseAt, recoverByLeaseAt)
        self.grace = grace
    }

    /// Takes one input and says what to do about it.
    ///
    /// - Parameters:
    ///   - input: What happened.
    ///   - now: The present moment; never earlier than in the call before.
    ///   - effects: What to do, appended in order.
    public mutating func receive(_ input: RecoveryInput, now: Instant, into effects: inout [RecoveryEffect]) {
        switch input {
        case .applied(let state):
            self.state = state
        case .node(let node, let liveness):
            guard nodes[node]?.liveness != liveness else { return }
            nodes[node, default: NodeView()].hear(liveness, now: now)
        case .heardElsewhere(let nodes):
            guard heardElsewhere != nodes else { return }
            heardElsewhere = nodes
        case .report(let report):
            guard nodes[report.node]?.take(report) == true else { return }
        case .fenceResult(let node, let incarnation, let failure):
            takeFenceResult(node, incarnation, failure: failure, now: now)
        case .quorate(let holds):
            isQuorate = holds
        case .provenOff(let node, let incarnation):
            provenOff[node] = max(provenOff[node] ?? 0, incarnation)
        case .wallClock(let time):
            wallClock = (time, now)
        case .tick:
            guard let nextDeadline, now >= nextDeadline else { return }
        }
        decide(now: now, into: &effects)
    }

    /// One round: everything that is wanted now is derived anew from what is known.
    private mutating func decide(now: Instant, into effects: inout [RecoveryEffect]) {
        guard let state else { return }
        guard isQuorate else {
            nextDeadline = nil
            return
        }
        var round = Round(state: state, now: now)
        proposals.beginRound()
        refreshGraph(state)
        announce(&round)
        countFailures(&round)
        expireFailures(&round)
        decideFences(&round)
        if isSettled(now: now, &round) {
            replan(&round)
            noteStrays(&round)
            decideAssignments(&round)
            endMoves(&round)
            endLeaves(&round)
        }
        decideOrders(&round)
        decideLeases(&round)
        tell(&round)
        proposals.endRound()
        if let deadline = proposals.deadline { round.wake(at: deadline) }
        if faults.startBeforeCommit { takeForCommitted(&round) }
        nextDeadline = round.deadline
        effects += round.effects
    }

    /// A planted mistake: what was just proposed counts at the next round.
    private mutating func takeForCommitted(_ round: inout Round) {
        for case .propose(.assign(let batch)) in round.effects {
            _ = state?.apply(Command(change: .assign(batch), proposedAt: 0))
            round.wake(at: round.now + .nanoseconds(1))
        }
    }

    private mutating func refreshGraph(_ state: ClusterState) {
        guard graphVersion != state.version || graph == nil else { return }
        graph = ColocationGraph(state.configuration)
        graphVersion = state.version
    }

    /// Whether every node that is heard can take part in decisions, or had the time to.
    ///
    /// Until then nothing is moved: a decision on half of the picture would be corrected by a second move.
    private func isSettled(now: Instant, _ round: inout Round) -> Bool {
        let isCold = round.state.assignments.isEmpty
        let end = startedAt + (isCold ? RecoveryLimits.coldSettleTime : RecoveryLimits.settleTime)
        guard now < end else { return true }
        let isSettled = round.state.configuration.nodes.allSatisfy { node in
            switch nodes[node.id]?.liveness {
            case nil: false
            case .lost: true
            case .alive: nodes[node.id]?.report.map { $0.probed || !isCold } ?? false
            }
        }
        if !isSettled { round.wake(at: end) }
        return isSettled
    }

    /// Proposes a change unless it is under way.
    mutating func want(_ key: Proposals.Key, _ change: @autoclosure () -> Change, _ round: inout Round) {
        if proposals.want(key, now: round.now) { round.effects.append(.propose(change())) }
    }
}

/// What one round of decisions collects.
struct Round {
    /// The replicated state.
    let state: ClusterState
    let now: Instant
    var effects: [RecoveryEffect] = []
    var conditions: [RecoveryNotice] = []
    private(set) var deadline: Instant?

    init(state: ClusterState, now: Instant) {
        self.state = state
        self.now = now
    }

    /// Asks for another round then; a moment that has passed asks for nothing.
    mutating func wake(at time: Instant) {
        guard time > now else { return }
        deadline = min(deadline ?? time, time)
    }
}

/// An assignment that is not in its node's orders any more and never comes back to them.
struct Withdrawal {
    var epoch: Epoch
    /// The first sheet of this term without it; nil until it was made.
    var sequence: UInt64?
}

/// When a resource whose start failed is started again on the same node.
struct StartPause {
    var epoch: Epoch
    var until: Instant
}
