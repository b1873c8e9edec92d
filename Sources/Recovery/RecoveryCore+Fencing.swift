public import ClusterModel

/// What this leader has done about fencing one node.
struct FenceAttempt {
    var incarnation: Incarnation
    /// Whether this leader ordered the fence and has not acted on it yet, so that it can still be called off.
    var canBeCalledOff = false
    var isRunning = false
    /// How the newest attempt ended, until that is in the replicated state.
    var result: FenceResult?
    var failures = 0
    var retryAt: Instant?
}

/// How an attempt ended.
enum FenceResult {
    case verifiedOff
    case failed(String)

    var failure: String? {
        if case .failed(let reason) = self { return reason }
        return nil
    }
}

/// Powering nodes off: ordered in the log first, then done; once per incarnation, repeated while it fails.
extension RecoveryCore {
    /// The devices that can power a node off.
    func fenceDevices(for node: NodeID, _ configuration: ClusterConfiguration) -> [FenceDevice] {
        configuration.node(node).map { configuration.fenceDevices(for: $0.name) } ?? []
    }

    /// Whether a fence of the node is wanted, ordered or under way.
    func isBeingFenced(_ node: NodeID, _ state: ClusterState) -> Bool {
        state.fences[node]?.outcome == .ordered || attempts[node]?.isRunning == true
            || proposals.isUnderWay(.fenceOrdered(node))
    }

    /// Whether this leader knows that incarnation to be off, before the replicated state says so.
    func isVerifiedOff(_ node: NodeID, _ incarnation: Incarnation) -> Bool {
        guard let attempt = attempts[node], case .verifiedOff = attempt.result else { return false }
        return attempt.incarnation >= incarnation
    }

    /// Whether this leader is powering that incarnation off right now.
    public func isFencing(_ node: NodeID, _ incarnation: Incarnation) -> Bool {
        guard let attempt = attempts[node], attempt.isRunning else { return false }
        return attempt.incarnation >= incarnation
    }

    /// What this leader is powering off right now.
    public var fencing: [NodeID: Incarnation] {
        var running: [NodeID: Incarnation] = [:]
        for (node, attempt) in zip(attempts.keys, attempts.values) where attempt.isRunning {
            running[node] = attempt.incarnation
        }
        return running
    }

    mutating func takeFenceResult(_ node: NodeID, _ incarnation: Incarnation, failure: String?, now: Instant) {
        guard var attempt = attempts[node], attempt.isRunning, attempt.incarnation == incarnation else { return }
        attempt.isRunning = false
        if let failure, !faults.trustFailedFence {
            attempt.result = .failed(String(failure.prefix(RecoveryLimits.longestReason)))
            let pause = RecoveryLimits.pause(
                RecoveryLimits.fencePause,
                longest: RecoveryLimits.longestFencePause,
                repetition: attempt.failures
            )
            attempt.failures += 1
            attempt.retryAt = now + pause
        } else {
            attempt.result = .verifiedOff
        }
        attempts[node] = attempt
    }

    mutating func decideFences(_ round: inout Round) {
        if !round.state.configuration.properties.stonithEnabled { round.conditions.append(.fencingDisabled) }
        for node in round.state.configuration.nodes.map(\.id).sorted() {
            if let record = round.state.fences[node], record.outcome == .ordered {
                carryOn(record, of: node, &round)
            } else {
                closeAttempt(of: node, round.state)
                orderIfNeeded(node, &round)
            }
        }
    }

    /// Carries out a fence that is ordered, by this leader or by one before it.
    private mutating func carryOn(_ record: FenceRecord, of node: NodeID, _ round: inout Round) {
        guard let view = nodes[node], view.liveness != nil else { return }
        var attempt = attempts[node] ?? FenceAttempt(incarnation: record.incarnation)
        if attempt.incarnation != record.incarnation && !attempt.isRunning {
            attempt = FenceAttempt(incarnation: record.incarnation)
        }
        defer { attempts[node] = attempt }
        if attempt.isRunning { return }
        let devices = fenceDevices(for: node, round.state.configuration)
        if attempt.result == nil {
            if let off = provenOff[node], off >= record.incarnation {
                // One incarnation is powered off once. Only now it counts as off, for assignments that rest on it must
                // stand behind the end of the fence in the log.
                attempt.result = .verifiedOff
            } else if isBack(view, record, attempt, round.state, node) {
                attempt.result = .failed("called off: the node was back before anything was done to it")
                round.effects.append(.notice(.fenceCalledOff(node)))
            } else if devices.isEmpty {
                attempt.result = .failed("no fence device can power the node off")
            } else if node == leader {
                return stepDown(because: nil, &round)
            } else {
                attempt.isRunning = true
                attempt.canBeCalledOff = false
                let incarnation = record.incarnation
                round.effects.append(.fence(node: node, incarnation: incarnation, devices: devices))
                return
            }
        }
        let failure = attempt.result?.failure
        let change = Change.fenceEnded(node: node, incarnation: record.incarnation, failure: failure)
        want(.fenceEnded(node), change, &round)
    }

    /// Whether an ordered fence that this leader has not begun has lost its purpose.
    ///
    /// An order of an earlier leader may have been begun, so it is carried through unless the node has started anew
    /// since.
    private func isBack(
        _ view: NodeView,
        _ record: FenceRecord,
        _ attempt: FenceAttempt,
        _ state: ClusterState,
        _ node: NodeID
    ) -> Bool {
        guard let present = view.present else { return false }
        if present.incarnation > record.incarnation { return view.report?.probed == true }
        return attempt.canBeCalledOff && view.holdsLease && resourceWithFailedStop(on: node, state) == nil
    }

    /// Forgets what is in the replicated state now.
    private mutating func closeAttempt(of node: NodeID, _ state: ClusterState) {
        guard let attempt = attempts[node], attempt.result != nil else { return }
        attempts[node]?.result = nil
        if state.fences[node]?.outcome == .verified { attempts[node] = nil }
    }

    private mutating func orderIfNeeded(_ node: NodeID, _ round: inout Round) {
        if round.state.configuration.isInMaintenance(node) && !faults.ignoreMaintenance { return }
        guard let need = need(of: node, round.state) else { return }
        if need.resource == nil, mayBeReachedElsewhere(node, &round) { return }
        let incarnation = newestIncarnation(of: node, round.state)
        let isOff = provenOff[node].map { $0 >= incarnation } ?? false
        if !isOff, fenceDevices(for: node, round.state.configuration).isEmpty {
            round.conditions.append(.noFenceDevice(node))
            return
        }
        if node == leader { return stepDown(because: need.resource, &round) }
        if let record = round.state.fences[node], record.incarnation == incarnation,
            case .failed(let reason) = record.outcome
        {
            round.conditions.append(.fenceFailing(node, reason: reason))
            if let retryAt = attempts[node]?.retryAt, round.now < retryAt {
                round.wake(at: retryAt)
                return
            }
        }
        if attempts[node]?.incarnation != incarnation { attempts[node] = FenceAttempt(incarnation: incarnation) }
        attempts[node]?.canBeCalledOff = true
        let change = Change.fenceOrdered(node: node, incarnation: incarnation, reason: need.reason)
        want(.fenceOrdered(node), change, &round)
    }

    /// Whether a lost node is still heard by a voter with a lease, and leadership had no time yet to move there.
    ///
    /// Only the fence waits: what needs no more than the end of a lease is recovered meanwhile.
    private func mayBeReachedElsewhere(_ node: NodeID, _ round: inout Round) -> Bool {
        guard heardElsewhere.contains(node), let since = nodes[node]?.lostSince else { return false }
        let end = since + RecoveryLimits.heardElsewherePatience
        guard round.now < end else { return false }
        round.wake(at: end)
        round.conditions.append(.fencePostponed(node))
        return true
    }

    /// Why a node must be powered off; nil when it need not.
    private func need(of node: NodeID, _ state: ClusterState) -> (reason: String, resource: ResourceName?)? {
        // Who goes when all go is not missed.
        guard state.configuration.properties.stonithEnabled, state.stopped == nil,
            let index = nodes.index(of: node)
        else { return nil }
        let incarnation = newestIncarnation(of: node, state)
        // A node that never started runs nothing; one that left or was verified off runs nothing either.
        guard incarnation > 0, !state.isProvenDead(node, incarnation) else { return nil }
        if nodes.values[index].isLost { return ("the node is lost", nil) }
        guard let resource = resourceWithFailedStop(on: node, state) else { return nil }
        return ("the stop of \(resource) failed", resource)
    }

    /// A resource that was given to a node, or was found there while another node has it, and whose state there is not
    /// known since its stop failed.
    private func resourceWithFailedStop(on node: NodeID, _ state: ClusterState) -> ResourceName? {
        guard let report = report(of: node) else { return nil }
        return report.resources.filter { entry in
            guard entry.state == .unknown, let assignment = state.assignments[entry.resource] else { return false }
            if assignment.node != node { return entry.found == true }
            return assignment.incarnation <= report.incarnation
        }.map(\.resource).min()
    }

    private mutating func stepDown(because resource: ResourceName?, _ round: inout Round) {
        if let steppedDownAt, round.now < steppedDownAt + RecoveryLimits.stepDownInterval {
            return round.wake(at: steppedDownAt + RecoveryLimits.stepDownInterval)
        }
        steppedDownAt = round.now
        round.wake(at: round.now + RecoveryLimits.stepDownInterval)
        round.effects.append(.stepDown(.mustBeFenced(because: resource)))
    }
}
