import AdminAPI
import ClusterModel
import Consensus
import NodeCore
import Placement

/// What a planned failover would move, and what speaks against doing it now.
struct FailoverCheck {
    let core: NodeCore
    let now: Instant

    /// The answer for a node to empty; nil takes the one with most resources.
    func answer(_ name: NodeName?) -> AdminResponse {
        let configuration = core.state.configuration
        if let name, configuration.node(named: name) == nil {
            let names = configuration.nodes.map(\.name).joined(separator: ", ")
            return .failed(AdminFailure(.refused, "there is no node \"\(name)\"; nodes: \(names)"))
        }
        guard let node = name.flatMap(configuration.node(named:)) ?? busiest(configuration) else {
            let text = "no resource runs anywhere, so there is nothing to fail over"
            return .failed(AdminFailure(.refused, text, remedy: "create one first: haven resource create"))
        }
        let plan = plan(without: node.id)
        let moves = core.state.assignments.filter { $0.value.node == node.id }.keys.sorted().map { resource in
            var address: IPAddress?
            if case .virtualIP(let specification)? = configuration.resource(named: resource)?.kind {
                address = specification.address
            }
            let target = plan.node(of: resource).flatMap { configuration.node($0)?.name }
            return FailoverView.Move(resource: resource, to: target, address: address)
        }
        return .failover(FailoverView(node: node.name, moves: moves, objections: objections(moves)))
    }

    private func busiest(_ configuration: ClusterConfiguration) -> Node? {
        var counts: [NodeID: Int] = [:]
        for assignment in core.state.assignments.values { counts[assignment.node, default: 0] += 1 }
        return configuration.nodes.filter { counts[$0.id] != nil }
            .max { (counts[$0.id] ?? 0, $1.id) < (counts[$1.id] ?? 0, $0.id) }
    }

    private func isOnline(_ node: NodeID) -> Bool {
        if node == core.id { return true }
        if case .alive = core.consensus.peer(node)?.state { return true }
        return false
    }

    private func plan(without emptied: NodeID) -> PlacementPlan {
        var nodes: [NodeID: NodeAvailability] = [:]
        for node in core.state.configuration.nodes {
            nodes[node.id] = node.id != emptied && isOnline(node.id) ? .available : .unavailable(.leaving)
        }
        return PlacementPlan(
            for: PlacementInput(
                configuration: core.state.configuration,
                nodes: nodes,
                current: core.state.assignments.mapValues { CurrentPlace(node: $0.node, active: true) },
                failures: core.state.failures
            )
        )
    }

    private func objections(_ moves: [FailoverView.Move]) -> [String] {
        let status = StatusBuilder(core: core, now: now)
        var objections: [String] = []
        if !status.isQuorate { objections.append("there is no quorum") }
        for node in core.state.configuration.nodes where !isOnline(node.id) {
            objections.append(
                "\(node.name) is not online: while it is missing, a fault during the test could stop the service"
            )
        }
        for move in moves {
            let place = core.state.assignments[move.resource]?.node
            if core.state.configuration.isManaged(move.resource, on: place) { continue }
            objections.append("\(move.resource) is left to the operator: it is unmanaged or in maintenance")
        }
        for move in moves where move.to == nil { objections.append("no other node could take \(move.resource)") }
        for (resource, nodes) in core.state.failures.sorted(by: { $0.key < $1.key }) where !nodes.isEmpty {
            objections.append("\(resource) has failed lately (haven resource cleanup \(resource) forgets it)")
        }
        return objections
    }
}
