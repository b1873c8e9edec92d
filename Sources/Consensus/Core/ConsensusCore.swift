public import ClusterModel

/// One voter: failure detector, quorum, election, leases and replicated log.
///
/// Decides and never acts.
///
/// Raft (Ongaro and Ousterhout, extended version) with pre-vote (thesis §9.6), check-quorum, leader lease and
/// leadership transfer (§3.10); leases of followers by the rule described in the design note. Who votes is in the log.
/// See ``Ready`` for what a shell does with the result of each input.
public struct ConsensusCore: Sendable {
    /// This node.
    public let id: NodeID
    /// This start of the agent.
    public let incarnation: Incarnation
    /// All times.
    public internal(set) var timing: ConsensusTiming
    /// Leases of an earlier, longer profile that may be left.
    var formerLeases: FormerLeases?

    /// When the next `.tick` is due.
    public internal(set) var nextDeadline: Instant?

    var quorum: Quorum
    let startedAt: Instant
    var records: [PeerRecord] = []
    /// Where in `records` a node is; `UInt8.max` for none.
    var slots = [UInt8](repeating: .max, count: 256)
    var random: SeededGenerator
    var clock: Instant

    // Durable, with the log.
    var currentTerm: Term
    var votedFor: NodeID?
    var log: ReplicatedLog
    var snapshot: Snapshot?
    var history: VoterHistory
    var deaths: DeathFacts
    /// Whether this node neither votes nor counts, because it does not know what it promised before.
    public internal(set) var isNewcomer: Bool
    /// The history that the log belongs to.
    public let branch: BranchMark
    /// When each newest fact of death became known here: at the latest when this start of the agent read it.
    var proofTimes: [NodeID: Instant] = [:]

    var currentRole = Role.follower
    var currentLeader: NodeID?
    var committed: LogIndex
    /// Entries handed to the shell.
    var handedOut: LogIndex
    var election: ElectionState
    var leadership: LeadershipState?
    var holding: HoldingState?
    /// Whom this node has asked to be proven dead, so that half of the voters can decide.
    var fenceNeed: [Voter] = []
    var settings: QuorumSettings
    /// Whether nodes came or went since `records` was made.
    var recordsAreDue = false
    var lease = LeaseState()
    var own: OwnStatus
    /// The last entry known to agree with the present leader's log; the commit index of its heartbeats holds up to it.
    var agreedIndex: LogIndex = 0
    var incoming: IncomingSnapshot?
    var heartbeatDue: Instant
    var snapshotWanted = false
    var pending = PendingWrites()
    var outbox = Outbox()

    /// Test only.
    package var faults = PlantedFaults() {
        didSet {
            quorum.faults = faults
            updateDeadline()
        }
    }
    /// Smaller in simulations, so that short runs meet snapshots in parts.
    package var bounds = CompactionBounds()

    /// Starts a node as a follower that has heard nobody.
    ///
    /// - Parameters:
    ///   - id: This node.
    ///   - voters: Who votes before the first entry of the log says otherwise: 1 to `ConsensusLimits.voters` nodes,
    ///     numbered from 1; the same on every node.
    ///   - incarnation: Higher than at every earlier start.
    ///   - timing: Times without a violation.
    ///   - formerTiming: The times before the last change of the profile, if it was ever changed: whether leases of
    ///     their length are left this start cannot know.
    ///   - durable: What the store holds; without a violation.
    ///   - seed: For the moments at which to stand; different on every node.
    ///   - now: The node's monotonic clock.
    public init(
        id: NodeID,
        voters: [NodeID],
        incarnation: Incarnation,
        timing: ConsensusTiming,
        formerTiming: ConsensusTiming? = nil,
        durable: DurableState,
        seed: UInt64,
        now: Instant
    ) {
        precondition((1...ConsensusLimits.voters).contains(voters.count), "1 to \(ConsensusLimits.voters) voters")
        precondition(NodeSet(voters).count == voters.count, "voters are different")
        precondition(id != NodeID(0) && !voters.contains(NodeID(0)), "nobody is node 0")
        precondition(durable.violation() == nil, "the durable state is sound")
        self.id = id
        self.incarnation = incarnation
        self.timing = timing
        formerLeases = formerTiming.map { FormerLeases($0, now: now) }
        startedAt = now
        clock = now
        branch = durable.branch?.mark ?? .origin
        var first = durable.snapshot?.voters ?? ListedVoters(index: 0, set: VoterSet(unlisted: voters))
        // A snapshot of the same entry may be from before; one of a later entry is of this branch.
        if let alone = durable.branch?.voters, alone.index >= durable.snapshot?.lastIndex ?? 0 { first = alone }
        history = VoterHistory(
            base: first,
            committed: durable.committedVoters,
            log: durable.log,
            snapshot: max(durable.snapshot?.lastIndex ?? 0, first.index)
        )
        deaths = durable.deaths
        isNewcomer = durable.isNewcomer
        quorum = Quorum(
            own: Voter(node: id, incarnation: incarnation),
            sets: history.active,
            deaths: durable.deaths,
            faults: PlantedFaults()
        )
        settings = QuorumSettings(members: NodeSet(voters), eligible: NodeSet(voters))
        random = SeededGenerator(seed: seed)
        currentTerm = durable.term
        votedFor = durable.votedFor
        log = ReplicatedLog(durable)
        snapshot = durable.snapshot
        committed = durable.snapshot?.lastIndex ?? 0
        handedOut = committed
        pending.writtenIndex = log.last.index
        own = OwnStatus(togetherSince: now)
        heartbeatDue = now
        election = ElectionState(startedAt: now)
        refreshRecords()
        // A single voter has nobody to wait for.
        let isAlone = quorum.isReached(by: NodeSet([id]))
        election.deadline = isAlone ? now : now + timing.electionTimeout + jitter()
        updateDeadline()
    }

    /// Takes one input and says what is to be done now.
    ///
    /// - Parameters:
    ///   - input: What happened.
    ///   - now: The node's monotonic clock; a reading before an earlier one counts as that earlier one.
    /// - Returns: The shell's work.
    public mutating func receive(_ input: Input, now: Instant) -> Ready {
        clock = max(clock, now)
        // A quorum that lapsed is noticed before anything can make it look unbroken.
        reviewQuorum()
        switch input {
        case .tick: tick()
        case .message(let sender, let message): receive(message, from: sender)
        case .peerSession(let peer, let incarnation): sessionBegan(peer, incarnation)
        case .propose(let command, let token): propose(command, token: token)
        case .persisted(let receipt): persisted(receipt)
        case .stalled(let time): stalled(time)
        case .transferLeadership(let target): transferLeadership(to: target)
        case .snapshot(let index, let data): compact(upTo: index, data: data)
        case .leaseEligible(let eligible): setLeaseEligible(eligible)
        case .denyLease(let nodes): own.denied = nodes
        case .timing(let timing, let former): setTiming(timing, former: former)
        case .ownStatus(let digest, let changes, let gaveWay):
            own.configurationDigest = digest
            own.changes = changes
            own.gaveWay = gaveWay.suffix(ConsensusLimits.branchesGone)
        case .actAlone(let confirmed, let branchID): actAlone(confirmed, branchID: branchID)
        case .storage(let working): setStorage(working: working)
        case .leaving: startLeaving()
        case .settings(let settings): take(settings)
        case .arbiterAnswered(let address, let sent): arbiterAnswered(address, sent: sent)
        case .provenDead(let node, let incarnation):
            learn(DeathFact(node: node, incarnation: incarnation, proof: .poweredOff))
        }
        reviewQuorum()
        // The next change of the voter set need not wait for a heartbeat.
        if outbox.writes.committedVoters != nil { considerVoters() }
        let ready = makeReady()
        updateDeadline()
        return ready
    }

    private mutating func receive(_ message: Message, from sender: NodeID) {
        guard let slot = slot(of: sender) else { return }
        if case .heartbeat(let heartbeat) = message {
            receive(heartbeat, from: slot)
            return
        }
        // A message of an incarnation that has left is a late one.
        guard records[slot].state != .left else { return }
        heard(slot)
        // Before its first heartbeat nobody knows which branch a session belongs to.
        guard records[slot].said.map({ $0.branch.id == branch.id }) ?? (records[slot].incarnation == 0) else { return }
        switch message {
        case .heartbeat: break
        case .heartbeatAck(let ack): receive(ack, from: slot)
        case .preVote(let request): answerPreVote(request, from: slot)
        case .preVoteAnswer(let answer): receive(answer, from: slot)
        case .vote(let request): answerVote(request, from: slot)
        case .voteAnswer(let answer): receive(answer, from: slot)
        case .append(let append): receive(append, from: slot)
        case .appendAnswer(let answer): receive(answer, from: slot)
        case .snapshotPart(let part): receive(part, from: slot)
        case .snapshotAnswer(let answer): receive(answer, from: slot)
        case .standNow(let order): receive(order, from: slot)
        }
    }

    /// Where in `records` a voter is; nil for this node itself and for nodes that do not vote.
    func slot(of node: NodeID) -> Int? {
        let slot = slots[Int(node.rawValue)]
        return slot == .max ? nil : Int(slot)
    }

    /// Votes, acknowledges and stands only while it can keep its word.
    var takesPart: Bool { own.storageWorks && own.branchLeft == nil && (!own.hasLeft || faults.leaveAndVote) }

    /// Whether it keeps from voting and promising, because it does not know what it promised before.
    var abstains: Bool { isNewcomer && !faults.countNewcomers }

    /// Whether it takes part and its own vote may count.
    ///
    /// A node that an entry takes out of the set may be needed until that entry is committed (Raft thesis §4.2.2).
    ///
    /// Inlined, for a call would take a copy of the core.
    @inline(__always)
    var mayStand: Bool { takesPart && !abstains && own.leaveBy == nil && votingNodes.contains(id) }
}

/// What the shell said of its own node.
struct OwnStatus: Sendable {
    var configurationDigest: UInt64 = 0
    /// Changes of operators in the applied log.
    var changes: UInt64 = 0
    /// Branches that gave way to this one, by the applied log.
    var gaveWay: [UInt64] = []
    /// Since when the voters are who they are and none came back that had been lost.
    var togetherSince: Instant
    /// What is known of the addresses that may veto going on alone; nil: none has answered.
    var arbiterAnswers: ArbiterAnswers?
    /// Whom this node followed last, itself included.
    var lastLeader: NodeID?
    /// The branch for which this node gives its own up: it does nothing more in this one.
    var branchLeft: BranchMark?
    var denied = NodeSet()
    var storageWorks = true
    /// Something happened that cannot be; it takes no part again, whatever the disk does.
    var isStopped = false
    /// Set by `.leaving`; the node leaves once it does not lead any more, or at this instant.
    var leaveBy: Instant?
    /// It acts no more in this incarnation.
    var hasLeft = false
    /// When that was on the disk, so that it may say so.
    var leftAt: Instant?
    /// Until when it repeats so.
    var sayUntil: Instant?
    /// Who has replied.
    var heardLeaving = NodeSet()
}
