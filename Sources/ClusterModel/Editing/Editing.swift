extension ClusterConfiguration {
    /// This configuration with one change made; nothing is changed when it cannot be.
    ///
    /// The result has no problem that this configuration does not have, so that one that is bad already can be mended
    /// step by step.
    public func applying(_ edit: ConfigurationEdit) throws(EditError) -> ClusterConfiguration {
        var copy = self
        try copy.make(edit)
        let before = Set(validate())
        let added = copy.validate().filter { !before.contains($0) }
        if !added.isEmpty { throw .invalid(added) }
        return copy
    }

    private mutating func make(_ edit: ConfigurationEdit) throws(EditError) {
        switch edit {
        case .setProperty(let property): set(property)
        case .setStandby(let names, let standby): try setStandby(names, standby)
        case .setMaintenance(let names, let maintenance): try setMaintenance(names, maintenance)
        case .addNode(let node): try add(node)
        case .removeNode(let name): try removeNode(name)
        case .setRole(let name, let role): nodes[try position(of: name, in: nodes)].role = role
        case .createResource(let resource): try create(resource, in: \.resources)
        case .replaceResource(let resource): try replace(resource, in: \.resources)
        case .deleteResource(let name): try deleteResource(name)
        case .setEnabled(let names, let enabled): try setEnabled(names, enabled)
        case .setManaged(let names, let managed): try setManaged(names, managed)
        case .addLocation(let resource, let node, let score, let id): try addLocation(resource, node, score, id)
        case .addColocation(let resource, let with, let score, let id): try addColocation(resource, with, score, id)
        case .deleteConstraint(let id): try deleteConstraint(id)
        case .createFenceDevice(let device): try create(try unmasking(device), in: \.fenceDevices)
        case .replaceFenceDevice(let device): try replace(try unmasking(device), in: \.fenceDevices)
        case .deleteFenceDevice(let name): fenceDevices.remove(at: try position(of: name, in: fenceDevices))
        case .createListener(let listener): try create(keepingKey(listener), in: \.listeners)
        case .replaceListener(let listener): try replace(keepingKey(listener), in: \.listeners)
        case .deleteListener(let name): listeners.remove(at: try position(of: name, in: listeners))
        case .addServer(let name, let server):
            let at = try position(of: name, in: listeners)
            try listeners[at].add(server)
        case .replaceServer(let name, let server):
            let at = try position(of: name, in: listeners)
            listeners[at].servers[try listeners[at].position(ofServer: server.name)] = server
        case .removeServer(let name, let server):
            let at = try position(of: name, in: listeners)
            listeners[at].servers.remove(at: try listeners[at].position(ofServer: server))
        case .setServer(let name, let server, let weight, let state):
            let at = try position(of: name, in: listeners)
            let place = try listeners[at].position(ofServer: server)
            if let weight { listeners[at].servers[place].weight = weight }
            if let state { listeners[at].servers[place].state = state }
        case .replaceAll(let configuration): self = try merging(configuration)
        }
    }

    /// Sets one property; `applying` checks the result as well.
    public mutating func set(_ property: ClusterProperty) {
        switch property {
        case .stonithEnabled(let value): properties.stonithEnabled = value
        case .maintenanceMode(let value): properties.maintenanceMode = value
        case .stonithTimeout(let value): properties.stonithTimeout = value
        case .resourceStickiness(let value): properties.resourceStickiness = value
        case .selfFence(let value): properties.selfFence = value
        case .checkInterval(let value): properties.checkInterval = value
        case .watchdogTimeout(let value): properties.watchdogTimeout = value
        case .profile(let value): properties.profile = value
        case .arbiter(let value): properties.arbiter = value
        }
    }

    private mutating func setStandby(_ names: [NodeName], _ standby: Bool) throws(EditError) {
        for name in names { nodes[try position(of: name, in: nodes)].standby = standby }
    }

    private mutating func setMaintenance(_ names: [NodeName], _ maintenance: Bool) throws(EditError) {
        for name in names { nodes[try position(of: name, in: nodes)].maintenance = maintenance }
    }

    private mutating func add(_ node: Node) throws(EditError) {
        try create(node, in: \.nodes)
        nodes.sort { $0.id < $1.id }
    }

    private mutating func removeNode(_ name: NodeName) throws(EditError) {
        let at = try position(of: name, in: nodes)
        if nodes.count == 1 { throw .lastNode(name) }
        nodes.remove(at: at)
        locations.removeAll { $0.node == name }
        for index in fenceDevices.indices { fenceDevices[index].targets[name] = nil }
        fenceDevices.removeAll(where: \.targets.isEmpty)
    }

    private mutating func deleteResource(_ name: ResourceName) throws(EditError) {
        resources.remove(at: try position(of: name, in: resources))
        locations.removeAll { $0.resource == name }
        colocations.removeAll { $0.resource == name || $0.with == name }
    }

    private mutating func setEnabled(_ names: [ResourceName], _ enabled: Bool) throws(EditError) {
        for name in names { resources[try position(of: name, in: resources)].enabled = enabled }
    }

    private mutating func setManaged(_ names: [ResourceName], _ managed: Bool) throws(EditError) {
        for name in names { resources[try position(of: name, in: resources)].managed = managed }
    }

    private mutating func addLocation(
        _ resource: ResourceName,
        _ node: NodeName,
        _ score: Score,
        _ id: String?
    ) throws(EditError) {
        _ = try position(of: resource, in: resources)
        _ = try position(of: node, in: nodes)
        let id = id ?? "location-\(resource)-\(node)-\(score)"
        let constraint = LocationConstraint(id: id, resource: resource, node: node, score: score)
        if let at = locations.firstIndex(where: { $0.resource == resource && $0.node == node }) {
            locations[at] = constraint
        } else {
            locations.append(constraint)
        }
    }

    private mutating func addColocation(
        _ resource: ResourceName,
        _ with: ResourceName,
        _ score: Score,
        _ id: String?
    ) throws(EditError) {
        _ = try position(of: resource, in: resources)
        _ = try position(of: with, in: resources)
        if let other = colocations.first(where: { $0.resource == resource && $0.with == with }) {
            throw .constraintExists(id: other.id)
        }
        let id = id ?? "colocation-\(resource)-\(with)-\(score)"
        colocations.append(ColocationConstraint(id: id, resource: resource, with: with, score: score))
    }

    private mutating func deleteConstraint(_ id: String) throws(EditError) {
        let known = locations.map(\.id) + colocations.map(\.id)
        guard known.contains(id) else { throw .unknown(.constraint, id, known: known) }
        locations.removeAll { $0.id == id }
        colocations.removeAll { $0.id == id }
    }
}

extension Listener {
    fileprivate func position(ofServer name: String) throws(EditError) -> Int {
        if let at = servers.firstIndex(where: { $0.name == name }) { return at }
        throw .unknown(.server, name, known: servers.map(\.name))
    }

    fileprivate mutating func add(_ server: Server) throws(EditError) {
        if servers.contains(where: { $0.name == server.name }) { throw .exists(.server, server.name) }
        servers.append(server)
    }
}
