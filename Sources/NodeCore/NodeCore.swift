public import ClusterModel
public import Consensus
public import Placement
public import Recovery

/// One node: consensus, the replicated state, the executor of its own resources and, while it leads, recovery.
///
/// It decides everything and does nothing: production and simulation run this same value, and only what carries out its
/// effects differs.
public struct NodeCore: Sendable {
    /// This node.
    public let id: NodeID
    /// The newest level of the protocol that it speaks.
    public let level: UInt8
    /// This start of its agent.
    public let incarnation: Incarnation
    /// See `incarnation`.
    public let session: SessionID
    /// What all nodes agree on, as far as this one has applied it.
    public internal(set) var state: ClusterState
    /// The last log entry in `state`.
    public internal(set) var appliedIndex: LogIndex
    /// The term of that entry.
    var appliedTerm: Term
    /// When `tick` is due.
    public private(set) var nextDeadline: Instant?
    /// What an operator should know now, by the leader's core; empty on followers.
    public var notices: [RecoveryNotice] { recovery?.conditions ?? [] }
    /// Where everything should be and why, by the leader's core; nil on followers.
    public var plan: PlacementPlan? { recovery?.plan }
    /// The newest report of each node whose present session this node has heard, its own included.
    public internal(set) var reports: [NodeID: NodeReport] = [:]
    /// Membership, elections, leases and the log.
    public package(set) var consensus: ConsensusCore
    /// Mistakes for the simulation to find.
    package var faults = RecoveryFaults() { didSet { executor.faults = faults } }

    var executor: NodeExecutor
    var recovery: RecoveryCore?
    /// What the two want and have not got yet.
    var recoveryWants = EffectQueue<RecoveryEffect>()
    var executorWants = EffectQueue<ExecutorEffect>()
    /// While elected: the term, whose first entry must be applied before recovery hears of the state.
    var leadership: (term: Term, isConfirmed: Bool)?
    var sessions: [NodeID: PeerSession] = [:]
    var requests: [UInt64: Random128] = [:]
    var nextToken: UInt64 = 1
    /// Whether this node must end because its cluster's level is above its own.
    public internal(set) var isTooOld = false
    var isLeaving = false
    /// The branch that this node goes over to once it runs nothing any more.
    var branchToJoin: BranchMark?
    /// Branches that were heard to give way to this node's and are not known to be on record.
    var gaveWay: [UInt64] = []
    var hasLeft = false
    var wallClock: Int64 = 0
    /// What recovery was told last.
    var toldWallClock: Int64 = 0
    var keepsAnnouncing = false
    /// Who gets no lease from this node; consensus was told.
    var denied: Set<NodeID> = []
    /// Whether recovery was told that a quorum answers.
    var isRecoveryQuorate = true
    /// Lost nodes that a voter with a lease hears, as recovery was told.
    var heardElsewhere = NodeSet()
    /// Committed entries that are handed out and not applied yet.
    var unapplied: [LogEntry] = []
    var quorumFencing = QuorumFencing()
    /// Who can be powered off by somebody else who is heard; consensus was told.
    var fenceable = NodeSet()
    /// Nodes that are known from elsewhere than the applied configuration: it may be an old one until the log has been
    /// heard, and a leader of later days must be understood.
    var contacts: NodeSet
    /// Up to here the log names nodes that were known at the start.
    var contactsThrough: LogIndex
    /// The highest level that an entry on the disk raises the cluster to, decided or not.
    let levelOnDisk: UInt8
    /// When each peer was last told who is part of the cluster.
    var toldContacts: [NodeID: Instant] = [:]
    /// Since when each node is heard by this leader without a lease and without hearing it.
    var deafSince: [NodeID: Instant] = [:]
    let codec: CommandCodec
    /// The profiles that consensus was told of.
    var profiles: Profiles

    /// Both count: a node that applies two changes at once ends with the profile that it had, and leases of the one in
    /// between may be left.
    struct Profiles: Hashable {
        var present: TimingProfile
        var former: TimingProfile?

        init(_ state: ClusterState) {
            present = state.configuration.properties.profile
            former = state.formerProfile
        }
    }

    struct PeerSession: Sendable {
        var incarnation: Incarnation
        var session: SessionID
        /// The level of the protocol that both speak.
        var level: UInt8
    }

    /// The most requests of operators under way on a leader.
    public static let mostRequests = 256

    /// Starts a node from what its disk holds; nil when the snapshot cannot be read.
    ///
    /// - Parameters:
    ///   - id: This node; one of the nodes of `initial`, unless it joined later.
    ///   - incarnation: Raised durably before this call.
    ///   - session: Drawn afresh.
    ///   - initial: The configuration before the first log entry; the same on every node.
    ///   - contacts: Nodes that may be part of the cluster by now, whatever the applied configuration says yet.
    ///   - durable: What the disk holds.
    ///   - codec: How entries become bytes.
    ///   - level: The newest level of the protocol that it speaks: below the newest it is as an older build.
    ///   - initialLevel: The cluster's level before the first log entry; the same on every node.
    ///   - seed: For what must differ between nodes.
    ///   - now: The node's monotonic clock.
    public init?(
        id: NodeID,
        incarnation: Incarnation,
        session: SessionID,
        initial: ClusterConfiguration,
        contacts: [NodeID] = [],
        durable: DurableState,
        codec: CommandCodec,
        level: UInt8 = ProtocolLevel.newest,
        initialLevel: UInt8? = nil,
        seed: UInt64,
        now: Instant
    ) {
        self.id = id
        self.incarnation = incarnation
        self.session = session
        self.codec = codec
        self.level = level
        if let snapshot = durable.snapshot {
            guard let state = codec.decodeState(snapshot.data) else { return nil }
            self.state = state
            appliedIndex = snapshot.lastIndex
            appliedTerm = snapshot.lastTerm
        } else {
            state = ClusterState(configuration: initial, level: initialLevel)
            appliedIndex = 0
            appliedTerm = 0
        }
        profiles = Profiles(state)
        self.contacts = NodeSet(contacts)
        contactsThrough = max(1, durable.log.last?.index ?? 0)
        consensus = ConsensusCore(
            id: id,
            voters: initial.voters.map(\.id),
            incarnation: incarnation,
            timing: ConsensusTiming(profiles.present),
            formerTiming: profiles.former.map(ConsensusTiming.init),
            durable: durable,
            seed: seed,
            now: now
        )
        executor = NodeExecutor(node: id, incarnation: incarnation, session: session)
        levelOnDisk = max(state.protocolLevel, Self.level(of: durable.log, codec))
    }

    /// Whether this node leads and has applied everything that its predecessors committed.
    public var isLeading: Bool { leadership?.isConfirmed == true }

    /// Whether the applied configuration is known to name everybody who is part of the cluster; until then it may be older
    /// than what the disk holds.
    public var knowsItsPeers: Bool { contacts.isEmpty }

    /// Begins: the executor learns what to look for.
    public mutating func start(now: Instant, wallClock: Int64, into effects: inout [NodeEffect]) {
        self.wallClock = wallClock
        guard levelOnDisk <= level else { return endTooOld(for: levelOnDisk, into: &effects) }
        tellOwnStatus(now: now, into: &effects)
        step(.settings(quorumSettings), now: now, into: &effects)
        execute(.configuration(state.configuration, version: state.version), now: now, into: &effects)
        updateDeadline()
    }

    /// Takes one input and appends what is to be done.
    public mutating func receive(
        _ input: NodeInput,
        now: Instant,
        wallClock: Int64,
        into effects: inout [NodeEffect]
    ) {
        guard !isTooOld else { return }
        advanceWallClock(wallClock, now: now, into: &effects)
        switch input {
        case .tick: tick(now: now, into: &effects)
        case .message(let message, let from): receive(message, from: from, now: now, into: &effects)
        case .peerSession(let peer, let incarnation, let session, let level):
            withdrawFences(of: peer, before: incarnation, into: &effects)
            sessions[peer] = PeerSession(incarnation: incarnation, session: session, level: level)
            if reports[peer]?.session != session { reports[peer] = nil }
            step(.peerSession(peer, incarnation), now: now, into: &effects)
            tellLiveness(of: peer, now: now, into: &effects)
        case .clusterLevel(let cluster): hear(clusterLevel: cluster, into: &effects)
        case .persisted(let receipt): step(.persisted(receipt), now: now, into: &effects)
        case .storage(let working): step(.storage(working: working), now: now, into: &effects)
        case .stalled(let duration):
            effects.append(.event(.stalled(duration)))
            step(.stalled(duration), now: now, into: &effects)
        case .operationEnded(let resource, let operation, let outcome):
            execute(.operationEnded(resource, operation: operation, outcome), now: now, into: &effects)
        case .processExited(let resource, let startedBy, let reason):
            execute(.processExited(resource, startedBy: startedBy, reason: reason), now: now, into: &effects)
        case .fenceEnded(let node, let incarnation, let failure):
            fenceEnded(node, incarnation, failure: failure, now: now, into: &effects)
            recover(.fenceResult(node: node, incarnation: incarnation, failure: failure), now: now, into: &effects)
        case .fenceDevicesChecked(let number, let failure):
            fenceDevicesChecked(number, failure: failure, now: now, into: &effects)
        case .fenceable(let nodes, let checks):
            // It comes back by this node's report, as from every other node.
            let devices = DeviceChecks(fenceable: nodes.sorted(), checks: checks)
            execute(.devices(devices), now: now, into: &effects)
        case .arbiterAnswered(let address, let sent):
            step(.arbiterAnswered(address, sent: sent), now: now, into: &effects)
        case .change(let change, let origin): propose(change, origin, now: now, into: &effects)
        case .actAlone(let voters, let branchID):
            step(.actAlone(voters, branchID: branchID), now: now, into: &effects)
        case .leave: beginLeaving(now: now, into: &effects)
        }
        tellHeardElsewhere(now: now, into: &effects)
        recordWhatGaveWay(now: now, into: &effects)
        raiseLevel(now: now, into: &effects)
        leaveIfDone(now: now, into: &effects)
        updateDeadline()
    }

    private mutating func updateDeadline() {
        nextDeadline = .earliest(
            consensus.nextDeadline,
            executor.nextDeadline,
            recovery?.nextDeadline,
            quorumFencing.nextAttempt
        )
    }

    private mutating func tick(now: Instant, into effects: inout [NodeEffect]) {
        if let deadline = consensus.nextDeadline, deadline <= now { step(.tick, now: now, into: &effects) }
        if let deadline = executor.nextDeadline, deadline <= now { execute(.tick, now: now, into: &effects) }
        if let deadline = recovery?.nextDeadline, deadline <= now { recover(.tick, now: now, into: &effects) }
        if let next = quorumFencing.nextAttempt, next <= now { fenceForQuorum(now: now, into: &effects) }
    }

    private mutating func receive(
        _ message: PeerMessage,
        from peer: NodeID,
        now: Instant,
        into effects: inout [NodeEffect]
    ) {
        switch message {
        case .consensus(let message):
            step(.message(from: peer, message), now: now, into: &effects)
            guard case .heartbeat(let heartbeat) = message else { break }
            if recovery != nil { noticeDeafness(of: peer, now: now, into: &effects) }
            tellContacts(to: peer, heartbeat, now: now, into: &effects)
        case .sheet(let sheet):
            // The terms of another history say nothing about this one's: its sheet would bar those of this node's leader.
            guard consensus.sharesHistory(with: peer) else { return }
            execute(.sheet(sheet, from: peer), now: now, into: &effects)
        case .report(let report):
            // A report speaks for the session that sent it, and for no other node.
            guard report.node == peer, report.session == sessions[peer]?.session else { return }
            take(report, now: now, into: &effects)
        case .contacts(let list): take(list, now: now, into: &effects)
        }
    }

    /// Keeps a report for a later term, and hands it to recovery if this node leads.
    mutating func take(_ report: NodeReport, now: Instant, into effects: inout [NodeEffect]) {
        if let known = reports[report.node], known.session == report.session, known.sequence > report.sequence {
            return
        }
        let isNews = reports[report.node] != report
        reports[report.node] = report
        recover(.report(report), now: now, into: &effects)
        followFenceDevices(now: now, into: &effects)
        if isNews { effects.append(.changed) }
    }

    mutating func beginLeaving(now: Instant, into effects: inout [NodeEffect]) {
        isLeaving = true
        execute(.leave, now: now, into: &effects)
    }

    /// A node that was told to leave ends once its departure is committed, or once it holds nothing and nobody leads.
    private mutating func leaveIfDone(now: Instant, into effects: inout [NodeEffect]) {
        guard isLeaving, !hasLeft else { return }
        let isRecorded = (state.departures[id] ?? 0) >= incarnation
        let isAlone = consensus.leader == nil && isIdle
        guard isRecorded || isAlone || faults.leaveAtOnce else { return }
        hasLeft = true
        step(.leaving, now: now, into: &effects)
    }

    /// Whether nothing runs here, as far as the executor knows.
    var isIdle: Bool {
        reports[id]?.probed == true && reports[id]?.resources.allSatisfy(\.state.isDown) == true
    }

    private mutating func advanceWallClock(_ time: Int64, now: Instant, into effects: inout [NodeEffect]) {
        // Entries carry the exact time; recovery counts on from what it was told.
        wallClock = time
        guard abs(time - toldWallClock) >= 2000 else { return }
        toldWallClock = time
        recover(.wallClock(time), now: now, into: &effects)
    }
}
