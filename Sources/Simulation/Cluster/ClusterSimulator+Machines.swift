import ClusterModel
import NodeCore
import Recovery

/// What runs on machines.
extension ClusterSimulator {
    private static let millisecond: Int64 = 1_000_000
    /// How long an operation that hangs takes at most until whoever runs it gives it up.
    private static let longestHang = Duration.seconds(20)

    mutating func begin(_ operation: Operation, _ index: Int) {
        let host = hosts[index]
        let name = operation.resource.name
        if operation.kind != .monitor || options.machines.isVerbose {
            note(index, "\(operation.kind.rawValue) \(name)")
        }
        host.operations[operation.id] = operation
        observer.begins(operation, on: host)
        if operation.kind == .start {
            starts += 1
            observer.starts(name, on: host, at: now)
            activate(operation, index)
        }
        if operation.kind == .stop { stopsOf[name, default: 0] += 1 }
        if operation.kind == .start || operation.kind == .stop { host.moves += 1 }
        let isAddress = if case .virtualIP = operation.resource.kind { true } else { false }
        if !isAddress, fails(host.runner.hangs) {
            let patience = min(operation.timeout, Self.longestHang)
            hangsEndAt = max(hangsEndAt, now + patience.nanoseconds)
            let end = Happening.operationEnds(index, host.disk.incarnation, operation.id, .timedOut)
            return queue.insert(end, at: now + patience.nanoseconds)
        }
        let delay = Int64.random(in: duration(of: operation), using: &random) * Self.millisecond
        queue.insert(.operationEnds(index, host.disk.incarnation, operation.id, .done), at: now + delay)
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
        let end = Happening.operationEnds(index, hosts[index].disk.incarnation, operation, .cancelled)
        queue.insert(end, at: now + Int64.random(in: 0...2, using: &random) * Self.millisecond)
    }

    mutating func endOperation(_ index: Int, _ incarnation: Incarnation, _ id: UInt64, _ end: OperationEnd) {
        let host = hosts[index]
        guard host.isPowered, host.disk.incarnation == incarnation, host.agent != nil,
            let operation = host.operations.removeValue(forKey: id)
        else { return }
        let outcome =
            switch end {
            case .done: self.end(of: operation, index)
            case .cancelled: interrupted(operation, index, .cancelled)
            case .timedOut: interrupted(operation, index, .timedOut)
            }
        if outcome != .succeeded, operation.kind != .probe {
            note(index, "\(operation.kind.rawValue) \(operation.resource.name): \(outcome)")
        }
        let input = NodeInput.operationEnded(operation.resource.name, operation: id, outcome)
        queue.insert(.tell(index, incarnation, input), at: now)
    }

    /// A start that was interrupted may have done its work, or not.
    private mutating func interrupted(
        _ operation: Operation,
        _ index: Int,
        _ outcome: OperationOutcome
    ) -> OperationOutcome {
        if operation.kind == .start, Bool.random(using: &random) { activate(operation, index) }
        return outcome
    }

    private mutating func activate(_ operation: Operation, _ index: Int) {
        let host = hosts[index]
        let activity = SimulatedHost.Activity(
            incarnation: host.disk.incarnation,
            startedBy: operation.id,
            history: host.history
        )
        host.active[operation.resource.name] = activity
        observer.needsActivityCheck = true
    }

    private mutating func end(of operation: Operation, _ index: Int) -> OperationOutcome {
        let host = hosts[index]
        let name = operation.resource.name
        let isAddress = if case .virtualIP = operation.resource.kind { true } else { false }
        switch operation.kind {
        case .probe: return host.active[name] == nil ? .notRunning : .succeeded
        case .start:
            if fails(host.runner.failedStarts) { return .failed("no") }
            activate(operation, index)
            return .succeeded
        case .monitor:
            let isThere = host.active[name] != nil
            // Only a monitor of what is meant to run lies: what is seen after a stop or a kill, or by a probe, is the
            // proof that nothing runs, and no cluster can do without one.
            guard !isAddress, fails(host.runner.lies) else { return isThere ? .succeeded : .notRunning }
            return isThere ? .failed("sick") : .succeeded
        case .stop, .kill:
            if !isAddress, fails(host.runner.failedStops) { return .failed("stuck") }
            host.active[name] = nil
            return .succeeded
        }
    }

    private mutating func fails(_ rate: SimulatedHost.Runner.Rate) -> Bool {
        rate.until > now && random.hits(perMille: rate.perMille)
    }

    mutating func dropAddresses(_ index: Int) {
        let dropped = hosts[index].active.keys.filter { observer.isAddress($0) }.sorted()
        if !dropped.isEmpty { note(index, "drops \(dropped.joined(separator: ", "))") }
        for name in dropped { hosts[index].active[name] = nil }
    }

    /// Where nothing is ever fenced, a guard has killed what ran when the lease of an agent that could not do it ended.
    mutating func guardProcesses(_ index: Int) {
        guard !observer.isFencing, !hosts[index].holdsLease(at: now) else { return }
        for name in hosts[index].active.keys.sorted() where !observer.isAddress(name) {
            note(index, "the guard has killed \(name)")
            hosts[index].active[name] = nil
        }
    }

    /// Lets a process end by itself.
    mutating func killProcess(_ name: ResourceName, _ index: Int) {
        guard !observer.isAddress(name), let activity = hosts[index].active.removeValue(forKey: name) else { return }
        note(index, "\(name) dies")
        guard hosts[index].agent?.core.incarnation == activity.incarnation else { return }
        let input = NodeInput.processExited(name, startedBy: activity.startedBy, reason: "signal 9")
        queue.insert(.tell(index, activity.incarnation, input), at: now)
    }
}
