import ClusterModel
import NodeCore

/// What operators do, in the middle of everything.
extension ClusterSimulator {
    /// Carries an operator's wish out; nothing happens while nobody leads.
    mutating func operate(_ fault: Fault, _ node: NodeID, until: TrueTime) -> Bool {
        if fault.kind == .leave {
            guard let index = index(of: node), hosts[index].isRunning else { return false }
            leave(node)
            queue.insert(.start(index), at: until)
            return true
        }
        guard let leader, let name = resource(fault.amount)?.name else { return false }
        let before = requestCount
        switch fault.kind {
        case .configure: configure { Self.change(&$0, fault.amount) }
        case .standby:
            configure { configuration in
                guard let index = configuration.nodes.firstIndex(where: { $0.id == node }) else { return }
                configuration.nodes[index].standby.toggle()
            }
        case .move: change(.move(resource: name, to: node), on: leader)
        case .disable:
            configure { configuration in
                guard let index = configuration.resources.firstIndex(where: { $0.name == name }) else { return }
                configuration.resources[index].enabled.toggle()
            }
        case .maintenance:
            // It lasts until the next operator comes by.
            configure { configuration in
                if Self.isCareLeft(configuration) { return Self.takeCare(&configuration) }
                Self.leaveCare(&configuration, node, name, fault.amount)
            }
        default: change(.cleanup(resource: name, node: nil), on: leader)
        }
        return requestCount > before
    }

    private static func change(_ configuration: inout ClusterConfiguration, _ number: Int) {
        switch number % 5 {
        case 0: configuration.properties.resourceStickiness = Score(number % 200)
        case 1:
            let profiles = TimingProfile.allCases
            configuration.properties.profile = profiles[number / 5 % profiles.count]
        case 2:
            // The mandatory one comes and goes.
            let wanted = ClusterOptions.together
            if configuration.colocations.contains(where: { $0.id == wanted.id }) {
                configuration.colocations.removeAll { $0.id == wanted.id }
            } else {
                configuration.colocations.append(wanted)
            }
        default:
            for index in configuration.resources.indices {
                guard case .process(var process) = configuration.resources[index].kind else { continue }
                process.environment["NUMBER"] = String(number % 200)
                configuration.resources[index].kind = .process(process)
                return
            }
        }
    }

    static func isCareLeft(_ configuration: ClusterConfiguration) -> Bool {
        configuration.properties.maintenanceMode || configuration.nodes.contains(where: \.maintenance)
            || !configuration.resources.allSatisfy(\.managed)
    }

    static func takeCare(_ configuration: inout ClusterConfiguration) {
        configuration.properties.maintenanceMode = false
        for index in configuration.nodes.indices { configuration.nodes[index].maintenance = false }
        for index in configuration.resources.indices { configuration.resources[index].managed = true }
    }

    /// Maintenance of the cluster, of a node or of a resource begins.
    private static func leaveCare(
        _ configuration: inout ClusterConfiguration,
        _ node: NodeID,
        _ resource: ResourceName,
        _ number: Int
    ) {
        switch number / 7 % 3 {
        case 0: configuration.properties.maintenanceMode = true
        case 1:
            for index in configuration.nodes.indices where configuration.nodes[index].id == node {
                configuration.nodes[index].maintenance = true
            }
        default:
            for index in configuration.resources.indices where configuration.resources[index].name == resource {
                configuration.resources[index].managed = false
            }
        }
    }

    /// Takes back what operators did that keeps resources from running, and completes what they began.
    ///
    /// - Parameter removes: Whether nodes are taken out of the cluster too; not while others stay away whose votes may be
    ///   missed then.
    /// - Returns: Whether nothing is left to take back.
    mutating func tidy(removes: Bool) -> Bool {
        guard let leader, completeErrands(removes: removes) else { return false }
        let configuration = state.configuration
        guard configuration.nodes.allSatisfy({ !$0.standby }), configuration.resources.allSatisfy(\.enabled),
            !Self.isCareLeft(configuration)
        else {
            configure { configuration in
                for index in configuration.nodes.indices { configuration.nodes[index].standby = false }
                for index in configuration.resources.indices { configuration.resources[index].enabled = true }
                Self.takeCare(&configuration)
            }
            return false
        }
        if let resource = state.failures.keys.min() {
            change(.cleanup(resource: resource, node: nil), on: leader)
            return false
        }
        return state.moves.isEmpty
    }

    /// What operators have begun and the cluster has not ended.
    var begun: String {
        let moves = state.moves.sorted { $0.key < $1.key }.map { "\($0.key) to n\($0.value.rawValue)" }
        let strangers = hosts.filter { $0.isMember != (state.configuration.node($0.id) != nil) }.map(\.id.description)
        return (moves + strangers + state.failures.keys.sorted()).joined(separator: ", ")
    }
}
