import ClusterModel

extension Placing {
    /// Bans nodes on which a resource failed too often, or on which its state is not known.
    mutating func weighFailures() {
        for resource in resources.indices {
            guard let records = input.failures[resources[resource].name] else { continue }
            for (position, node) in nodes.enumerated() {
                guard let record = records[node.id] else { continue }
                if record.stopFailed { table.add(.minusInfinity, resource, position, because: .stopFailed) }
                if record.count >= PlacementLimits.failureLimit {
                    let reason = PlacementReason.failures(count: record.count, limit: PlacementLimits.failureLimit)
                    table.add(.minusInfinity, resource, position, because: reason)
                }
            }
        }
    }

    /// The present node of a resource that nobody can take, if nothing but failures speaks against it there.
    ///
    /// A resource that runs, or that its node still restarts with growing pauses, serves better than a stopped one.
    func refuge(of resource: Int) -> Int? {
        guard let current = input.current[resources[resource].name], current.active,
            let node = nodePositions[current.node]
        else { return nil }
        let reasons = table.candidates(of: resource)[node].reasons
        var failed = false
        var score = Score(0)
        for reason in reasons {
            switch reason {
            case .failures: failed = true
            case .unavailable, .takesNothingNew, .standby, .stopFailed: return nil
            case .location(_, let value), .stickiness(let value), .colocation(_, _, let value): score = score + value
            case .ordered, .follower: break
            }
        }
        return failed && score.value >= 0 ? node : nil
    }
}
