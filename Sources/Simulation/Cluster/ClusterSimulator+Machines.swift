import ClusterModel
import NodeCore
import Recovery

/// What runs on machines, and what switches them off.
extension ClusterSimulator {
    private static let millisecond: Int64 = 1_000_000

    mutating func begin(_ operation: Operation, _ index: Int) {
        let name = operation.resource.name
        let incarnation = hosts[index].disk.incarnation
        if operation.kind != .monitor || options.machines.isVerbose {
            note(index, "\(operation.kind.rawValue) \(name)")
        }
        hosts[index].operations[operation.id] = operation
        observer.begins(operation, on: hosts[index])
        if operation.kind == .start {
            starts += 1
            observer.starts(name, on: hosts[index], at: now)
            hosts[index].active[name] = .init(incarnation: incarnation, startedBy: operation.id)
        }
        if operation.kind == .stop { stopsOf[name, default: 0] += 1 }
        let delay = Int64.random(in: duration(of: operation), using: &random) * Self.millisecond
        queue.insert(.operationEnds(index, incarnation, operation.id, cancelled: false), at: now + delay)
    }

    private func duration(of operation: Operation) -> ClosedRange<Int64> {
        if case .virtualIP = operation.resource.kind { return 0...3 }
        return switch operation.kind {
        case .probe, .monitor: 1...5
        case .start: 5...60
        case .stop: 1...40
        case .kill: 1...5
        }
    }

    mutating func cancel(_ operation: UInt64, _ index: Int) {
        let end = Happening.operationEnds(index, hosts[index].disk.incarnation, operation, cancelled: true)
        queue.insert(end, at: now + Int64.random(in: 0...2, using: &random) * Self.millisecond)
    }

    mutating func endOperation(_ index: Int, _ incarnation: Incarnation, _ id: UInt64, cancelled: Bool) {
        guard hosts[index].isPowered, hosts[index].disk.incarnation == incarnation, hosts[index].core != nil,
            let operation = hosts[index].operations.removeValue(forKey: id)
        else { return }
        let outcome = cancelled ? cancelledEnd(of: operation, index) : end(of: operation, index)
        if outcome != .succeeded, operation.kind != .probe {
            note(index, "\(operation.kind.rawValue) \(operation.resource.name): \(outcome)")
        }
        let input = NodeInput.operationEnded(operation.resource.name, operation: id, outcome)
        queue.insert(.tell(index, incarnation, input), at: now)
    }

    /// A cancelled start may have done its work, or not.
    private mutating func cancelledEnd(of operation: Operation, _ index: Int) -> OperationOutcome {
        if operation.kind == .start, Bool.random(using: &random) { activate(operation, index) }
        return .cancelled
    }

    private mutating func activate(_ operation: Operation, _ index: Int) {
        let incarnation = hosts[index].disk.incarnation
        hosts[index].active[operation.resource.name] = .init(incarnation: incarnation, startedBy: operation.id)
        observer.needsActivityCheck = true
    }

    private mutating func end(of operation: Operation, _ index: Int) -> OperationOutcome {
        let name = operation.resource.name
        let isAddress = if case .virtualIP = operation.resource.kind { true } else { false }
        switch operation.kind {
        case .probe: return hosts[index].active[name] == nil ? .notRunning : .succeeded
        case .start:
            if fails(options.failedStartsPerMille) { return .failed("no") }
            activate(operation, index)
            return .succeeded
        case .monitor:
            if fails(options.failedMonitorsPerMille) { return .failed("sick") }
            return hosts[index].active[name] == nil ? .notRunning : .succeeded
        case .stop, .kill:
            if !isAddress, fails(options.failedStopsPerMille) { return .failed("stuck") }
            hosts[index].active[name] = nil
            return .succeeded
        }
    }

    mutating func fails(_ perMille: Int) -> Bool { hasFailures && random.hits(perMille: perMille) }

    mutating func dropAddresses(_ index: Int) {
        let dropped = hosts[index].active.keys.filter { observer.isAddress($0) }.sorted()
        if !dropped.isEmpty { note(index, "drops \(dropped.joined(separator: ", "))") }
        for name in dropped { hosts[index].active[name] = nil }
    }

    /// Where nothing is ever fenced, a guard has killed what ran when the lease of an agent that could not do it ended.
    mutating func guardProcesses(_ index: Int) {
        guard !observer.state.configuration.properties.stonithEnabled, !hosts[index].holdsLease(at: now) else { return }
        for name in hosts[index].active.keys.sorted() where !observer.isAddress(name) {
            note(index, "the guard has killed \(name)")
            hosts[index].active[name] = nil
        }
    }

    /// Lets a process end by itself.
    mutating func killProcess(_ name: ResourceName, _ index: Int) {
        guard !observer.isAddress(name), let activity = hosts[index].active.removeValue(forKey: name) else { return }
        note(index, "\(name) dies")
        guard hosts[index].core?.incarnation == activity.incarnation else { return }
        let input = NodeInput.processExited(name, startedBy: activity.startedBy, reason: "signal 9")
        queue.insert(.tell(index, activity.incarnation, input), at: now)
    }

    mutating func fence(_ index: Int, _ target: NodeID, _ incarnation: Incarnation) {
        observer.fences(target, incarnation, by: hosts[index].id)
        powerOffByController(index, target, incarnation)
    }

    mutating func powerOffByController(_ index: Int, _ target: NodeID, _ incarnation: Incarnation) {
        fences += 1
        note(index, "asks the controller of n\(target.rawValue) to power incarnation \(incarnation) off")
        guard let victim = self.index(of: target) else { return }
        let worked = !fails(options.failedFencesPerMille)
        let delay = Int64.random(in: options.fenceDelay, using: &random)
        // One that fails may have cut the power all the same.
        if worked || Bool.random(using: &random) { queue.insert(.cutPower(victim, by: index), at: now + delay / 2) }
        let asker = hosts[index].disk.incarnation
        let end = Happening.fenceEnds(index, asker, target: target, of: incarnation, worked: worked)
        queue.insert(end, at: now + delay)
        let boot = now + delay + Int64.random(in: options.bootDelay, using: &random)
        queue.insert(.boot(victim), at: boot)
        controllersRestAt = max(controllersRestAt, boot)
    }

    mutating func endFence(
        _ asker: Int,
        _ incarnation: Incarnation,
        target: NodeID,
        of fenced: Incarnation,
        worked: Bool
    ) {
        let isOff = self.index(of: target).map { !hosts[$0].isPowered } ?? true
        let failure: String? = worked && isOff ? nil : "the controller does not answer"
        let input = NodeInput.fenceEnded(node: target, incarnation: fenced, failure: failure)
        queue.insert(.tell(asker, incarnation, input), at: now)
    }
}
