import ClusterModel

extension Placing {
    /// Bans nodes that can take nothing, or nothing new.
    mutating func weighNodes() {
        for (position, node) in nodes.enumerated() {
            let availability = input.nodes[node.id] ?? .unavailable(.unknown)
            if !node.standby && availability == .available { continue }
            for resource in resources.indices {
                if node.standby { table.add(.minusInfinity, resource, position, because: .standby) }
                switch availability {
                case .unavailable(let why):
                    table.add(.minusInfinity, resource, position, because: .unavailable(why))
                case .keepsOnly where currentNode(of: resource) != position:
                    table.add(.minusInfinity, resource, position, because: .takesNothingNew)
                case .available, .keepsOnly: break
                }
            }
        }
    }
}
