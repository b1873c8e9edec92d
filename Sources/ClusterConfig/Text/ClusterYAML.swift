public import ClusterModel

/// A configuration as a cluster file, which `ClusterDocument` reads back; secrets are masked.
public enum ClusterYAML {
    /// The whole file.
    public static func text(_ configuration: ClusterConfiguration) -> String {
        var writer = Writer()
        writer.line("cluster: \(scalar(configuration.name))")
        writer.list("nodes", configuration.nodes) { writer, node in
            writer.line("  - name: \(scalar(node.name))")
            writer.line("    addresses: [\(node.addresses.map { scalar("\($0)") }.joined(separator: ", "))]")
            if Int(node.id.rawValue) != (configuration.nodes.firstIndex(of: node) ?? -1) + 1 {
                writer.line("    id: \(node.id.rawValue)")
            }
            if node.role != .member { writer.line("    role: \(node.role.rawValue)") }
            if node.standby { writer.line("    standby: true") }
            if node.maintenance { writer.line("    maintenance: true") }
        }
        let properties = configuration.properties.listed.filter { !$0.isDefault }
        writer.mapping("properties", properties.map { Setting(name: $0.name, value: $0.value) }, indent: 0)
        writer.list("resources", configuration.resources) { $0.resource($1) }
        writer.constraints(configuration)
        writer.list("stonith", configuration.fenceDevices) { $0.device($1) }
        writer.list("listeners", configuration.listeners) { $0.listener($1) }
        return writer.text
    }

    /// A text as YAML: plain where every reader takes it for the same text, quoted otherwise.
    static func scalar(_ text: String) -> String {
        let plain = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || Array("/._-:".utf8).contains(byte)
        }
        let startsPlainly = text.unicodeScalars.first.map {
            $0.properties.isAlphabetic || $0.properties.numericType != nil
        }
        if plain, startsPlainly == true || text.hasPrefix("/"), !text.hasSuffix(":"),
            !["null", "Null", "NULL"].contains(text)
        {
            return text
        }
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case "\r": quoted += "\\r"
            default:
                // U+FEFF and C1 controls are not printable in YAML 1.1 (§5.1).
                if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar.value == 0xFEFF {
                    let digits = String(scalar.value, radix: 16)
                    quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    quoted.unicodeScalars.append(scalar)
                }
            }
        }
        return quoted + "\""
    }

    /// Lines so far.
    private struct Writer {
        var text = ""

        mutating func line(_ line: String) { text += line + "\n" }

        mutating func list<Element>(_ key: String, _ elements: [Element], _ body: (inout Writer, Element) -> Void) {
            if elements.isEmpty { return }
            line("\(key):")
            for element in elements { body(&self, element) }
        }

        mutating func mapping(_ key: String, _ settings: [Setting], indent: Int) {
            if settings.isEmpty { return }
            let margin = String(repeating: " ", count: indent)
            line("\(margin)\(key):")
            for setting in settings { line("\(margin)  \(scalar(setting.name)): \(scalar(setting.value))") }
        }

        mutating func resource(_ resource: Resource) {
            line("  - name: \(scalar(resource.name))")
            line("    agent: \(scalar(Self.agent(resource.kind)))")
            mapping("parameters", ResourceWords.parameters(resource.kind), indent: 4)
            let usual = ResourceWords.operations(Resource(name: resource.name, kind: resource.kind))
            let changed = zip(ResourceWords.operations(resource), usual).filter { $0.settings != $1.settings }.map(\.0)
            if !changed.isEmpty {
                line("    operations:")
                for operation in changed { mapping(operation.name, operation.settings, indent: 6) }
            }
            mapping("meta", ResourceWords.meta(resource), indent: 4)
        }

        private static func agent(_ kind: ResourceKind) -> String {
            switch kind {
            case .virtualIP: "IPaddr2"
            case .process: "process"
            case .ocf(let specification): "ocf:\(specification.provider):\(specification.type)"
            }
        }

        mutating func constraints(_ configuration: ClusterConfiguration) {
            if configuration.locations.isEmpty, configuration.colocations.isEmpty { return }
            line("constraints:")
            if !configuration.locations.isEmpty { line("  location:") }
            for constraint in configuration.locations {
                line("    - resource: \(scalar(constraint.resource))")
                line("      node: \(scalar(constraint.node))")
                end(constraint.score, constraint.id)
            }
            if !configuration.colocations.isEmpty { line("  colocation:") }
            for constraint in configuration.colocations {
                line("    - resource: \(scalar(constraint.resource))")
                line("      with: \(scalar(constraint.with))")
                end(constraint.score, constraint.id)
            }
        }

        private mutating func end(_ score: Score, _ id: String) {
            line("      score: \(scalar("\(score)"))")
            line("      id: \(scalar(id))")
        }

        mutating func device(_ device: FenceDevice) {
            line("  - name: \(scalar(device.name))")
            line("    agent: \(scalar(device.agent))")
            mapping("parameters", ResourceWords.sorted(device.parameters), indent: 4)
            mapping("secrets", ResourceWords.sorted(device.secrets.mapValues(\.description)), indent: 4)
            mapping("nodes", ResourceWords.sorted(device.targets), indent: 4)
        }

        mutating func listener(_ listener: Listener) {
            line("  - name: \(scalar(listener.name))")
            for setting in ListenerWords.settings(listener) {
                line("    \(setting.name): \(scalar(setting.value))")
            }
            if listener.servers.isEmpty { return }
            line("    servers:")
            for server in listener.servers {
                let words = scalar(([server.name] + ServerWords.words(server)).joined(separator: " "))
                line(server.state == .drain ? "      - server: \(words)" : "      - \(words)")
                if server.state == .drain { line("        state: drain") }
            }
        }
    }
}
