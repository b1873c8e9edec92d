public import ClusterModel
import Consensus

/// Faults and operators at random for a while, then a time without, in which everything has to come back.
public struct ClusterFaultPlan: Sendable {
    /// How long faults go on.
    public var duration = Duration.seconds(8)
    /// The mean time between two faults.
    public var meanInterval = Duration.milliseconds(400)
    /// After faults have ended, how long it may take until everything that can run does (L1, L3).
    public var recoveryBound = Duration.seconds(60)
    /// How long the cluster is then watched for starts, stops and changes of leader that nothing asks for (L4).
    public var quietTime = Duration.seconds(2)

    /// What an operator configures before faults begin; nil for nothing.
    public var configuration: ClusterConfiguration?

    /// Faults two or three times a second.
    public init() {}

    /// Runs a seed, and once more with every message in the transcript if it fails.
    ///
    /// - Returns: How much was done, so that a test can tell a run in which nothing happened.
    /// - Throws: The broken rule with the last events before it.
    public func check(_ options: ClusterOptions, seed: UInt64) throws(SimulationFailure) -> ClusterReport {
        var simulator = ClusterSimulator(options: options, seed: seed)
        return try run(&simulator)
    }

    /// Carries the plan out.
    ///
    /// - Throws: The first broken rule.
    public func run(_ simulator: inout ClusterSimulator) throws(SimulationFailure) -> ClusterReport {
        var report = ClusterReport()
        try simulator.run(for: .seconds(2))
        if let configuration {
            simulator.configure { $0 = configuration }
            try simulator.run(for: .milliseconds(500))
        }
        simulator.setFailures(true)
        let end = simulator.now + duration.nanoseconds
        while simulator.now < end {
            let pause = Int64.random(in: 0...(2 * meanInterval.nanoseconds), using: &simulator.random)
            try simulator.run(for: .nanoseconds(pause))
            if Int.random(in: 0..<3, using: &simulator.random) == 0 { operate(&simulator) } else { strike(&simulator) }
            report.faults += 1
        }
        try recover(&simulator, &report)
        report.events = simulator.eventCount
        report.starts = simulator.starts
        report.fences = simulator.fences
        return report
    }

    /// One fault, or the end of one.
    private func strike(_ simulator: inout ClusterSimulator) {
        let nodes = simulator.voters.shuffled(using: &simulator.random)
        guard let node = nodes.first, let other = nodes.last else { return }
        switch Int.random(in: 0..<24, using: &simulator.random) {
        case 0: simulator.powerOff(node)
        case 1: simulator.powerOff(simulator.leader ?? node)
        case 2: simulator.killAgent(node)
        case 3, 4, 5: bringBack(&simulator)
        case 6, 7:
            let cut = Int.random(in: 1..<nodes.count, using: &simulator.random)
            simulator.partition([nodes[..<cut].sorted(), nodes[cut...].sorted()])
        case 8: simulator.partition([[node], [other]])
        case 9: simulator.cut(from: node, to: other)
        case 10, 11, 12, 13: simulator.heal()
        case 14: simulator.setNetwork(.bad)
        case 15: simulator.setNetwork(simulator.options.machines.network)
        case 16: pause(simulator.leader ?? node, &simulator)
        case 17: pause(node, &simulator)
        case 18: simulator.setDiskSlow(node, Bool.random(using: &simulator.random))
        case 19, 20: kill(&simulator)
        case 21: restart(simulator.leader ?? node, &simulator)
        default: restart(node, &simulator)
        }
    }

    /// What operators do meanwhile.
    private func operate(_ simulator: inout ClusterSimulator) {
        guard let node = simulator.voters.randomElement(using: &simulator.random) else { return }
        let resource = simulator.state.configuration.resources.randomElement(using: &simulator.random)?.name ?? ""
        let number = Int.random(in: 0..<200, using: &simulator.random)
        // Maintenance lasts until the next operator comes by.
        if Self.isCareLeft(simulator.state.configuration) { return simulator.configure(Self.takeCare) }
        switch Int.random(in: 0..<13, using: &simulator.random) {
        case 0, 1, 2:
            simulator.configure { configuration in
                guard let index = configuration.nodes.firstIndex(where: { $0.id == node }) else { return }
                configuration.nodes[index].standby.toggle()
            }
        case 3, 4, 5: ask(.move(resource: resource, to: node), &simulator)
        case 6:
            simulator.configure { configuration in
                guard let index = configuration.resources.firstIndex(where: { $0.name == resource }) else { return }
                configuration.resources[index].enabled.toggle()
            }
        case 7:
            simulator.configure { configuration in
                guard let index = configuration.resources.firstIndex(where: { $0.name == resource }),
                    case .process(var process) = configuration.resources[index].kind
                else { return }
                process.environment["NUMBER"] = String(number)
                configuration.resources[index].kind = .process(process)
            }
        case 8: simulator.configure { $0.properties.resourceStickiness = Score(number) }
        case 9: ask(.cleanup(resource: resource, node: nil), &simulator)
        case 10: simulator.leave(node)
        case 11: simulator.configure { Self.leaveCare(&$0, node, resource, number) }
        default: simulator.leave(simulator.leader ?? node)
        }
    }

    private static func isCareLeft(_ configuration: ClusterConfiguration) -> Bool {
        configuration.properties.maintenanceMode || configuration.nodes.contains(where: \.maintenance)
            || !configuration.resources.allSatisfy(\.managed)
    }

    private static func takeCare(_ configuration: inout ClusterConfiguration) {
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
        switch number % 3 {
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

    private func ask(_ change: Change, _ simulator: inout ClusterSimulator) {
        if let leader = simulator.leader { simulator.change(change, on: leader) }
    }

    private func kill(_ simulator: inout ClusterSimulator) {
        if let resource = simulator.state.configuration.resources.randomElement(using: &simulator.random) {
            simulator.killProcess(resource.name)
        }
    }

    private func pause(_ node: NodeID, _ simulator: inout ClusterSimulator) {
        simulator.pause(node, for: .milliseconds(Int64.random(in: 20...2500, using: &simulator.random)))
    }

    private func restart(_ node: NodeID, _ simulator: inout ClusterSimulator) {
        simulator.killAgent(node)
        simulator.startAgent(node)
    }

    private func bringBack(_ simulator: inout ClusterSimulator) {
        for voter in simulator.voters {
            simulator.powerOn(voter)
            simulator.startAgent(voter)
        }
    }

    /// L1 and L3: with everything repaired and every node wanted, all runs, and stays.
    private func recover(
        _ simulator: inout ClusterSimulator,
        _ report: inout ClusterReport
    ) throws(SimulationFailure) {
        simulator.note(nil, "faults end")
        simulator.setFailures(false)
        simulator.heal()
        simulator.setNetwork(simulator.options.machines.network)
        for voter in simulator.voters { simulator.setDiskSlow(voter, false) }
        let begin = simulator.now
        let deadline = begin + recoveryBound.nanoseconds
        var isClean = false
        while simulator.unfinished != nil || !isClean, simulator.now < deadline {
            bringBack(&simulator)
            isClean = tidy(&simulator)
            try simulator.run(for: .milliseconds(100))
        }
        if let unfinished = simulator.unfinished {
            throw simulator.failure("L1: \(recoveryBound) after the last fault: \(unfinished)")
        }
        report.recovery = .nanoseconds(simulator.now - begin)
        let before = (simulator.starts, simulator.stopsOf, simulator.leader)
        try simulator.run(for: quietTime)
        guard before == (simulator.starts, simulator.stopsOf, simulator.leader) else {
            throw simulator.failure("L4: something starts, stops or leads anew without a fault")
        }
    }

    /// Takes back what operators did that keeps resources from running.
    ///
    /// - Returns: Whether nothing is left to take back.
    private func tidy(_ simulator: inout ClusterSimulator) -> Bool {
        guard simulator.leader != nil else { return false }
        let configuration = simulator.state.configuration
        guard configuration.nodes.allSatisfy({ !$0.standby }), configuration.resources.allSatisfy(\.enabled),
            !Self.isCareLeft(configuration)
        else {
            simulator.configure { configuration in
                for index in configuration.nodes.indices { configuration.nodes[index].standby = false }
                for index in configuration.resources.indices { configuration.resources[index].enabled = true }
                Self.takeCare(&configuration)
            }
            return false
        }
        for resource in simulator.state.failures.keys.sorted() {
            ask(.cleanup(resource: resource, node: nil), &simulator)
            return false
        }
        return simulator.state.moves.isEmpty
    }
}

/// What a run under a fault plan did.
public struct ClusterReport: Sendable {
    /// Faults and operators' changes.
    public internal(set) var faults = 0
    /// Events carried out.
    public internal(set) var events = 0
    /// Resources started.
    public internal(set) var starts = 0
    /// Power-offs asked for.
    public internal(set) var fences = 0
    /// How long everything took to come back after the last fault.
    public internal(set) var recovery = Duration.zero
}
