import ClusterModel

/// What the end of an operation means.
extension NodeExecutor {
    /// Takes the end of an operation; one that is not the resource's present one is a late echo and changes nothing.
    ///
    /// - Returns: Whether anything changed.
    mutating func takeEnd(
        of operation: UInt64,
        _ resource: ResourceName,
        _ outcome: OperationOutcome,
        now: Instant
    ) -> Bool {
        guard var cell = cells[resource], let running = cell.operation, running.id == operation else { return false }
        cell.operation = nil
        switch (cell.phase, running.kind) {
        case (.found, _):
            if outcome == .notRunning {
                cell.wasFound = false
                cell.phase = .stopped
            }
        case (.unprobed, _): endProbe(&cell, outcome)
        case (.starting, _): endStart(&cell, outcome, now: now)
        case (.running, .monitor): endMonitor(&cell, outcome, now: now)
        case (.stopping(let after), .stop): endStop(&cell, outcome, after, now: now)
        case (.killing(let after), .kill), (.killing(let after), .probe):
            endKill(&cell, running.kind, outcome, after, now: now)
        // A monitor that ends after its resource was found dead: the stop is next.
        default: break
        }
        cells[resource] = cell
        return true
    }

    /// Takes what a probe of many resources found.
    ///
    /// - Returns: Whether anything changed.
    mutating func takeProbes(_ found: [ResourceName: Bool]) -> Bool {
        var changed = false
        for (resource, runs) in found {
            guard let cell = cells[resource], cell.phase == .unprobed, cell.operation == nil else { continue }
            cells[resource]?.wasFound = runs
            cells[resource]?.phase = runs ? Self.phase(ofFound: cell) : .stopped
            changed = true
        }
        return changed
    }

    /// Takes the death of a process.
    ///
    /// - Returns: Whether anything changed.
    mutating func takeExit(
        of resource: ResourceName,
        startedBy: UInt64,
        reason: String,
        now: Instant,
        into effects: inout [ExecutorEffect]
    ) -> Bool {
        guard var cell = cells[resource], cell.phase == .running, cell.startedBy == startedBy else { return false }
        if let operation = cell.operation, !operation.isCancelled {
            cell.operation?.isCancelled = true
            effects.append(.cancel(operation: operation.id))
        }
        cell.fail(reason)
        noteRun(&cell, now: now)
        cell.phase = .stopping(.restart)
        cells[resource] = cell
        return true
    }

    /// What was running when the agent started was not ordered by this cluster's present state: it is stopped first
    /// (RULE F10).
    ///
    /// So is what could not be looked at.
    /// With `multiple-active=block` the leader is asked first, who knows whether it is active elsewhere too.
    private static func phase(ofFound cell: ResourceCell) -> ResourceCell.Phase {
        cell.resource.multipleActive == .block ? .found : .stopping(.rest)
    }

    private func endProbe(_ cell: inout ResourceCell, _ outcome: OperationOutcome) {
        switch outcome {
        case .notRunning: cell.phase = .stopped
        case .succeeded:
            cell.wasFound = true
            cell.phase = Self.phase(ofFound: cell)
        case .failed(let reason):
            cell.reason = String(reason.prefix(RecoveryLimits.longestReason))
            cell.phase = .stopping(.rest)
        case .timedOut, .cancelled: cell.phase = .stopping(.rest)
        }
    }

    private func endStart(_ cell: inout ResourceCell, _ outcome: OperationOutcome, now: Instant) {
        switch outcome {
        case .succeeded:
            cell.phase = .running
            cell.runningSince = now
            let interval = cell.resource.operations.monitorInterval.duration
            cell.nextMonitorAt = interval > .zero ? now + interval : nil
        case .cancelled:
            cell.phase = .stopping(.rest)
        case .notRunning, .failed, .timedOut:
            cell.fail("start: \(outcome.sentence)")
            cell.phase = .stopping(.fail)
        }
    }

    private func endMonitor(_ cell: inout ResourceCell, _ outcome: OperationOutcome, now: Instant) {
        switch outcome {
        case .succeeded, .cancelled:
            cell.nextMonitorAt = now + cell.resource.operations.monitorInterval.duration
        case .notRunning, .failed, .timedOut:
            cell.fail("monitor: \(outcome.sentence)")
            noteRun(&cell, now: now)
            cell.phase = .stopping(.restart)
        }
    }

    /// Counts a run that ended by itself; one that was long and good starts the count anew.
    private func noteRun(_ cell: inout ResourceCell, now: Instant) {
        if let since = cell.runningSince, now >= since + ExecutorLimits.stableTime { cell.repetition = 0 }
        cell.repetition += 1
        cell.runningSince = nil
        cell.nextMonitorAt = nil
    }

    private func endStop(
        _ cell: inout ResourceCell,
        _ outcome: OperationOutcome,
        _ after: ResourceCell.AfterStop,
        now: Instant
    ) {
        switch outcome {
        case .succeeded, .notRunning: finishStop(&cell, after, now: now)
        case .failed, .timedOut, .cancelled:
            cell.reason = "stop: \(outcome.sentence)"
            cell.phase = .killing(after)
        }
    }

    /// After a kill the resource is looked at: only what is seen to be gone counts as stopped.
    private func endKill(
        _ cell: inout ResourceCell,
        _ kind: OperationKind,
        _ outcome: OperationOutcome,
        _ after: ResourceCell.AfterStop,
        now: Instant
    ) {
        if kind == .kill {
            cell.isVerifying = true
            return
        }
        cell.isVerifying = false
        if outcome == .notRunning { return finishStop(&cell, after, now: now) }
        if cell.failedStops == 0 { cell.fail(cell.reason) }
        let pause = RecoveryLimits.pause(
            ExecutorLimits.stopPause,
            longest: ExecutorLimits.longestStopPause,
            repetition: cell.failedStops
        )
        cell.failedStops += 1
        cell.phase = .unknown(retryAt: now + pause)
    }

    private func finishStop(_ cell: inout ResourceCell, _ after: ResourceCell.AfterStop, now: Instant) {
        cell.failedStops = 0
        switch after {
        case .rest: cell.close(.stopped)
        case .fail: cell.close(cell.isWanted ? .failed : .stopped)
        case .restart where cell.isWanted: cell.phase = .pausing(until: now + Self.restartPause(cell.repetition))
        case .restart: cell.close(.stopped)
        }
    }

    /// None the first time, so that a process that died is back at once; then growing.
    private static func restartPause(_ repetition: Int) -> Duration {
        guard repetition > 1 else { return .zero }
        return RecoveryLimits.pause(
            ExecutorLimits.restartPause,
            longest: ExecutorLimits.longestRestartPause,
            repetition: repetition - 2
        )
    }
}

extension OperationOutcome {
    /// For the reason of a failure.
    var sentence: String {
        switch self {
        case .succeeded: "done"
        case .notRunning: "not running"
        case .failed(let reason): reason
        case .timedOut: "timed out"
        case .cancelled: "cancelled"
        }
    }
}
