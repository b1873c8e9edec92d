import ClusterModel
import Placement

/// The node's lease: while it holds, orders count; when it ends, everything that needs it ends.
extension NodeExecutor {
    /// Takes news of the lease.
    ///
    /// - Returns: Whether anything but its end changed.
    mutating func takeLease(
        _ until: Instant?,
        term: Term,
        now: Instant,
        into effects: inout [ExecutorEffect]
    ) -> Bool {
        guard let until, until > now else {
            guard lease != nil else { return false }
            endLease(into: &effects)
            return true
        }
        let before = lease
        lease = Lease(until: until, term: term)
        if before?.term == term { return false }
        if before == nil {
            // Sheets that were on their way before this lease may have been overtaken by a recovery elsewhere.
            tenure = outbox.beginTenure()
            seen = nil
        } else {
            outbox.isDue = true
        }
        if let held { return take(held) }
        return false
    }

    /// Voids everything that was run under the lease.
    ///
    /// A lease that is renewed later does not cancel these stops.
    mutating func endLease(into effects: inout [ExecutorEffect]) {
        lease = nil
        sheet = nil
        held = nil
        seen = nil
        effects.append(.dropAllVirtualIPs)
        for name in names where needsLease(name) {
            guard var cell = cells[name] else { continue }
            cell.wanted = nil
            cell.isVoid = !cell.isDown && cell.phase != .unprobed
            if case .pausing = cell.phase { cell.close(.stopped) }
            if let operation = cell.operation, !operation.isCancelled, Self.isCutShort(operation.kind) {
                cell.operation?.isCancelled = true
                effects.append(.cancel(operation: operation.id))
            }
            cells[name] = cell
        }
    }

    /// Whether a resource may run here only under a lease.
    ///
    /// An address always does: two owners disturb all clients.
    private func needsLease(_ name: ResourceName) -> Bool {
        guard let configuration, let graph, let cell = cells[name] else { return true }
        if case .virtualIP = cell.resource.kind { return true }
        return configuration.requirement(of: name, in: graph) != .nothing
    }

    /// Whether an operation is not worth waiting for when the resource has to stop at once.
    private static func isCutShort(_ kind: OperationKind) -> Bool {
        switch kind {
        case .start, .monitor: true
        case .probe, .stop, .kill: false
        }
    }
}
