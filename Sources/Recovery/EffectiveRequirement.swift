public import ClusterModel
import Placement

extension ClusterConfiguration {
    /// What must be true of a lost node before its resource may start elsewhere: the strictest of the resource's own
    /// and of all that it must run with; where fencing is switched off, the end of the lease stands in for it.
    func requirement(of resource: ResourceName, in graph: ColocationGraph) -> Requirement {
        // What a deleted resource required is not known any more, and its name may be used again.
        let strictest = graph.effectiveRequirement(of: resource) ?? .fencing
        return properties.stonithEnabled ? strictest : min(strictest, .lease)
    }

    /// What must be true of a lost node before each resource may start elsewhere; of virtual IPs nothing is said.
    public func requirements() -> [ResourceName: Requirement] {
        let graph = ColocationGraph(self)
        var requirements: [ResourceName: Requirement] = [:]
        for resource in resources {
            if case .virtualIP = resource.kind { continue }
            requirements[resource.name] = requirement(of: resource.name, in: graph)
        }
        return requirements
    }
}

extension ClusterProperties {
    /// How long after the end of a lease a watchdog has certainly reset the node, by a clock that may be off by 10% from
    /// the node's.
    var watchdogWait: Duration {
        guard selfFence == .watchdog else { return .zero }
        return (watchdogTimeout ?? Self.defaultWatchdogTimeout).duration * 5 / 4
    }
}
