import ClusterModel
import Placement

/// Which nodes can be used, and what is written down about them.
extension RecoveryCore {
    /// Writes down incarnations that are new.
    mutating func announce(_ round: inout Round) {
        for node in round.state.configuration.nodes {
            guard let incarnation = present(node.id)?.incarnation,
                incarnation > round.state.incarnations[node.id, default: 0]
            else { continue }
            want(.announce(node.id), .announce(node: node.id, incarnation: incarnation), &round)
        }
    }

    /// The incarnation and session of a node that are heard now.
    func present(_ node: NodeID) -> (incarnation: Incarnation, session: SessionID)? {
        nodes.index(of: node).flatMap { nodes.values[$0].present }
    }

    /// The newest report of a node.
    func report(of node: NodeID) -> NodeReport? { nodes.index(of: node).flatMap { nodes.values[$0].report } }

    /// What it says of a resource.
    func report(of resource: ResourceName, on node: NodeID) -> ResourceReport? {
        nodes.index(of: node).flatMap { nodes.values[$0].report(of: resource) }
    }

    /// The newest incarnation of a node that anyone has heard of; 0 for a node that never started.
    func newestIncarnation(of node: NodeID, _ state: ClusterState) -> Incarnation {
        max(state.incarnations[node, default: 0], present(node)?.incarnation ?? 0)
    }

    /// Whether a node is heard, and is not just an echo of an incarnation that was verified off.
    func isHeard(_ node: NodeID, _ state: ClusterState) -> Bool {
        guard let incarnation = present(node)?.incarnation else { return false }
        return !state.isProvenDead(node, incarnation) && !isVerifiedOff(node, incarnation)
    }

    /// What a node can be given.
    func availability(of configured: Node, _ round: inout Round) -> NodeAvailability {
        let node = configured.id
        if isBeingFenced(node, round.state) { return .unavailable(.fencing) }
        if !configured.role.runsResources { return .unavailable(.witness) }
        guard let view = nodes[node], let liveness = view.liveness else { return .unavailable(.unknown) }
        guard case .alive(let incarnation, _, let holdsLease) = liveness else { return .unavailable(.lost) }
        if round.state.departures[node, default: 0] >= incarnation { return .unavailable(.leaving) }
        if !isHeard(node, round.state) { return .unavailable(.lost) }
        guard round.state.incarnations[node] == incarnation else { return .unavailable(.starting) }
        guard let report = view.report else { return .keepsOnly }
        if report.leaving { return .unavailable(.leaving) }
        if !report.probed { return .unavailable(.starting) }
        if configured.maintenance || round.state.configuration.properties.maintenanceMode { return .keepsOnly }
        if holdsLease { return .available }
        let patience = (view.leaselessSince ?? round.now) + RecoveryLimits.leasePatience
        guard round.now < patience else { return .unavailable(.withoutLease) }
        // Leases begin with the next heartbeat, so orders may already be on their way.
        round.wake(at: patience)
        return .available
    }

    /// Places everything anew when anything that placement looks at has changed.
    mutating func replan(_ round: inout Round) {
        var available = [NodeID: NodeAvailability](minimumCapacity: round.state.configuration.nodes.count)
        for node in round.state.configuration.nodes { available[node.id] = availability(of: node, &round) }
        let input = PlacementInput(
            configuration: round.state.configuration,
            nodes: available,
            current: currentPlaces(round.state),
            failures: round.state.failures,
            moves: round.state.moves
        )
        guard plan == nil || planned != input else { return }
        plan = PlacementPlan(for: input)
        planned = input
    }

    private func currentPlaces(_ state: ClusterState) -> [ResourceName: CurrentPlace] {
        var places = [ResourceName: CurrentPlace](minimumCapacity: state.assignments.count)
        for (resource, assignment) in state.assignments {
            guard let present = present(assignment.node), present.incarnation >= assignment.incarnation else {
                continue
            }
            let isCurrent = present.incarnation == assignment.incarnation
            let known = isCurrent ? report(of: resource, on: assignment.node) : nil
            let active =
                switch known.map({ $0.epoch < assignment.epoch ? .starting : $0.state }) ?? .starting {
                case .starting, .running: isCurrent
                case .stopped, .stopping, .failed, .unknown: false
                }
            places[resource] = CurrentPlace(node: assignment.node, active: active)
        }
        return places
    }

    /// Nodes that get no lease: those with a fence under way, and those that are known not to have looked yet for what
    /// already runs there.
    mutating func decideLeases(_ round: inout Round) {
        var wanted: Set<NodeID> = []
        for (index, node) in nodes.keys.enumerated() {
            let starts =
                nodes.values[index].report?.probed == false && present(node) != nil && !faults.leaseBeforeProbe
            if starts || isBeingFenced(node, round.state) { wanted.insert(node) }
        }
        guard wanted != denied else { return }
        denied = wanted
        round.effects.append(.denyLease(wanted))
    }

    /// Ends moves that arrived or cannot arrive.
    mutating func endMoves(_ round: inout Round) {
        for (resource, target) in round.state.moves.sorted(by: { $0.key < $1.key }) {
            if plan?.node(of: resource) != target {
                if !proposals.isUnderWay(.moveEnded(resource)) {
                    round.effects.append(.notice(.moveAbandoned(resource, to: target)))
                }
                want(.moveEnded(resource), .moveEnded(resource: resource), &round)
                continue
            }
            guard let assignment = round.state.assignments[resource], assignment.node == target,
                let report = report(of: resource, on: target),
                report.epoch == assignment.epoch, report.state == .running
            else { continue }
            want(.moveEnded(resource), .moveEnded(resource: resource), &round)
        }
    }

    /// Lets nodes go that asked for it and have nothing left.
    ///
    /// Not before they have looked: what an earlier start of the agent left running is in no report yet, and a departure on
    /// record says that it does not run.
    mutating func endLeaves(_ round: inout Round) {
        for node in round.state.configuration.nodes {
            guard let report = report(of: node.id), report.leaving, report.probed, let present = present(node.id),
                round.state.departures[node.id, default: 0] < present.incarnation,
                report.resources.allSatisfy({ $0.state.isDown }),
                !round.state.assignments.values.contains(where: { $0.node == node.id }),
                !underWay.values.contains(node.id)
            else { continue }
            want(.left(node.id), .left(node: node.id, incarnation: present.incarnation), &round)
        }
    }
}
