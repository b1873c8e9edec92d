import ClusterModel
import Placement

/// Deciding what each resource needs next.
extension NodeExecutor {
    /// Looks at every resource once.
    ///
    /// One operation at a time runs for each; what waits for another resource's operation is looked at again when that
    /// one ends.
    mutating func advance(now: Instant, into effects: inout [ExecutorEffect]) {
        var pass = Pass(now: now, checks: 0, starts: 0)
        for cell in cells.values {
            switch cell.operation?.kind {
            case .probe, .monitor: pass.checks += 1
            case .start: pass.starts += 1
            case .stop, .kill, nil: break
            }
        }
        for name in names {
            guard var cell = cells[name] else { continue }
            endUnanswered(&cell, name, &pass, into: &effects)
            advance(&cell, name, &pass, into: &effects)
            if let operation = cell.operation { _ = pass.isDue(operation.until) }
            cells[name] = cell
        }
        if hasProbedAll, configuration != nil {
            probed = true
            probedVersion = version
        }
        forgetWhatIsGone()
        cellDeadline = pass.deadline
    }

    /// An operation whose end got lost must not hold its resource for ever; a result that comes after all is a late echo.
    private mutating func endUnanswered(
        _ cell: inout ResourceCell,
        _ name: ResourceName,
        _ pass: inout Pass,
        into effects: inout [ExecutorEffect]
    ) {
        guard let operation = cell.operation, pass.isDue(operation.until) else { return }
        effects.append(.cancel(operation: operation.id))
        _ = takeEnd(of: operation.id, name, .timedOut, now: pass.now)
        cell = cells[name] ?? cell
    }

    private mutating func advance(
        _ cell: inout ResourceCell,
        _ name: ResourceName,
        _ pass: inout Pass,
        into effects: inout [ExecutorEffect]
    ) {
        if let operation = cell.operation {
            // A monitor must not delay a stop; everything else ends by itself or was cut short with the lease.
            if operation.kind == .monitor, !operation.isCancelled, !cell.isWanted {
                cell.operation?.isCancelled = true
                effects.append(.cancel(operation: operation.id))
            }
            return
        }
        if isHandsOff(name, cell) { return }
        switch cell.phase {
        case .unprobed: check(&cell, .probe, &pass, into: &effects)
        case .found: lookAtFound(&cell, name, &pass, into: &effects)
        case .stopped, .failed: startIfOrdered(&cell, name, &pass, into: &effects)
        case .pausing(let until): restartIfWanted(&cell, name, until: until, &pass, into: &effects)
        case .running: keepRunning(&cell, name, &pass, into: &effects)
        case .unknown(let retryAt):
            guard pass.isDue(retryAt) else { return }
            cell.phase = .stopping(.rest)
            run(.stop, &cell, pass.now, into: &effects)
        case .stopping:
            run(.stop, &cell, pass.now, into: &effects)
        case .killing: run(cell.isVerifying ? .probe : .kill, &cell, pass.now, into: &effects)
        case .starting: break
        }
    }

    /// What was found running is left alone while the leader wants that, and looked at: the operator may have ended it.
    private mutating func lookAtFound(
        _ cell: inout ResourceCell,
        _ name: ResourceName,
        _ pass: inout Pass,
        into effects: inout [ExecutorEffect]
    ) {
        guard sheet == nil || left.contains(name), !cell.isVoid, !leaving else {
            cell.phase = .stopping(.rest)
            return run(.stop, &cell, pass.now, into: &effects)
        }
        let due = cell.nextMonitorAt ?? pass.now + ExecutorLimits.foundInterval
        cell.nextMonitorAt = due
        guard pass.isDue(due) else { return }
        cell.nextMonitorAt = nil
        check(&cell, .probe, &pass, into: &effects)
    }

    private mutating func startIfOrdered(
        _ cell: inout ResourceCell,
        _ name: ResourceName,
        _ pass: inout Pass,
        into effects: inout [ExecutorEffect]
    ) {
        guard let wanted = cell.wanted, wanted > cell.floor && wanted >= cell.epoch || faults.ignoreEpoch,
            mayStart(name),
            let configured = configuration?.resource(named: name)
        else { return }
        guard pass.starts < ExecutorLimits.concurrentStarts else { return }
        cell.resource = configured
        cell.epoch = wanted
        cell.failures = 0
        cell.repetition = 0
        cell.reason = ""
        start(&cell, &pass, into: &effects)
    }

    private mutating func restartIfWanted(
        _ cell: inout ResourceCell,
        _ name: ResourceName,
        until: Instant,
        _ pass: inout Pass,
        into effects: inout [ExecutorEffect]
    ) {
        guard cell.isWanted else { return cell.close(.stopped) }
        guard pass.isDue(until), mayStart(name), pass.starts < ExecutorLimits.concurrentStarts else { return }
        if let configured = configuration?.resource(named: name) { cell.resource = configured }
        start(&cell, &pass, into: &effects)
    }

    private mutating func start(
        _ cell: inout ResourceCell,
        _ pass: inout Pass,
        into effects: inout [ExecutorEffect]
    ) {
        pass.starts += 1
        cell.phase = .starting
        cell.wasFound = false
        cell.startedBy = nextOperation
        run(.start, &cell, pass.now, into: &effects)
    }

    private mutating func keepRunning(
        _ cell: inout ResourceCell,
        _ name: ResourceName,
        _ pass: inout Pass,
        into effects: inout [ExecutorEffect]
    ) {
        guard cell.isWanted, let wanted = cell.wanted else {
            guard mayStop(name, cell) else { return }
            cell.phase = .stopping(.rest)
            return run(.stop, &cell, pass.now, into: &effects)
        }
        if wanted > cell.epoch {
            // Given to this node anew while it runs here: the same run goes on under the new number.
            cell.epoch = wanted
            cell.failures = 0
        }
        if let configured = configuration?.resource(named: name), configured.kind != cell.resource.kind {
            cell.phase = .stopping(.restart)
            return run(.stop, &cell, pass.now, into: &effects)
        }
        if let since = cell.runningSince, cell.repetition > 0, pass.now >= since + ExecutorLimits.stableTime {
            cell.repetition = 0
        }
        let interval = cell.resource.operations.monitorInterval.duration
        guard interval > .zero else { return }
        let due = min(cell.nextMonitorAt ?? pass.now + interval, pass.now + interval)
        cell.nextMonitorAt = due
        if pass.isDue(due) { check(&cell, .monitor, &pass, into: &effects) }
    }

    /// Whether the operator looks after a resource now (S7): nothing is done to it but looking once for what runs.
    ///
    /// What the end of a lease makes free to be recovered elsewhere is stopped all the same, for the others may have
    /// ended the maintenance since; so is everything when the node was told to leave.
    private func isHandsOff(_ name: ResourceName, _ cell: ResourceCell) -> Bool {
        guard isInMaintenance || unmanaged.contains(name), !faults.ignoreMaintenance else { return false }
        return cell.phase != .unprobed && !cell.isVoid && !leaving
    }

    /// Whether a start may go out now: under a lease, knowing the configuration that the order was made for, after
    /// looking for what already ran here, and after all that it must run with.
    ///
    /// Never on a node that leaves: it has said that it has nothing, and its departure may be on its way into the log behind
    /// an assignment that was decided before.
    private func mayStart(_ name: ResourceName) -> Bool {
        guard lease != nil, probed, !leaving, let sheet, version >= sheet.version, let graph else { return false }
        return graph.mandatoryPrimaries(of: name).allSatisfy { cells[$0]?.phase == .running }
    }

    /// Whether a stop may go out now: what must run with it is stopped first, unless the lease is over.
    private func mayStop(_ name: ResourceName, _ cell: ResourceCell) -> Bool {
        guard !cell.isVoid, let graph else { return true }
        return graph.mandatoryFollowers(of: name).allSatisfy { cells[$0]?.isLeaving != true }
    }

    private mutating func check(
        _ cell: inout ResourceCell,
        _ kind: OperationKind,
        _ pass: inout Pass,
        into effects: inout [ExecutorEffect]
    ) {
        guard pass.checks < ExecutorLimits.concurrentChecks else { return }
        pass.checks += 1
        run(kind, &cell, pass.now, into: &effects)
    }

    mutating func run(
        _ kind: OperationKind,
        _ cell: inout ResourceCell,
        _ now: Instant,
        into effects: inout [ExecutorEffect]
    ) {
        let settings = cell.resource.operations
        let timeout =
            switch kind {
            case .start: settings.startTimeout.duration
            case .stop: settings.stopTimeout.duration
            case .probe, .monitor: settings.monitorTimeout.duration
            case .kill: ExecutorLimits.killTimeout
            }
        let operation = Operation(id: nextOperation, kind: kind, resource: cell.resource, timeout: timeout)
        nextOperation += 1
        let until = now + timeout + ExecutorLimits.answerGrace
        cell.operation = ResourceCell.RunningOperation(id: operation.id, kind: kind, until: until)
        effects.append(.run(operation))
    }
}

/// One look at all resources.
struct Pass {
    let now: Instant
    var checks: Int
    var starts: Int
    private(set) var deadline: Instant?

    init(now: Instant, checks: Int, starts: Int) {
        self.now = now
        self.checks = checks
        self.starts = starts
    }

    /// Whether that moment has come; if not, asks for another look then.
    mutating func isDue(_ time: Instant) -> Bool {
        if now >= time { return true }
        deadline = min(deadline ?? time, time)
        return false
    }
}
