import ClusterModel
import Consensus
import NodeCore
import Recovery

/// Nodes that are added, removed and replaced, and histories that part and meet (RULE 4.2-e): what programs of operators do
/// over some time, and what agents do when they are told to begin anew.
extension ClusterSimulator {
    /// What an operator has begun and will look after again.
    enum Errand: Sendable {
        /// A node was added to the configuration: its agent is started once that is decided.
        case join
        /// A node was told to leave: it is taken out of the configuration once it is silent.
        case remove
        /// Everybody else has lost power: this node is told to go on alone.
        case unblock
        /// This machine has lost power: the cluster is told so.
        case confirm
    }

    private static let millisecond: TrueTime = 1_000_000
    /// How often an operator looks again, and how often at most.
    private static let errandPause = 300 * millisecond
    private static let mostAttempts = 30

    /// Begins what a fault of membership says.
    mutating func changeMembers(_ fault: Fault, _ node: NodeID, until: TrueTime) -> Bool {
        guard let index = index(of: node) else { return false }
        switch fault.kind {
        case .addNode: return addNode(fault.amount)
        case .removeNode:
            guard hosts[index].isMember, leader != nil, state.configuration.nodes.count > 1 else { return false }
            leave(node)
            queue.insert(.operate(.remove, index, attempts: 0), at: now + Self.errandPause)
            return true
        case .loseDisk: return loseDisk(index)
        case .nodeRole: return setRole(of: node, fault.amount)
        case .unblock: return forsake(index, until: until)
        case .stopAll:
            guard let leader else { return false }
            change(.stopAll, on: leader)
            for index in hosts.indices { queue.insert(.start(index), at: until) }
            return true
        default:
            guard hosts[index].isMember else { return false }
            powerOff(node)
            queue.insert(.boot(index), at: until)
            queue.insert(.operate(.confirm, index, attempts: 0), at: now + Self.errandPause)
            return true
        }
    }

    mutating func carryOut(_ errand: Errand, _ index: Int, attempts: Int) {
        guard !operatorsRest else { return }
        let isDone =
            switch errand {
            case .join: letIn(index)
            case .remove: remove(index)
            case .unblock: unblock(index)
            case .confirm: confirmOff(index)
            }
        guard !isDone, attempts < Self.mostAttempts else { return }
        queue.insert(.operate(errand, index, attempts: attempts + 1), at: now + Self.errandPause)
    }

    // MARK: Adding

    private mutating func addNode(_ number: Int) -> Bool {
        let spare = hosts.indices.filter { !hosts[$0].wasMember }
        guard leader != nil, !spare.isEmpty else { return false }
        let index = spare[number % spare.count]
        let node = Node(id: hosts[index].id, name: "n\(hosts[index].id.rawValue)", addresses: [])
        guard state.configuration.node(node.id) == nil else { return false }
        configure { configuration in
            configuration.nodes.append(node)
            configuration.fenceDevices.append(ClusterOptions.device(for: node))
        }
        queue.insert(.operate(.join, index, attempts: 0), at: now + Self.errandPause)
        return true
    }

    /// Starts the agent of a machine that was added, with the identity that a token gave it.
    ///
    /// - Returns: Whether there is nothing left to do.
    private mutating func letIn(_ index: Int) -> Bool {
        let host = hosts[index]
        guard !host.isMember else { return true }
        guard state.configuration.node(host.id) != nil, join(index) else { return false }
        note(index, "joins")
        return true
    }

    /// Gives a machine an empty store and an identity in the leader's history, and starts its agent.
    private mutating func join(_ index: Int) -> Bool {
        guard let core = leadingHost?.agent?.core else { return false }
        let host = hosts[index]
        // It is told that it is too old, and its operator installs what the others have and tries again.
        if host.level < core.state.protocolLevel { setLevel(index, core.state.protocolLevel) }
        let branch = core.consensus.branch
        host.lostDisk = host.disk
        host.disk.replace(
            with: DurableState(isNewcomer: true, branch: branch == .origin ? nil : DurableBranch(mark: branch))
        )
        // All that the cluster knows of former lives of the node; what nobody has heard of counts for nothing.
        host.disk.incarnation = core.newestIncarnation(of: host.id)
        host.contacts = core.state.configuration.nodes.map(\.id)
        host.isMember = true
        host.wasMember = true
        host.isPowered = true
        queue.insert(.start(index), at: now)
        return true
    }

    // MARK: Removing

    /// Takes a node that is silent out of the configuration, and ends what is left of its agent.
    private mutating func remove(_ index: Int) -> Bool {
        let host = hosts[index]
        guard host.isMember, let first = leadingHost, let core = first.agent?.core else { return !host.isMember }
        guard core.state.configuration.node(host.id) != nil else {
            // Its vote may be needed for its own removal from the list of voters.
            let isListed = core.consensus.activeVoterSets.contains { $0.nodes.contains(host.id) }
            // Of a history in which nobody is whom the leader's knows: the two will never meet.
            let isForsaken = !hosts.contains {
                $0.isMember && $0.history == host.history && core.state.configuration.node($0.id) != nil
            }
            if first.history == host.history ? isListed : !operatorsRest || !isForsaken { return false }
            retire(index)
            return true
        }
        guard first.history == host.history else { return false }
        let isHeard =
            switch core.consensus.peer(host.id)?.state {
            case .alive, .suspect: true
            case .lost, .left, nil: false
            }
        // Nobody takes the last node out that works.
        let others = hosts.contains {
            $0 !== host && $0.isMember && $0.isRunning && core.state.configuration.node($0.id) != nil
        }
        guard others, host !== first, !isHeard, !core.state.mayRun(host.id) else { return false }
        configure { configuration in
            configuration.nodes.removeAll { $0.id == host.id }
            configuration.fenceDevices.removeAll { $0.targets.keys.contains("n\(host.id.rawValue)") }
            guard !configuration.nodes.contains(where: { $0.role == .member }) else { return }
            for index in configuration.nodes.indices { configuration.nodes[index].role = .member }
        }
        return false
    }

    private mutating func retire(_ index: Int) {
        note(index, "is no node any more")
        endAgent(index)
        hosts[index].isMember = false
        hosts[index].disk.replace(with: DurableState())
        hosts[index].active = [:]
    }

    // MARK: Replacing

    /// A machine loses its disk and its power, and joins again by a token with an empty one.
    private mutating func loseDisk(_ index: Int) -> Bool {
        guard hosts[index].isMember, hosts[index].id != leader, state.configuration.node(hosts[index].id) != nil else {
            return false
        }
        powerOff(hosts[index].id)
        guard join(index) else { return false }
        note(index, "has lost its disk and joins again")
        return true
    }

    private mutating func setRole(of node: NodeID, _ number: Int) -> Bool {
        let before = requestCount
        configure { configuration in
            guard let index = configuration.nodes.firstIndex(where: { $0.id == node }) else { return }
            configuration.nodes[index].role = NodeRole.allCases[number % NodeRole.allCases.count]
            guard !configuration.nodes.contains(where: { $0.role == .member }) else { return }
            configuration.nodes[index].role = .member
        }
        return requestCount > before
    }

    // MARK: Going on alone

    /// All other machines lose power, and come back some time after an operator has told this one to go on.
    private mutating func forsake(_ index: Int, until: TrueTime) -> Bool {
        guard hosts[index].isRunning, members.count > 1 else { return false }
        for other in hosts.indices where other != index && hosts[other].isMember {
            powerOff(hosts[other].id)
            queue.insert(.boot(other), at: until + Int64.random(in: 0...2000, using: &random) * Self.millisecond)
        }
        queue.insert(.operate(.unblock, index, attempts: 0), at: now + 3000 * Self.millisecond)
        return true
    }

    /// An honest operator names machines that are off, and only those.
    private mutating func unblock(_ index: Int) -> Bool {
        guard hosts[index].isRunning, let core = hosts[index].agent?.core, !core.consensus.isQuorate else {
            return true
        }
        guard hosts[index].agent?.core.isBeingRemoved() == false else { return false }
        var dead: [Voter] = []
        for host in hosts where !host.isPowered && core.state.configuration.node(host.id) != nil {
            dead.append(Voter(node: host.id, incarnation: core.newestIncarnation(of: host.id)))
        }
        guard core.consensus.objectionToActingAlone(confirmed: NodeSet(dead.map(\.node))) == nil else { return false }
        note(index, "is told to go on without \(dead.map { "n\($0.node.rawValue)" }.joined(separator: " "))")
        hosts[index].isToldToGoOn = true
        feed(index, .actAlone(dead, branchID: random.next()))
        return true
    }

    /// Nobody says so of a machine that is on again, or is not known to be silent yet.
    private mutating func confirmOff(_ index: Int) -> Bool {
        let host = hosts[index]
        guard !host.isPowered else { return true }
        guard let leader, let core = leadingHost?.agent?.core, core.state.configuration.node(host.id) != nil,
            case .lost = core.consensus.peer(host.id)?.state
        else { return false }
        let incarnation = core.newestIncarnation(of: host.id)
        if incarnation > 0 { change(.fenceConfirmed(node: host.id, incarnation: incarnation), on: leader) }
        return true
    }

    /// A node that goes on alone starts its agent anew with what it has written.
    mutating func beginAnew(_ index: Int) {
        note(index, "goes on alone")
        endAgent(index, surviving: 0)
        queue.insert(.start(index), at: now + 100 * Self.millisecond)
    }

    /// A node gives its history up: it runs nothing any more and begins in the other with an empty store.
    mutating func rejoin(_ index: Int, _ mark: BranchMark) {
        let host = hosts[index]
        note(index, "goes over to branch \(mark.generation) of n\(mark.founder.rawValue)")
        observer.left(host)
        endAgent(index, surviving: 0)
        host.disk.replace(with: DurableState(isNewcomer: true, branch: DurableBranch(mark: mark)))
        queue.insert(.start(index), at: now + 100 * Self.millisecond)
    }

    /// Completes what operators have begun and could not end.
    ///
    /// - Returns: Whether nothing was left.
    mutating func completeErrands(removes: Bool) -> Bool {
        guard leader != nil else { return false }
        var isDone = true
        for index in hosts.indices {
            let isConfigured = state.configuration.node(hosts[index].id) != nil
            if isConfigured, !hosts[index].isMember {
                isDone = letIn(index) && isDone
            } else if !isConfigured, hosts[index].isMember {
                isDone = (!removes || remove(index)) && isDone
            } else if isConfigured, isStranded(index) {
                note(index, "cannot come back by itself, and joins again")
                powerOff(hosts[index].id)
                isDone = join(index) && isDone
            }
        }
        return isDone
    }

    /// Goes on with the node whose log is the longest where so many disks were lost that no quorum is left in any history.
    mutating func overrideLostQuorum() {
        let sets = votersThatCount
        let isLost = sets.contains { set in set.voters.filter { knowsItsPast($0.node) }.count * 2 <= set.count }
        guard isLost else { return }
        let able = hosts.indices.filter { hosts[$0].isRunning && !hosts[$0].disk.durable.isNewcomer }
        let longestFirst = able.sorted { hosts[$1].disk.lastPosition < hosts[$0].disk.lastPosition }
        for candidate in longestFirst where unblock(candidate) { return }
    }

    func knowsItsPast(_ node: NodeID) -> Bool {
        hosts.contains { $0.id == node && $0.isMember && !$0.disk.durable.isNewcomer }
    }

    /// Whether a node was away while the others that it knew were removed, or are lost in the same way, so that nobody can
    /// tell it who came in their place; or somebody joined again in another history, by a token of somebody who did not
    /// know how often the machine had started, so that one takes the other for an old copy of itself.
    private func isStranded(_ index: Int) -> Bool {
        let host = hosts[index]
        if let first = leadingHost {
            let isOther = host.history != first.history
            let members = hosts.filter { $0.history == first.history && $0.isMember && $0.id != host.id }
            // In the same history only the leader's word counts, from whom the next token is.
            let isOld = members.contains {
                (isOther || $0 === first)
                    && ($0.agent?.core.newestIncarnation(of: host.id) ?? 0) > host.disk.incarnation
            }
            let knowsFuture = members.contains {
                (host.agent?.core.newestIncarnation(of: $0.id) ?? 0) > $0.disk.incarnation
            }
            if isOld || knowsFuture && isOther { return true }
        }
        return leader != nil && host.id != leader && !told.contains(host.id)
    }

    /// Who follows the leader, and whom these can tell of each other.
    private var told: Set<NodeID> {
        guard let first = leadingHost else { return [] }
        var told = Set(hosts.lazy.filter { $0.agent?.core.consensus.leader == first.id }.map(\.id)).union([first.id])
        for _ in hosts.indices {
            for host in hosts where !told.contains(host.id) && state.configuration.node(host.id) != nil {
                let known = acquaintances(of: host)
                // Between two of another history nothing is told, and who seems to be an old copy is not listened to.
                let tells = hosts.contains {
                    told.contains($0.id) && known.contains($0.id)
                        && ($0.history == first.history || host.history == first.history)
                        && (host.agent?.core.newestIncarnation(of: $0.id) ?? 0) <= $0.disk.incarnation
                }
                if tells { told.insert(host.id) }
            }
        }
        return told
    }

    /// Whom a machine's agent greets by itself.
    func acquaintances(of host: SimulatedHost) -> Set<NodeID> {
        var known = Set(host.contacts.isEmpty ? voters : host.contacts)
        // Also a voter that was taken out of the configuration, which may lead until it is out of the list.
        for entry in host.disk.durable.log.reversed() {
            guard case .voters(let set) = entry.payload else { continue }
            known.formUnion(set.nodes.nodes)
            break
        }
        return known.subtracting([host.id])
    }
}
