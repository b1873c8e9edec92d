import ClusterModel
import Consensus
import Recovery

extension NodeCore {
    /// Runs consensus and acts on what it hands out.
    mutating func step(_ input: Input, now: Instant, into effects: inout [NodeEffect]) {
        let ready = consensus.receive(input, now: now)
        if let batch = ready.persist { effects.append(.persist(batch)) }
        for outgoing in ready.sendNow { effects.append(.send(.consensus(outgoing.message), to: outgoing.to)) }
        // Acting on an event may commit more, inside of this call; entries are applied in their order all the same.
        if !ready.committed.isEmpty { unapplied += ready.committed }
        var wantsSnapshot = false
        for event in ready.events {
            if case .wantSnapshot = event { wantsSnapshot = true }
            handle(event, now: now, into: &effects)
        }
        if !unapplied.isEmpty {
            let entries = unapplied
            unapplied = []
            apply(entries, now: now, into: &effects)
        }
        // Behind the entries that came with the wish: a snapshot of what was applied before them may be of no use, and
        // consensus would ask for another at once, and so on for ever.
        if wantsSnapshot, appliedIndex > consensus.snapshotIndex {
            step(.snapshot(upTo: appliedIndex, data: codec.encodeState(state)), now: now, into: &effects)
        }
    }

    private mutating func handle(_ event: Event, now: Instant, into effects: inout [NodeEffect]) {
        switch event {
        case .becameLeader(let term, let recoverByLeaseAt):
            becomeLeader(term, recoverByLeaseAt: recoverByLeaseAt, now: now, into: &effects)
        case .deposed(let term):
            stopLeading(into: &effects)
            effects.append(.event(.deposed(term)))
        case .leaderChanged(let leader, let term):
            effects.append(.event(.leader(leader, term)))
            effects.append(.changed)
            // The new leader moves nothing before it has heard what runs here.
            if let leader, leader != id, let report = reports[id] { effects.append(.send(.report(report), to: leader)) }
        case .leaseChanged(let end): leaseChanged(end, now: now, into: &effects)
        case .peer(let peer, let state):
            effects.append(.event(.peer(peer, state)))
            effects.append(.changed)
            tellLiveness(of: peer, now: now, into: &effects)
            followFenceDevices(now: now, into: &effects)
            announceWhileContended(into: &effects)
        case .peerRestarted(let peer, let incarnation): effects.append(.event(.peerRestarted(peer, incarnation)))
        case .proposalAccepted: break
        case .proposalRefused(let token, let leader, let reason):
            guard let request = requests.removeValue(forKey: token) else { break }
            effects.append(.answer(request: request, Self.outcome(of: reason, leader: leader)))
        case .snapshotInstalled(let snapshot): install(snapshot, now: now, into: &effects)
        case .wantSnapshot, .transferFailed: break
        case .quorum(let holds): quorumChanged(holds, now: now, into: &effects)
        case .fenceForQuorum(let voters):
            quorumFencing.wanted = voters
            fenceForQuorum(now: now, into: &effects)
        case .provenDead(let fact):
            effects.append(.event(.provenDead(fact)))
            if fact.proof == .poweredOff {
                recover(.provenOff(fact.node, fact.incarnation), now: now, into: &effects)
            }
        case .votersChanged(let voters, let isCommitted):
            effects.append(.event(.voters(voters, isCommitted: isCommitted)))
            effects.append(.changed)
        case .mustStop(let reason): effects.append(.mustStop(reason))
        case .left: effects.append(branchToJoin.map { .rejoin($0) } ?? .left)
        case .beginsAnew: effects.append(.beginAnew)
        case .branchGaveWay(let mark):
            if !gaveWay.contains(mark.id) { gaveWay = (gaveWay + [mark.id]).suffix(ClusterState.historiesGoneKept) }
        case .branchLost(let mark):
            effects.append(.event(.branchLost(to: mark)))
            branchToJoin = mark
            if !isLeaving { beginLeaving(now: now, into: &effects) }
        }
    }

    private static func outcome(of reason: RefusalReason, leader: NodeID?) -> ChangeOutcome {
        switch reason {
        case .notLeader, .transferring: .notLeader(leader)
        case .meeting:
            .refused("a node with another history of this cluster is heard: see haven quorum status")
        case .busy: .refused("too many changes are under way; try again")
        case .tooLong: .refused("the configuration would be larger than \(ConsensusLimits.commandBytes) bytes")
        }
    }

    private mutating func leaseChanged(_ end: Instant?, now: Instant, into effects: inout [NodeEffect]) {
        effects.append(.lease(until: end))
        if end == nil { effects.append(.event(.leaseLost)) }
        execute(.lease(until: end, term: consensus.leaseTerm), now: now, into: &effects)
        if leadership != nil { tellLiveness(of: id, now: now, into: &effects) }
    }

    private mutating func apply(_ entries: [LogEntry], now: Instant, into effects: inout [NodeEffect]) {
        let before = (state.version, state.keys, state.stopped, state.operatorChanges, state.historiesGone)
        let wasLeading = isLeading
        for entry in entries where entry.index > appliedIndex {
            appliedIndex = entry.index
            appliedTerm = entry.term
            if entry.term == leadership?.term { leadership?.isConfirmed = true }
            guard case .command(let bytes) = entry.payload else { continue }
            guard let command = codec.decodeCommand(bytes) else {
                effects.append(.mustStop("log entry \(entry.index) was written by another version of Haven"))
                return
            }
            let needed = Self.level(of: command.change)
            guard needed <= level else {
                // As far as this node got: the next start, of a newer version, goes on from there.
                appliedIndex = entry.index - 1
                return endTooOld(for: needed, into: &effects)
            }
            let answer = state.apply(command)
            effects.append(.event(.applied(command.change)))
            if let request = command.request, let answer { finish(request.id, answer, into: &effects) }
        }
        stateChanged(
            configuration: (state.version, state.keys, state.stopped, state.operatorChanges, state.historiesGone)
                != before,
            becameLeading: isLeading && !wasLeading,
            now,
            &effects
        )
    }

    private mutating func finish(_ request: Random128, _ answer: RequestAnswer, into effects: inout [NodeEffect]) {
        if let token = requests.first(where: { $0.value == request })?.key { requests[token] = nil }
        effects.append(.answer(request: request, .applied(answer)))
    }

    private mutating func install(_ snapshot: Snapshot, now: Instant, into effects: inout [NodeEffect]) {
        guard let state = codec.decodeState(snapshot.data) else {
            effects.append(.mustStop("a snapshot was written by another version of Haven"))
            return
        }
        guard state.protocolLevel <= level else { return endTooOld(for: state.protocolLevel, into: &effects) }
        self.state = state
        appliedIndex = snapshot.lastIndex
        appliedTerm = snapshot.lastTerm
        stateChanged(configuration: true, becameLeading: false, now, &effects)
    }

    /// Tells consensus what heartbeats say of this node's state.
    mutating func tellOwnStatus(now: Instant, into effects: inout [NodeEffect]) {
        let digest = codec.digest(state)
        let (changes, gone) = (state.operatorChanges ?? 0, state.historiesGone ?? [])
        step(.ownStatus(configurationDigest: digest, changes: changes, gaveWay: gone), now: now, into: &effects)
    }

    private mutating func stateChanged(
        configuration: Bool,
        becameLeading: Bool,
        _ now: Instant,
        _ effects: inout [NodeEffect]
    ) {
        effects.append(.changed)
        if !contacts.isEmpty, hasCaughtUp, state.configuration.node(id) != nil {
            contacts = NodeSet()
            step(.settings(quorumSettings), now: now, into: &effects)
        }
        tellProofs(now: now, into: &effects)
        announceWhileContended(into: &effects)
        if configuration {
            followProfile(now: now, into: &effects)
            tellOwnStatus(now: now, into: &effects)
            step(.settings(quorumSettings), now: now, into: &effects)
            execute(.configuration(state.configuration, version: state.version), now: now, into: &effects)
        }
        stopIfAllDo(now: now, into: &effects)
        // Only now it is known from when on leases of lost nodes are over.
        if becameLeading { tellEverybodysLiveness(now: now, into: &effects) }
        if recovery == nil {
            deny(state.nodesBeingFenced, now: now, into: &effects)
        } else if isLeading {
            recover(.applied(state), now: now, into: &effects)
        }
    }

    /// Whether this node leads, and everything that is in its log is committed.
    var leadsWithNothingUnderWay: Bool {
        isLeading && !consensus.isMeeting && consensus.commitIndex == consensus.lastIndex
    }

    /// Puts on record that other histories gave way to this one, once they are heard no more.
    ///
    /// Until then nothing can be committed. Every node that heard it remembers it, for the leader may change meanwhile.
    mutating func recordWhatGaveWay(now: Instant, into effects: inout [NodeEffect]) {
        guard !gaveWay.isEmpty else { return }
        gaveWay.removeAll { state.historiesGone?.contains($0) == true }
        guard leadsWithNothingUnderWay else { return }
        for history in gaveWay { proposeOwn(.historyGaveWay(history), now: now, into: &effects) }
    }

    /// Leaves with all others if an operator ended this start of the agent with theirs; a leader that runs anew says that
    /// this is over.
    private mutating func stopIfAllDo(now: Instant, into effects: inout [NodeEffect]) {
        guard state.stopped != nil else { return }
        if state.isStopped(id, incarnation) {
            guard !isLeaving else { return }
            effects.append(.event(.stopsWithAll))
            beginLeaving(now: now, into: &effects)
        } else if isLeading {
            proposeOwn(.stopAllEnded, now: now, into: &effects)
        }
    }

    /// Uses the times of the profile that the applied configuration names; see `ConsensusCore+Timing` for why nodes may
    /// do so one after the other.
    private mutating func followProfile(now: Instant, into effects: inout [NodeEffect]) {
        let profiles = Profiles(state)
        guard profiles != self.profiles else { return }
        self.profiles = profiles
        let timing = ConsensusTiming(profiles.present)
        let former = profiles.former.map(ConsensusTiming.init)
        step(.timing(timing, former: former), now: now, into: &effects)
        guard recovery != nil, let recoverByLeaseAt = consensus.recoverByLeaseAt else { return }
        recovery?.setTimes(recoverByLeaseAt: recoverByLeaseAt, grace: timing.grace)
        tellEverybodysLiveness(now: now, into: &effects)
    }

    private mutating func announceWhileContended(into effects: inout [NodeEffect]) {
        let holders = consensus.leaseHolders
        let isContended = state.hasContender(of: id, isAnswering: holders.contains)
        guard isContended != keepsAnnouncing else { return }
        keepsAnnouncing = isContended
        effects.append(.keepAnnouncing(isContended))
    }
}

extension ClusterState {
    /// Nodes whose present incarnation is to be powered off; a fence is carried through once it was ordered.
    fileprivate var nodesBeingFenced: Set<NodeID> {
        var nodes: Set<NodeID> = []
        for (node, fence) in fences where fence.outcome != .verified {
            if fence.incarnation >= (incarnations[node] ?? 0) { nodes.insert(node) }
        }
        return nodes
    }
}
