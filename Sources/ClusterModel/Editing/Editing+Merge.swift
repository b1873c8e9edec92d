/// A part of the configuration that is found by its name.
protocol NamedElement {
    var name: String { get }
    static var noun: EditError.Noun { get }
}

extension Node: NamedElement {
    static var noun: EditError.Noun { .node }
}

extension Resource: NamedElement {
    static var noun: EditError.Noun { .resource }
}

extension FenceDevice: NamedElement {
    static var noun: EditError.Noun { .fenceDevice }
}

extension Listener: NamedElement {
    static var noun: EditError.Noun { .listener }
}

extension ClusterConfiguration {
    func position<Element: NamedElement>(of name: String, in list: [Element]) throws(EditError) -> Int {
        if let at = list.firstIndex(where: { $0.name == name }) { return at }
        throw .unknown(Element.noun, name, known: list.map(\.name))
    }

    mutating func create<Element: NamedElement>(
        _ element: Element,
        in list: WritableKeyPath<ClusterConfiguration, [Element]>
    ) throws(EditError) {
        if self[keyPath: list].contains(where: { $0.name == element.name }) {
            throw .exists(Element.noun, element.name)
        }
        self[keyPath: list].append(element)
    }

    mutating func replace<Element: NamedElement>(
        _ element: Element,
        in list: WritableKeyPath<ClusterConfiguration, [Element]>
    ) throws(EditError) {
        let at = try position(of: element.name, in: self[keyPath: list])
        self[keyPath: list][at] = element
    }

    /// The device with each masked secret replaced by the one that is stored.
    func unmasking(_ device: FenceDevice) throws(EditError) -> FenceDevice {
        var result = device
        let stored = fenceDevices.first { $0.name == device.name }?.secrets ?? [:]
        for (parameter, secret) in device.secrets.sorted(by: { $0.key < $1.key }) where secret == .masked {
            guard let known = stored[parameter] else {
                throw .maskedSecret(device: device.name, parameter: parameter)
            }
            result.secrets[parameter] = known
        }
        return result
    }

    /// The configuration of a file in the place of this one.
    public func merging(_ file: ClusterConfiguration) throws(EditError) -> ClusterConfiguration {
        if file.name != name { throw .otherCluster(file: file.name, cluster: name) }
        var result = file
        result.nodes = try merging(nodes: file.nodes)
        for index in result.fenceDevices.indices {
            result.fenceDevices[index] = try unmasking(result.fenceDevices[index])
        }
        result.listeners = result.listeners.map(keepingKey)
        return result
    }

    /// The listener with the key of its computed cookies that is stored, where it needs one and brings none itself.
    func keepingKey(_ listener: Listener) -> Listener {
        var result = listener
        let isNeeded = listener.cookie?.dynamic == true
        let key = listener.cookie?.dynamicKey
        if !isNeeded || key == nil || key == .masked {
            result.cookie?.dynamicKey =
                isNeeded ? listeners.first { $0.name == listener.name }?.cookie?.dynamicKey : nil
        }
        return result
    }

    /// Listeners whose computed cookies have no key yet.
    public var listenersWithoutKey: [Int] {
        listeners.indices.filter {
            listeners[$0].cookie?.dynamic == true && listeners[$0].cookie?.dynamicKey == nil
        }
    }

    /// Machines join and leave; a file can only say how those that are there shall be.
    private func merging(nodes wanted: [Node]) throws(EditError) -> [Node] {
        if wanted.isEmpty { return nodes }
        let missing = nodes.map(\.name).filter { name in !wanted.contains { $0.name == name } }
        let extra = wanted.map(\.name).filter { name in !nodes.contains { $0.name == name } }
        if !missing.isEmpty || !extra.isEmpty { throw .otherNodes(missing: missing, extra: extra) }
        var result = nodes
        for index in result.indices {
            guard let node = wanted.first(where: { $0.name == result[index].name }) else { continue }
            result[index].standby = node.standby
            result[index].maintenance = node.maintenance
            result[index].role = node.role
            if !node.addresses.isEmpty { result[index].addresses = node.addresses }
        }
        return result
    }
}
