import ClusterModel
import Placement

/// Giving resources to nodes and taking them back.
extension RecoveryCore {
    /// One round over all resources: withdraw what should be elsewhere, release what is down, assign what can start.
    ///
    /// Release and assignment of a recovery are proposed together, which saves a round trip.
    mutating func decideAssignments(_ round: inout Round) {
        guard let graph, let plan else { return }
        forgetEndedAssignments(round.state)
        var held = round.state.assignments
        for (resource, assignment) in round.state.assignments.sorted(by: { $0.key < $1.key }) {
            // Held as it is, whatever the plan says, until the operator gives it back.
            if isHandsOff(resource, assignment.node, round.state) { continue }
            if isBlockedAsDouble(resource, round.state), let astray = stray(of: resource, round.state) {
                round.conditions.append(.blocked(resource, .multipleActive(astray)))
                continue
            }
            let target = plan.node(of: resource)
            guard let reason = activity(of: resource, assignment, &round) else {
                settle(resource, assignment, target: target, &held, &round)
                continue
            }
            if mustStop(resource, assignment, round.state) {
                withdraw(resource, assignment)
            } else {
                guard !isAtHome(assignment, target) else { continue }
                withdrawIfUseful(resource, assignment, target: target, graph, &round)
            }
            round.conditions.append(.blocked(resource, reason))
        }
        assign(held, graph, plan, &round)
    }

    /// Whether an assignment is where the plan wants it, for the node's present incarnation.
    private func isAtHome(_ assignment: Assignment, _ target: NodeID?) -> Bool {
        assignment.node == target && present(assignment.node)?.incarnation == assignment.incarnation
    }

    /// Whether an assigned resource is left to the operator; a node that leaves is ordered to give everything up.
    private func isHandsOff(_ resource: ResourceName, _ node: NodeID, _ state: ClusterState) -> Bool {
        !state.configuration.isManaged(resource, on: node) && report(of: node)?.leaving != true
    }

    /// Drops notes on assignments that are over.
    private mutating func forgetEndedAssignments(_ state: ClusterState) {
        if !withdrawals.isEmpty {
            withdrawals = withdrawals.filter { state.assignments[$0.key]?.epoch == $0.value.epoch }
        }
        if !startPauses.isEmpty {
            startPauses = startPauses.filter { state.assignments[$0.key]?.epoch == $0.value.epoch }
        }
    }

    /// Deals with an assigned resource that certainly is not active: it is given to the same node anew, or released.
    private mutating func settle(
        _ resource: ResourceName,
        _ assignment: Assignment,
        target: NodeID?,
        _ held: inout [ResourceName: Assignment],
        _ round: inout Round
    ) {
        if isAtHome(assignment, target), !round.state.mustStayStopped(resource) {
            if mustPause(resource, assignment, &round) {
                round.conditions.append(.blocked(resource, .pausesAfterFailure(assignment.node)))
            } else {
                // A fresh epoch for the same node needs no release in between.
                held[resource] = nil
            }
            return
        }
        held[resource] = nil
        // The end of a fence or a leave releases by itself.
        if isVerifiedOff(assignment.node, assignment.incarnation) { return }
        // Once that is proposed it may be applied at any moment: should the node be back before, it must not be ordered to
        // run what others may start.
        withdraw(resource, assignment)
        want(
            .release(resource, assignment.epoch),
            .release(resource: resource, epoch: assignment.epoch),
            &round
        )
    }

    /// Takes a resource out of its node's orders if it should not be there, unless that would only stop it for nothing.
    private mutating func withdrawIfUseful(
        _ resource: ResourceName,
        _ assignment: Assignment,
        target: NodeID?,
        _ graph: ColocationGraph,
        _ round: inout Round
    ) {
        guard withdrawals[resource]?.epoch != assignment.epoch else { return }
        if let target, isObstructed(resource, at: target, graph, round.state) { return }
        withdraw(resource, assignment)
    }

    private mutating func withdraw(_ resource: ResourceName, _ assignment: Assignment) {
        guard withdrawals[resource]?.epoch != assignment.epoch else { return }
        withdrawals[resource] = Withdrawal(epoch: assignment.epoch, sequence: nil)
    }

    /// Whether a start at the target could not follow the stop: what the resource must run with is held elsewhere by a
    /// node that does not answer, or something of it runs astray.
    private func isObstructed(
        _ resource: ResourceName,
        at target: NodeID,
        _ graph: ColocationGraph,
        _ state: ClusterState
    ) -> Bool {
        if let astray = stray(of: resource, state), astray != target { return true }
        var pending = graph.mandatoryPrimaries(of: resource)
        var seen = Set(pending)
        while let primary = pending.popLast() {
            if let assignment = state.assignments[primary], assignment.node != target,
                !isHeard(assignment.node, state)
            {
                return true
            }
            for next in graph.mandatoryPrimaries(of: primary) where seen.insert(next).inserted { pending.append(next) }
        }
        return false
    }

    private mutating func assign(
        _ held: [ResourceName: Assignment],
        _ graph: ColocationGraph,
        _ plan: PlacementPlan,
        _ round: inout Round
    ) {
        var places = held.mapValues(\.node)
        keepAssignmentsUnderWay(held, &places, round.now)
        var batch: [NewAssignment] = []
        for resource in graph.namesInOrder where places[resource] == nil {
            guard let target = plan.node(of: resource) else { continue }
            guard round.state.configuration.isManaged(resource, on: target) else { continue }
            if let obstacle = obstacle(to: resource, at: target, places, graph, round.state) {
                round.conditions.append(.blocked(resource, obstacle))
                continue
            }
            guard let present = present(target),
                round.state.incarnations[target] == present.incarnation
            else { continue }
            places[resource] = target
            underWay[resource] = target
            guard proposals.want(.assign(resource), now: round.now) else { continue }
            batch.append(NewAssignment(resource: resource, node: target, incarnation: present.incarnation))
        }
        if !batch.isEmpty { round.effects.append(.propose(.assign(batch))) }
    }

    /// Counts assignments that were proposed and not applied yet as made, even if the plan has changed meanwhile: they
    /// will be applied, and what is decided now must fit them.
    private mutating func keepAssignmentsUnderWay(
        _ held: [ResourceName: Assignment],
        _ places: inout [ResourceName: NodeID],
        _ now: Instant
    ) {
        underWay = underWay.filter { resource, _ in
            held[resource] == nil && proposals.isUnderWay(.assign(resource), now: now)
        }
        for (resource, node) in underWay {
            _ = proposals.want(.assign(resource), now: now)
            places[resource] = node
        }
    }

    /// What keeps a resource from being given to a node now.
    ///
    /// Colocations hold at every step (S6), so what it must run with is there first, what must run with it has left
    /// elsewhere, and what must be apart from it is gone.
    private func obstacle(
        to resource: ResourceName,
        at target: NodeID,
        _ places: [ResourceName: NodeID],
        _ graph: ColocationGraph,
        _ state: ClusterState
    ) -> BlockReason? {
        if let astray = stray(of: resource, state) { return .strays(astray) }
        if state.mustStayStopped(resource), let double = state.strays?[resource]?.double {
            return .multipleActive(double.node)
        }
        for primary in graph.mandatoryPrimaries(of: resource) where places[primary] != target {
            return .waitsForResource(primary)
        }
        for opponent in graph.mandatoryOpponents(of: resource) where places[opponent] == target {
            return .waitsForResource(opponent)
        }
        for follower in graph.mandatoryFollowers(of: resource) {
            // One on a lost node is not waited for: its own requirement decides when it follows.
            guard let node = places[follower], node != target, isHeard(node, state) else { continue }
            return .waitsForResource(follower)
        }
        return nil
    }
}
