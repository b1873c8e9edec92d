import ClusterModel

/// The question on which safety rests: can a resource be active on the node that it was given to?
extension RecoveryCore {
    /// Why a resource counts as possibly active on its assigned node; nil when it certainly is not (RULE 4.3-d).
    func activity(of resource: ResourceName, _ assignment: Assignment, _ round: inout Round) -> BlockReason? {
        let node = assignment.node
        if round.state.isProvenDead(node, assignment.incarnation) || isVerifiedOff(node, assignment.incarnation) {
            return nil
        }
        guard let index = nodes.index(of: node), let liveness = nodes.values[index].liveness else {
            return .waitsForLease(node)
        }
        if faults.trustWithdrawal, withdrawals[resource]?.epoch == assignment.epoch { return nil }
        let known = nodes.values[index].report(of: resource)
        if let report = nodes.values[index].report {
            let sheet = withdrawals[resource].flatMap { $0.epoch == assignment.epoch ? $0.sequence : nil }
            if isStopped(known, assignment, accordingTo: report, withdrawnBy: sheet, round.state) { return nil }
        }
        switch liveness {
        case .alive(let incarnation, _, _):
            if incarnation > assignment.incarnation { return .waitsForProbe(node) }
            return known?.state == .unknown ? .stopFailed(node) : .waitsForStop(node)
        case .lost(let leaseOverAt):
            return activityOnLostNode(resource, assignment, leaseOverAt: leaseOverAt, &round)
        }
    }

    /// Whether a node's own word proves the resource stopped.
    ///
    /// A node's session never starts an epoch again that it has stopped, nor obeys a sheet older than one it has
    /// answered, so the word stays true for that session.
    private func isStopped(
        _ known: ResourceReport?,
        _ assignment: Assignment,
        accordingTo report: NodeReport,
        withdrawnBy sheet: UInt64?,
        _ state: ClusterState
    ) -> Bool {
        let isDown = known?.state.isDown ?? true
        if report.incarnation > assignment.incarnation {
            // A later start of the agent looked for it, knowing the configuration in which it exists.
            return report.probed && report.version >= state.version && isDown
        }
        guard report.incarnation == assignment.incarnation, isDown else { return false }
        if let known, known.epoch >= assignment.epoch { return true }
        guard let sheet else { return false }
        return report.sheetTerm == term && report.sheetSequence >= sheet
    }

    private func activityOnLostNode(
        _ resource: ResourceName,
        _ assignment: Assignment,
        leaseOverAt: Instant,
        _ round: inout Round
    ) -> BlockReason? {
        let node = assignment.node
        guard let graph else { return .waitsForLease(node) }
        let configuration = round.state.configuration
        switch configuration.requirement(of: resource, in: graph) {
        case .nothing: return nil
        case .lease where faults.skipLeaseWait: return nil
        case .fencing where faults.skipFence: return nil
        case .lease:
            var over = max(leaseOverAt + (faults.forgetGrace ? .zero : grace), recoverByLeaseAt)
            // Where a watchdog is the last to end it, it has its time from the end of the lease on.
            if !isAddress(resource, configuration) { over = over + configuration.properties.watchdogWait }
            // The node may still believe that it would be fenced first.
            if assignment.epoch <= round.state.requirementsEpoch, !isAddress(resource, configuration) {
                over = over + RecoveryLimits.longestPatience
            }
            guard round.now < over else { return nil }
            round.wake(at: over)
            return .waitsForLease(node)
        case .fencing:
            return fenceDevices(for: node, configuration).isEmpty ? .needsFenceDevice(node) : .waitsForFence(node)
        }
    }

    private func isAddress(_ resource: ResourceName, _ configuration: ClusterConfiguration) -> Bool {
        if case .virtualIP = configuration.resource(named: resource)?.kind { return true }
        return false
    }
}
