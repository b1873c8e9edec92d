import ClusterConfig
import ClusterModel

/// Parts of the configuration as text, in words that create them.
enum ConfigurationText {
    static func text(_ resource: Resource) -> String {
        var lines = ["Resource: \(resource.name) (\(resource.kind.agentName))"]
        add("Attributes", ResourceWords.parameters(resource.kind), &lines)
        add("Meta", ResourceWords.meta(resource), &lines)
        lines.append("  Operations:")
        for operation in ResourceWords.operations(resource) {
            lines.append("    \(operation.name): \(line(operation.settings))")
        }
        if resource.requires == nil {
            lines.append("  Requires: \(resource.kind.defaultRequirement.rawValue) (default)")
        }
        return lines.joined(separator: "\n")
    }

    static func text(_ device: FenceDevice) -> String {
        var lines = ["Fence device: \(device.name) (\(device.agent))"]
        add("Attributes", FenceDeviceWords.settings(device), &lines)
        return lines.joined(separator: "\n")
    }

    static func text(_ listener: Listener) -> String {
        var lines = ["Listener: \(listener.name)"]
        add("Options", ListenerWords.settings(listener), &lines)
        if !listener.servers.isEmpty { lines.append("  Servers:") }
        for server in listener.servers {
            let drain = server.state == .drain ? " (drain)" : ""
            lines.append("    \(server.name) \(ServerWords.words(server).joined(separator: " "))\(drain)")
        }
        return lines.joined(separator: "\n")
    }

    static func locations(_ configuration: ClusterConfiguration) -> String {
        let lines = configuration.locations.map { constraint in
            let verb = constraint.score < Score(0) ? "avoids" : "prefers"
            return
                "  \(constraint.resource) \(verb) \(constraint.node) (score:\(constraint.score)) (id:\(constraint.id))"
        }
        return (["Location Constraints:"] + lines).joined(separator: "\n")
    }

    static func colocations(_ configuration: ClusterConfiguration) -> String {
        let lines = configuration.colocations.map { constraint in
            "  \(constraint.resource) with \(constraint.with) (score:\(constraint.score)) (id:\(constraint.id))"
        }
        return (["Colocation Constraints:"] + lines).joined(separator: "\n")
    }

    private static func add(_ title: String, _ settings: [Setting], _ lines: inout [String]) {
        if !settings.isEmpty { lines.append("  \(title): \(line(settings))") }
    }

    private static func line(_ settings: [Setting]) -> String {
        settings.map { "\($0.name)=\(CommandWords.quoted($0.value))" }.joined(separator: " ")
    }
}
