public import ClusterModel

/// One thing that differs between two configurations.
public struct ConfigurationDifference: Hashable, Sendable, CustomStringConvertible {
    /// How it differs.
    public enum Kind: String, Hashable, Sendable {
        /// It is only in the new one.
        case added = "+"
        /// It is only in the old one.
        case removed = "-"
        /// It is in both and not the same.
        case changed = "~"
    }

    /// How it differs.
    public var kind: Kind
    /// What, and for a change from what to what.
    public var text: String

    /// `+ resource VirtualIP …`.
    public var description: String { "\(kind.rawValue) \(text)" }

    /// Everything that differs, in the order of a cluster file; empty when nothing does.
    ///
    /// A masked secret, as the agent shows it, may be any.
    public static func between(
        _ old: ClusterConfiguration,
        _ new: ClusterConfiguration
    ) -> [ConfigurationDifference] {
        var differences: [ConfigurationDifference] = []
        if old.name != new.name {
            differences.append(.init(kind: .changed, text: "cluster name \(old.name) -> \(new.name)"))
        }
        differences += compare(old.nodes.map(Facts.init), new.nodes.map(Facts.init))
        for (before, after) in zip(old.properties.listed, new.properties.listed) where before.value != after.value {
            differences.append(
                .init(kind: .changed, text: "property \(before.name): \(before.value) -> \(after.value)")
            )
        }
        differences += compare(old.resources.map(Facts.init), new.resources.map(Facts.init))
        differences += compare(old.locations.map(Facts.init), new.locations.map(Facts.init))
        differences += compare(old.colocations.map(Facts.init), new.colocations.map(Facts.init))
        differences += compare(old.fenceDevices.map(Facts.init), new.fenceDevices.map(Facts.init))
        differences += secrets(old, new)
        differences += compare(old.listeners.map(Facts.init), new.listeners.map(Facts.init))
        differences += servers(old, new)
        return differences
    }

    private static func compare(_ old: [Facts], _ new: [Facts]) -> [ConfigurationDifference] {
        let before = Dictionary(old.map { ($0.label, $0) }) { first, _ in first }
        let after = Set(new.map(\.label))
        let removed = old.filter { !after.contains($0.label) }
        var differences = removed.map { ConfigurationDifference(kind: .removed, text: $0.text) }
        for facts in new {
            guard let earlier = before[facts.label] else {
                differences.append(.init(kind: .added, text: facts.text))
                continue
            }
            let changes = facts.changes(since: earlier)
            if !changes.isEmpty {
                differences.append(.init(kind: .changed, text: "\(facts.label): \(changes.joined(separator: ", "))"))
            }
        }
        return differences
    }

    private static func secrets(_ old: ClusterConfiguration, _ new: ClusterConfiguration) -> [ConfigurationDifference] {
        new.fenceDevices.flatMap { device -> [ConfigurationDifference] in
            guard let earlier = old.fenceDevices.first(where: { $0.name == device.name }) else { return [] }
            return device.secrets.keys.sorted().compactMap { parameter in
                // What the agent shows masked cannot be compared here.
                guard let secret = device.secrets[parameter], let before = earlier.secrets[parameter],
                    secret != .masked, before != .masked, secret != before
                else { return nil }
                return .init(kind: .changed, text: "fence device \(device.name): secret \(parameter) differs")
            }
        }
    }

    private static func servers(_ old: ClusterConfiguration, _ new: ClusterConfiguration) -> [ConfigurationDifference] {
        new.listeners.flatMap { listener -> [ConfigurationDifference] in
            let earlier = old.listener(named: listener.name)?.servers ?? []
            func facts(_ servers: [Server]) -> [Facts] { servers.map { Facts($0, listener: listener.name) } }
            var differences = compare(facts(earlier), facts(listener.servers))
            let kept = listener.servers.map(\.name).filter { name in earlier.contains { $0.name == name } }
            let before = earlier.map(\.name).filter { kept.contains($0) }
            if kept != before {
                differences.append(.init(kind: .changed, text: "listener \(listener.name): order of its servers"))
            }
            return differences
        }
    }
}

/// An element of the configuration as its name and what is set, in words that operators write.
struct Facts {
    var label: String
    /// What stands behind the label in brackets, as the agent of a resource does.
    var kind = ""
    var settings: [Setting]

    var text: String {
        let words = settings.map { "\($0.name)=\(CommandWords.quoted($0.value))" }
        return ([label] + (kind.isEmpty ? [] : ["(\(kind))"]) + words).joined(separator: " ")
    }

    /// `weight 1 -> 5` and the like.
    func changes(since earlier: Facts) -> [String] {
        var changes: [String] = []
        if earlier.kind != kind { changes.append("\(earlier.kind) -> \(kind)") }
        for setting in earlier.settings where !settings.contains(where: { $0.name == setting.name }) {
            changes.append("\(setting.name) \(CommandWords.quoted(setting.value)) -> (default)")
        }
        for setting in settings {
            let before = earlier.settings.first { $0.name == setting.name }
            if before?.value == setting.value { continue }
            let old = before.map { CommandWords.quoted($0.value) } ?? "(default)"
            changes.append("\(setting.name) \(old) -> \(CommandWords.quoted(setting.value))")
        }
        return changes
    }
}

extension Facts {
    init(_ node: Node) {
        label = "node \(node.name)"
        let addresses = node.addresses.map(\.description).joined(separator: ",")
        settings = [
            Setting(name: "addresses", value: addresses), Setting(name: "standby", value: "\(node.standby)"),
            Setting(name: "maintenance", value: "\(node.maintenance)"),
            Setting(name: "role", value: node.role.rawValue),
        ]
    }

    init(_ resource: Resource) {
        label = "resource \(resource.name)"
        kind = resource.kind.agentName
        let usual = ResourceWords.operations(Resource(name: resource.name, kind: resource.kind)).flatMap(Self.flat)
        let operations = ResourceWords.operations(resource).flatMap(Self.flat).filter { !usual.contains($0) }
        settings = ResourceWords.parameters(resource.kind) + operations + ResourceWords.meta(resource)
    }

    private static func flat(_ operation: (name: String, settings: [Setting])) -> [Setting] {
        operation.settings.map { Setting(name: "\(operation.name)-\($0.name)", value: $0.value) }
    }

    init(_ constraint: LocationConstraint) {
        label = "location \(constraint.id)"
        settings = [
            Setting(name: "resource", value: constraint.resource), Setting(name: "node", value: constraint.node),
            Setting(name: "score", value: "\(constraint.score)"),
        ]
    }

    init(_ constraint: ColocationConstraint) {
        label = "colocation \(constraint.id)"
        settings = [
            Setting(name: "resource", value: constraint.resource), Setting(name: "with", value: constraint.with),
            Setting(name: "score", value: "\(constraint.score)"),
        ]
    }

    init(_ device: FenceDevice) {
        label = "fence device \(device.name)"
        kind = device.agent
        settings = FenceDeviceWords.settings(device)
    }

    init(_ listener: Listener) {
        label = "listener \(listener.name)"
        settings = ListenerWords.settings(listener)
    }

    init(_ server: Server, listener: String) {
        label = "server \(listener)/\(server.name)"
        let words = ServerWords.words(server)
        settings = [
            Setting(name: "words", value: words.joined(separator: " ")),
            Setting(name: "state", value: server.state.rawValue),
        ]
    }
}
