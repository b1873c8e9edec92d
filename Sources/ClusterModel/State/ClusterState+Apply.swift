/// Applying the log: the only way in which `ClusterState` changes. Every node applies the same entries in the same
/// order, so nothing here may depend on anything but the state and the entry.
extension ClusterState {
    /// The longest reason that is kept, in characters; what is longer is cut.
    public static let longestReason = 256

    /// The highest count of failures that is kept.
    public static let highestFailureCount = 1_000_000

    /// Applies an entry.
    ///
    /// - Parameter command: The entry; a stale one changes nothing.
    /// - Returns: What became of it when an operator asked for it, nil for a decision of the leader's own.
    public mutating func apply(_ command: Command) -> RequestAnswer? {
        guard let request = command.request else {
            _ = carryOut(command)
            return nil
        }
        if let known = answered.last(where: { $0.id == request.id }) { return known.answer }
        let answer = carryOut(command)
        if case .applied = answer, !command.change.isHousekeeping { operatorChanges = (operatorChanges ?? 0) + 1 }
        answered.append(AnsweredRequest(id: request.id, answer: answer))
        if answered.count > Self.answersKept { answered.removeFirst(answered.count - Self.answersKept) }
        return answer
    }

    /// Whether that incarnation of a node can run nothing any more: it, or a later one, was verified off or left.
    public func isProvenDead(_ node: NodeID, _ incarnation: Incarnation) -> Bool {
        if let departed = departures[node], departed >= incarnation { return true }
        guard let fence = fences[node], fence.outcome == .verified else { return false }
        return fence.incarnation >= incarnation
    }

    private mutating func carryOut(_ command: Command) -> RequestAnswer {
        switch command.change {
        case .configure(let expected, let wanted): return configure(expected: expected, wanted)
        case .assign(let assignments): assign(assignments)
        case .release(let resource, let epoch): release(resource, epoch: epoch)
        case .announce(let node, let incarnation):
            if incarnation > incarnations[node, default: 0] { incarnations[node] = incarnation }
        case .left(let node, let incarnation): leave(node, incarnation)
        case .fenceOrdered(let node, let incarnation, let reason):
            return orderFence(of: node, incarnation, reason: reason, at: command.proposedAt)
        case .fenceEnded(let node, let incarnation, let failure):
            endFence(of: node, incarnation, failure: failure, at: command.proposedAt)
        case .fenceConfirmed(let node, let incarnation):
            return confirmFence(of: node, incarnation, at: command.proposedAt)
        case .stopAll: stopped = incarnations
        case .stopAllEnded: stopped = nil
        case .historyGaveWay(let history):
            let others = (historiesGone ?? []).filter { $0 != history }
            historiesGone = (others + [history]).suffix(Self.historiesGoneKept)
        case .raiseLevel(let wanted): if wanted > protocolLevel { level = wanted }
        case .failure(let resource, let node, let reason, let stopFailed, let epoch, let number):
            guard isNews(resource, epoch: epoch, number: number) else { break }
            let record = FailureRecord(
                count: 1,
                reason: String(reason.prefix(Self.longestReason)),
                recordedAt: command.proposedAt,
                stopFailed: stopFailed
            )
            countFailure(of: resource, on: node, record)
        case .found(let resource, let node, let incarnation, let besides):
            noteStray(resource, node, incarnation, besides: besides)
        case .cleanup(let resource, let node): return cleanup(resource, on: node)
        case .move(let resource, let node): return move(resource, to: node)
        case .moveEnded(let resource): moves[resource] = nil
        case .installKey, .useKey, .retireKeys: return changeKeys(command.change) ?? .applied(version)
        }
        return .applied(version)
    }

    private mutating func changeKeys(_ change: Change) -> RequestAnswer? {
        var keys = keys ?? ClusterKeys()
        defer { self.keys = keys }
        switch change {
        case .installKey(let generation, let secret, let leavesAbsentBehind):
            return keys.install(generation, secret, leavesAbsentBehind: leavesAbsentBehind)
        case .useKey(let generation): keys.use(generation)
        case .retireKeys: return keys.retire()
        default: break
        }
        return nil
    }

    private mutating func configure(
        expected: ConfigurationVersion,
        _ wanted: ClusterConfiguration
    ) -> RequestAnswer {
        guard expected == version else { return .conflict(current: version) }
        let removed = configuration.nodes.filter { wanted.node($0.id) == nil }
        if let node = removed.first(where: { mayRun($0.id) }) {
            return .refused("\(node.name) may still run resources: nothing proves that it was stopped or is off")
        }
        if !configuration.fencesLike(wanted) { requirementsEpoch = lastEpoch }
        if !removed.isEmpty {
            // It knows the secret, and with it could speak as any member.
            var keys = keys ?? ClusterKeys()
            keys.mustRotate = true
            self.keys = keys
        }
        if wanted.properties.profile != configuration.properties.profile {
            formerProfile = configuration.properties.profile
        }
        configuration = wanted
        version += 1
        forgetWhatIsGone()
        return .applied(version)
    }

    /// Drops what refers to resources and nodes that no longer exist.
    ///
    /// Assignments stay: a deleted resource that was given to a node may be active there until its stop is known.
    private mutating func forgetWhatIsGone() {
        let resources = Set(configuration.resources.map(\.name))
        let nodes = Set(configuration.nodes.map(\.id))
        failures = failures.filter { resources.contains($0.key) || assignments[$0.key] != nil }
            .mapValues { records in records.filter { nodes.contains($0.key) } }
            .filter { !$0.value.isEmpty }
        countedFailures = countedFailures.filter { resources.contains($0.key) || assignments[$0.key] != nil }
        strays = strays?.filter { resources.contains($0.key) }
        moves = moves.filter { resources.contains($0.key) && nodes.contains($0.value) }
        // A node that could be taken out is proven dead otherwise, and nobody looks after its fence any more.
        fences = fences.filter { nodes.contains($0.key) || $0.value.isOver }
    }

    private mutating func assign(_ wanted: [NewAssignment]) {
        let named = Set(wanted.map(\.resource))
        let runnable = Set(configuration.resources.lazy.filter { $0.enabled && named.contains($0.name) }.map(\.name))
        for new in wanted where runnable.contains(new.resource) && accepts(new) {
            lastEpoch += 1
            assignments[new.resource] = Assignment(node: new.node, incarnation: new.incarnation, epoch: lastEpoch)
            // Under a new epoch nothing runs twice any more.
            strays?[new.resource]?.double = nil
        }
    }

    /// Whether an assignment of an enabled resource is still right at its place in the log; the leader decided it on an earlier state.
    private func accepts(_ new: NewAssignment) -> Bool {
        guard configuration.node(new.node) != nil,
            incarnations[new.node] == new.incarnation,
            departures[new.node, default: 0] < new.incarnation
        else { return false }
        if let fence = fences[new.node], fence.incarnation >= new.incarnation, !fence.isOver { return false }
        if isProvenDead(new.node, new.incarnation) || parts(new) { return false }
        if mustStayStopped(new.resource) { return false }
        guard let current = assignments[new.resource] else { return true }
        return current.node == new.node && current.incarnation == new.incarnation
    }

    /// Whether an assignment would part what must be together, or join what must be apart: the leader decided it before
    /// a constraint or another assignment that stands before it in the log.
    private func parts(_ new: NewAssignment) -> Bool {
        configuration.colocations.contains { colocation in
            switch colocation.score {
            case .infinity: colocation.resource == new.resource && assignments[colocation.with]?.node != new.node
            case .minusInfinity:
                colocation.resource == new.resource && assignments[colocation.with]?.node == new.node
                    || colocation.with == new.resource && assignments[colocation.resource]?.node == new.node
            default: false
            }
        }
    }

    private mutating func release(_ resource: ResourceName, epoch: Epoch) {
        guard let current = assignments[resource], current.epoch == epoch else { return }
        withdraw(resource, from: current.node)
    }

    /// Whoever releases knows that the resource does not run there, so a failed stop is no longer in doubt.
    private mutating func withdraw(_ resource: ResourceName, from node: NodeID) {
        assignments[resource] = nil
        failures[resource]?[node]?.stopFailed = false
        if configuration.resource(named: resource) == nil {
            failures[resource] = nil
            countedFailures[resource] = nil
        }
    }

    /// Takes everything from a node whose incarnation is proven dead.
    private mutating func withdrawAll(from node: NodeID, upTo incarnation: Incarnation) {
        let held = assignments.filter { $0.value.node == node && $0.value.incarnation <= incarnation }
        for resource in held.keys { withdraw(resource, from: node) }
    }

    /// Whether a resource was active twice and is to be stopped everywhere until an operator has cleaned up.
    public func mustStayStopped(_ resource: ResourceName) -> Bool {
        strays?[resource]?.double != nil && configuration.resource(named: resource)?.multipleActive == .stopOnly
    }

    private mutating func noteStray(
        _ resource: ResourceName,
        _ node: NodeID,
        _ incarnation: Incarnation,
        besides other: NodeID?
    ) {
        guard configuration.resource(named: resource) != nil, configuration.node(node) != nil else { return }
        var strays = strays ?? [:]
        var record = strays[resource] ?? StrayRecord()
        guard record.seen[node, default: 0] < incarnation else { return }
        record.seen[node] = incarnation
        if let other {
            let epoch = assignments[resource]?.epoch ?? lastEpoch
            record.double = DoubleActivity(epoch: epoch, node: node, besides: other)
        }
        strays[resource] = record
        self.strays = strays
    }

    private mutating func leave(_ node: NodeID, _ incarnation: Incarnation) {
        guard incarnation > departures[node, default: 0] else { return }
        departures[node] = incarnation
        withdrawAll(from: node, upTo: incarnation)
    }

    private mutating func orderFence(
        of node: NodeID,
        _ incarnation: Incarnation,
        reason: String,
        at time: Int64
    ) -> RequestAnswer {
        guard configuration.node(node) != nil else { return .refused("\(node) is not a node of this cluster") }
        if departures[node, default: 0] >= incarnation {
            return .refused("\(node) left cleanly in this incarnation")
        }
        if var known = fences[node], known.incarnation >= incarnation {
            guard known.incarnation == incarnation, known.outcome != .verified else {
                return .refused("\(node) was fenced already")
            }
            // One incarnation is fenced once: another attempt after a failure belongs to the fence that is open.
            known.outcome = .ordered
            known.endedAt = nil
            fences[node] = known
            return .applied(version)
        }
        let reason = String(reason.prefix(Self.longestReason))
        fences[node] = FenceRecord(incarnation: incarnation, reason: reason, orderedAt: time)
        return .applied(version)
    }

    /// Whether the newest start of a node's agent may still run something.
    public func mayRun(_ node: NodeID) -> Bool {
        guard let incarnation = incarnations[node] else { return false }
        return !isProvenDead(node, incarnation)
    }

    /// Whether that start of a node's agent is one of those that were ended all at once.
    public func isStopped(_ node: NodeID, _ incarnation: Incarnation) -> Bool {
        stopped?[node].map { $0 >= incarnation } ?? false
    }

    private mutating func confirmFence(of node: NodeID, _ incarnation: Incarnation, at time: Int64) -> RequestAnswer {
        guard let known = configuration.node(node) else { return .refused("\(node) is not a node of this cluster") }
        if isProvenDead(node, incarnation) { return .refused("\(known.name) is known to be off already") }
        var record = FenceRecord(incarnation: incarnation, reason: "an operator confirmed it", orderedAt: time)
        record.outcome = .verified
        record.endedAt = time
        fences[node] = record
        withdrawAll(from: node, upTo: incarnation)
        return .applied(version)
    }

    private mutating func endFence(of node: NodeID, _ incarnation: Incarnation, failure: String?, at time: Int64) {
        guard var record = fences[node], record.incarnation == incarnation, record.outcome != .verified else { return }
        record.endedAt = time
        record.outcome = failure.map { .failed(String($0.prefix(Self.longestReason))) } ?? .verified
        fences[node] = record
        if record.outcome == .verified { withdrawAll(from: node, upTo: incarnation) }
    }

    private mutating func isNews(_ resource: ResourceName, epoch: Epoch, number: Int) -> Bool {
        guard epoch > 0 else { return true }
        if let counted = countedFailures[resource] {
            if epoch < counted.epoch { return false }
            if epoch == counted.epoch, number <= counted.number { return false }
        }
        countedFailures[resource] = CountedFailure(epoch: epoch, number: number)
        return true
    }

    private mutating func countFailure(of resource: ResourceName, on node: NodeID, _ new: FailureRecord) {
        guard configuration.node(node) != nil,
            configuration.resource(named: resource) != nil || assignments[resource] != nil
        else {
            countedFailures[resource] = nil
            return
        }
        var record = new
        if let known = failures[resource]?[node] {
            record.count = min(known.count + 1, Self.highestFailureCount)
            record.stopFailed = record.stopFailed || known.stopFailed
        }
        failures[resource, default: [:]][node] = record
    }

    private mutating func cleanup(_ resource: ResourceName, on node: NodeID?) -> RequestAnswer {
        guard configuration.resource(named: resource) != nil || assignments[resource] != nil else {
            return .refused("there is no resource \"\(resource)\"")
        }
        strays?[resource]?.double = nil
        if let node {
            failures[resource]?[node] = nil
            if failures[resource]?.isEmpty == true { failures[resource] = nil }
        } else {
            failures[resource] = nil
        }
        return .applied(version)
    }

    private mutating func move(_ resource: ResourceName, to node: NodeID) -> RequestAnswer {
        guard let known = configuration.resource(named: resource) else {
            return .refused("there is no resource \"\(resource)\"")
        }
        guard configuration.node(node) != nil else { return .refused("\(node) is not a node of this cluster") }
        guard known.enabled else { return .refused("resource \"\(resource)\" is disabled") }
        moves[resource] = node
        return .applied(version)
    }
}

extension Change {
    /// Whether agents ask for it by themselves.
    fileprivate var isHousekeeping: Bool {
        switch self {
        case .installKey, .useKey, .retireKeys: true
        default: false
        }
    }
}

extension FenceRecord {
    /// Whether no attempt is under way.
    public var isOver: Bool { outcome != .ordered }
}

extension ClusterConfiguration {
    /// Whether the same resources must be fenced before they run elsewhere, as far as both configurations hold them.
    fileprivate func fencesLike(_ other: ClusterConfiguration) -> Bool {
        guard properties.stonithEnabled == other.properties.stonithEnabled, colocations == other.colocations else {
            return false
        }
        let known = Dictionary(resources.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        return other.resources.allSatisfy { resource in
            guard let before = known[resource.name] else { return true }
            return (before.requires ?? before.kind.defaultRequirement)
                == (resource.requires ?? resource.kind.defaultRequirement)
        }
    }
}
