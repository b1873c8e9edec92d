import ClusterModel

extension Lowering {
    mutating func node(_ item: SyntaxNode, _ index: Int) -> Node {
        var reader = MappingReader(item, "a node", &diagnostics)
        let name = requiredText("name", &reader, "the node", example: "name: controller1")
        let what = "node \"\(name?.text ?? "")\""
        var node = Node(id: NodeID(UInt8(truncatingIfNeeded: index + 1)), name: name?.text ?? "", addresses: [])
        if let entry = reader.take("addresses") {
            places.note(entry.keyPosition, .nodes, index, field: "addresses")
            for (text, position) in entry.value.texts("\"addresses\"", &diagnostics) {
                let address = attempt(at: position) { () throws(WordProblem) in try Values.address("addresses", text) }
                if let address { node.addresses.append(address) }
            }
        } else {
            let remedy = "add addresses: [192.168.0.10]"
            diagnostics.append(Diagnostic(reader.position, "\(what) has no \"addresses\"", remedy: remedy))
        }
        if let id = optionalText("id", &reader) {
            places.note(id.at, .nodes, index, field: "id")
            let number = attempt(at: id.at) { () throws(WordProblem) in try Values.integer("id", id.text, 1...255) }
            if let number { node.id = NodeID(UInt8(number)) }
        }
        if let role = optionalText("role", &reader) {
            places.note(role.at, .nodes, index, field: "role")
            node.role = attempt(at: role.at) { () throws(WordProblem) in try Values.role(role.text) } ?? .member
        }
        node.standby = flag("standby", &reader)
        node.maintenance = flag("maintenance", &reader)
        reader.finish(what, &diagnostics)
        return node
    }

    private mutating func flag(_ name: String, _ reader: inout MappingReader) -> Bool {
        guard let flag = optionalText(name, &reader) else { return false }
        return attempt(at: flag.at) { () throws(WordProblem) in try Values.boolean(name, flag.text) } ?? false
    }

    mutating func properties(_ entry: SyntaxEntry, _ properties: inout ClusterProperties) {
        places.note(entry.keyPosition, .properties)
        var reader = MappingReader(entry.value, "\"properties\"", &diagnostics)
        var configuration = ClusterConfiguration(name: "", nodes: [])
        configuration.properties = properties
        for name in ClusterProperty.names {
            guard let text = optionalText(name, &reader) else { continue }
            places.note(text.at, .properties, field: name)
            if name.hasSuffix("-timeout") || name.hasSuffix("-interval") {
                // Read for the unit alone: files name it, since seconds and milliseconds are both usual.
                let time = attempt(at: text.at) { () throws(WordProblem) in try Values.time(name, text.text, .refused) }
                if time == nil { continue }
            }
            do throws(EditError) {
                configuration.set(try ClusterProperty(name: name, value: text.text))
            } catch {
                diagnostics.append(Diagnostic(text.at, "\(error)"))
            }
        }
        properties = configuration.properties
        reader.finish("\"properties\"", &diagnostics)
    }

    mutating func constraints(_ entry: SyntaxEntry, _ configuration: inout ClusterConfiguration) {
        var reader = MappingReader(entry.value, "\"constraints\"", &diagnostics)
        each("location", .locations, &reader) { lowering, item, index in
            var fields = MappingReader(item, "a location constraint", &lowering.diagnostics)
            let what = "the location constraint"
            let resource = lowering.reference("resource", .locations, index, &fields, what)
            let node = lowering.reference("node", .locations, index, &fields, what)
            let score = lowering.score(.locations, index, &fields)
            let id = lowering.optionalText("id", &fields)?.text ?? "location-\(resource)-\(node)-\(score)"
            fields.finish(what, &lowering.diagnostics)
            let constraint = LocationConstraint(id: id, resource: resource, node: node, score: score)
            configuration.locations.append(constraint)
        }
        each("colocation", .colocations, &reader) { lowering, item, index in
            var fields = MappingReader(item, "a colocation constraint", &lowering.diagnostics)
            let what = "the colocation constraint"
            let resource = lowering.reference("resource", .colocations, index, &fields, what)
            let with = lowering.reference("with", .colocations, index, &fields, what)
            let score = lowering.score(.colocations, index, &fields)
            let id = lowering.optionalText("id", &fields)?.text ?? "colocation-\(resource)-\(with)-\(score)"
            fields.finish(what, &lowering.diagnostics)
            let constraint = ColocationConstraint(id: id, resource: resource, with: with, score: score)
            configuration.colocations.append(constraint)
        }
        reader.finish("\"constraints\"", &diagnostics)
    }

    private mutating func reference(
        _ key: String,
        _ section: ConfigurationPlace.Section,
        _ index: Int,
        _ reader: inout MappingReader,
        _ what: String
    ) -> String {
        guard let text = requiredText(key, &reader, what, example: "\(key): NAME") else { return "" }
        places.note(text.position, section, index, field: key)
        return text.text
    }

    /// As in pcs, a constraint without a score is mandatory.
    private mutating func score(
        _ section: ConfigurationPlace.Section,
        _ index: Int,
        _ reader: inout MappingReader
    ) -> Score {
        guard let text = optionalText("score", &reader) else { return .infinity }
        places.note(text.at, section, index, field: "score")
        return attempt(at: text.at) { () throws(WordProblem) in try Values.score("score", text.text) } ?? .infinity
    }

    mutating func fenceDevice(_ item: SyntaxNode, _ index: Int) -> FenceDevice {
        var reader = MappingReader(item, "a fence device", &diagnostics)
        let name = requiredText("name", &reader, "the fence device", example: "name: ipmi-controller1")?.text ?? ""
        let what = "fence device \"\(name)\""
        let agent = requiredText("agent", &reader, what, example: "agent: fence_ipmilan")
        if let agent { places.note(agent.position, .fenceDevices, index, field: "agent") }
        var device = FenceDevice(name: name, agent: agent?.text ?? "", targets: [:])
        if let entry = reader.take("parameters") {
            places.note(entry.keyPosition, .fenceDevices, index, field: "parameters")
            var fields = MappingReader(entry.value, "\"parameters\"", &diagnostics)
            let entries = fields.takeRest()
            for entry in entries where FenceDeviceWords.isSecret(entry.key) {
                let remedy = "move it to \"secrets\" as \(entry.key): \"@FILE\""
                diagnostics.append(Diagnostic(entry.keyPosition, "\"\(entry.key)\" is a secret", remedy: remedy))
            }
            for setting in settings(entries) { device.parameters[setting.name] = setting.value }
        }
        if let entry = reader.take("secrets") {
            places.note(entry.keyPosition, .fenceDevices, index, field: "secrets")
            secrets[name] = secretSources(entry)
        }
        if let entry = reader.take("nodes") {
            places.note(entry.keyPosition, .fenceDevices, index, field: "targets")
            device.targets = targets(entry.value)
        } else {
            diagnostics.append(
                Diagnostic(reader.position, "\(what) has no \"nodes\"", remedy: "add nodes: [controller1]")
            )
        }
        reader.finish(what, &diagnostics)
        return device
    }

    private mutating func secretSources(_ entry: SyntaxEntry) -> [String: SecretSource] {
        var sources: [String: SecretSource] = [:]
        var reader = MappingReader(entry.value, "\"secrets\"", &diagnostics)
        for entry in reader.takeRest() {
            guard let text = entry.value.text("\"\(entry.key)\"", &diagnostics) else { continue }
            switch SecretSource(text) {
            case .some(let source) where source != .prompt: sources[entry.key] = source
            default:
                let remedy = "write it into a file of mode 0600 and give \(entry.key): \"@FILE\""
                let problem = Diagnostic(entry.value.position, "a secret does not stand in this file", remedy: remedy)
                diagnostics.append(problem)
            }
        }
        return sources
    }

    /// A list of nodes, or a mapping of nodes to the agent's words for them.
    private mutating func targets(_ node: SyntaxNode) -> [NodeName: String] {
        guard case .mapping(let entries) = node.content else {
            let names = node.texts("\"nodes\"", &diagnostics).map { ($0.text, "") }
            return Dictionary(names) { first, _ in first }
        }
        return Dictionary(settings(entries).map { ($0.name, $0.value) }) { first, _ in first }
    }
}
