import ClusterModel
import Placement

/// Resources that run where nobody ordered them to: noticed, written down once, and dealt with as `multiple-active` says.
extension RecoveryCore {
    /// A node on which a resource runs, or may run, without being assigned to it.
    func stray(of resource: ResourceName, _ state: ClusterState) -> NodeID? {
        strays(of: resource, state).min()
    }

    private func strays(of resource: ResourceName, _ state: ClusterState) -> [NodeID] {
        let assigned = state.assignments[resource]?.node
        return nodes.keys.filter { node in
            guard node != assigned, let known = report(of: resource, on: node), !known.state.isDown else {
                return false
            }
            return isHeard(node, state)
        }
    }

    /// Writes down what nodes found running when their agents started, each once.
    ///
    /// Before anything is assigned in the same round, so that in the log too it stands before what follows from it.
    mutating func noteStrays(_ round: inout Round) {
        for node in nodes.keys {
            guard let report = report(of: node) else { continue }
            for found in report.resources where found.found == true {
                let resource = found.resource
                guard round.state.configuration.resource(named: resource) != nil,
                    round.state.strays?[resource]?.seen[node, default: 0] ?? 0 < report.incarnation
                else { continue }
                let other = otherPlace(of: resource, than: node, round.state)
                let change = Change.found(
                    resource: resource,
                    node: node,
                    incarnation: report.incarnation,
                    besides: other
                )
                want(.found(resource, node), change, &round)
            }
        }
    }

    /// Where a resource is active besides a node on which it was found.
    private func otherPlace(of resource: ResourceName, than node: NodeID, _ state: ClusterState) -> NodeID? {
        if let assigned = state.assignments[resource]?.node, assigned != node { return assigned }
        return strays(of: resource, state).filter { $0 != node }.min()
    }

    func policy(of resource: ResourceName, _ state: ClusterState) -> MultipleActive {
        state.configuration.multipleActive(of: resource) ?? .stopStart
    }

    /// Whether an assignment is to be ended, although it is where it should be: its resource was active twice under it.
    func mustStop(_ resource: ResourceName, _ assignment: Assignment, _ state: ClusterState) -> Bool {
        guard let double = state.strays?[resource]?.double, double.epoch >= assignment.epoch else { return false }
        return [.stopStart, .stopOnly].contains(policy(of: resource, state))
    }

    /// Whether nothing is done to a resource because it is active twice and an operator is to look.
    func isBlockedAsDouble(_ resource: ResourceName, _ state: ClusterState) -> Bool {
        policy(of: resource, state) == .block && state.assignments[resource] != nil && stray(of: resource, state) != nil
    }

    /// What a node is to leave alone of what it found.
    func left(on node: NodeID, _ state: ClusterState) -> [ResourceName] {
        guard let resources = report(of: node)?.resources, resources.contains(where: { $0.found == true }) else {
            return []
        }
        return resources.filter { found in
            found.found == true && !found.state.isDown && policy(of: found.resource, state) == .block
                && otherPlace(of: found.resource, than: node, state) != nil
        }.map(\.resource).sorted()
    }
}
