import ClusterModel
import Placement

/// The node's lease: while it holds, orders count; when it ends, so does everything that is recovered by its end.
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
            endLease(now: now, into: &effects)
            return true
        }
        let before = lease
        lease = Lease(until: until, term: term)
        leaselessSince = nil
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

    /// Voids everything that was run under the lease and that its end makes free to be recovered elsewhere.
    ///
    /// A lease that is renewed later does not cancel these stops.
    mutating func endLease(now: Instant, into effects: inout [ExecutorEffect]) {
        lease = nil
        sheet = nil
        held = nil
        seen = nil
        if faults.ignoreLeaseEnd { return }
        effects.append(.dropAllVirtualIPs)
        leaselessSince = now
        voidUnlessKept(into: &effects)
    }

    /// Stops what ran on without a lease.
    mutating func endPatience(into effects: inout [ExecutorEffect]) {
        leaselessSince = nil
        voidUnlessKept(into: &effects)
    }

    /// Voids what may not run without a lease, or not any longer.
    mutating func voidUnlessKept(into effects: inout [ExecutorEffect]) {
        let kept = keptWithoutLease()
        for name in names where needsLease(name) && !kept.contains(name) {
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

    /// What goes on for a while without a lease: nobody starts it elsewhere before this node is verified off, so the end
    /// of the lease proves nothing about it, and every election would stop it everywhere for nothing.
    ///
    /// What must run with something that stops, stops too. A start needs a lease whatever is kept.
    private func keptWithoutLease() -> Set<ResourceName> {
        guard leaselessSince != nil, !leaving, let configuration, let graph,
            let own = configuration.node(node), !configuration.fenceDevices(for: own.name).isEmpty
        else { return [] }
        var kept: Set<ResourceName> = []
        for name in graph.namesInOrder {
            guard let cell = cells[name], configuration.requirement(of: name, in: graph) == .fencing else { continue }
            if case .virtualIP = cell.resource.kind { continue }
            if graph.mandatoryPrimaries(of: name).allSatisfy(kept.contains) { kept.insert(name) }
        }
        return kept
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
