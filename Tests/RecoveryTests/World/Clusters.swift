import ClusterModel

/// Small clusters for tests.
enum Clusters {
    static func three(fencing: Bool = true) -> ClusterConfiguration {
        var configuration = ClusterConfiguration(
            name: "test",
            nodes: (1...3).map { Node(id: NodeID($0), name: "n\($0)", addresses: []) }
        )
        configuration.properties.stonithEnabled = fencing
        configuration.fenceDevices = (1...3).map {
            FenceDevice(name: "bmc\($0)", agent: "fence_ipmilan", targets: ["n\($0)": ""])
        }
        return configuration
    }

    static func address(_ name: ResourceName, _ last: UInt8 = 100) -> Resource {
        guard let address = IPAddress(bytes: [10, 0, 0, last]) else { preconditionFailure("four bytes") }
        return Resource(name: name, kind: .virtualIP(VirtualIP(address: address, prefixLength: 24)))
    }

    static func process(_ name: ResourceName) -> Resource {
        Resource(name: name, kind: .process(ProcessSpecification(command: ["/bin/\(name)"])))
    }
}

extension ClusterConfiguration {
    func with(_ resources: Resource...) -> ClusterConfiguration {
        var result = self
        result.resources += resources
        return result
    }

    func colocated(_ resource: ResourceName, with primary: ResourceName, _ score: Score) -> ClusterConfiguration {
        var result = self
        let id = "c\(colocations.count)"
        result.colocations.append(ColocationConstraint(id: id, resource: resource, with: primary, score: score))
        return result
    }

    func located(_ resource: ResourceName, on node: NodeName, _ score: Score) -> ClusterConfiguration {
        var result = self
        let id = "l\(locations.count)"
        result.locations.append(LocationConstraint(id: id, resource: resource, node: node, score: score))
        return result
    }
}
