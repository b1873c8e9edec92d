public import ClusterModel
import Consensus
package import Recovery

/// What the simulation of a whole cluster is made of.
public struct ClusterOptions: Sendable {
    /// The configuration before the first entry.
    public var configuration: ClusterConfiguration
    /// Network, disks, clocks and times.
    public var machines: SimulationOptions
    /// How long a power-off takes until it is verified, in nanoseconds.
    public var fenceDelay: ClosedRange<Int64> = 300_000_000...3_000_000_000
    /// How long a machine takes from its verified power-off to the start of its agent, in nanoseconds.
    public var bootDelay: ClosedRange<Int64> = 1_000_000_000...4_000_000_000
    /// Whether every agent knows its fence devices to be checked, so that odd voter sets shrink too (RULE 4.2-d).
    public var checksDevices = false
    /// Machines beyond the nodes of the beginning, that operators can add.
    public var spares = 0
    /// The levels of the protocol that machines speak at first, by machine; all others speak the newest.
    public var levels: [NodeID: UInt8] = [:]
    /// The cluster's level before the first entry; nil for the first level, as in a cluster that was just set up.
    public var clusterLevel: UInt8? = ProtocolLevel.newest
    /// Mistakes to be found.
    package var faults = RecoveryFaults()

    /// A cluster in which nothing fails.
    public init(_ configuration: ClusterConfiguration) {
        self.configuration = configuration
        machines = SimulationOptions(nodes: configuration.nodes.count)
        machines.transcriptLines = 160
    }

    /// A few resources of both kinds, with a fence device for each node.
    public static func example(nodes: Int, fencing: Bool = true) -> ClusterConfiguration {
        let list = (1...nodes).map { Node(id: NodeID(UInt8($0)), name: "n\($0)", addresses: []) }
        var configuration = ClusterConfiguration(name: "simulated", nodes: list)
        configuration.properties.stonithEnabled = fencing
        configuration.fenceDevices = list.map(device)
        configuration.resources = [address("vip", 100), address("front", 101), process("app"), process("solo")]
        configuration.colocations = [
            together,
            ColocationConstraint(id: "apart", resource: "solo", with: "app", score: Score(-50)),
        ]
        return configuration
    }

    /// What powers a node off.
    static func device(for node: Node) -> FenceDevice {
        FenceDevice(name: "bmc-\(node.name)", agent: "fence_ipmilan", targets: [node.name: ""])
    }

    /// What must be where "app" is.
    static let together = ColocationConstraint(id: "together", resource: "front", with: "app", score: .infinity)

    private static func address(_ name: ResourceName, _ last: UInt8) -> Resource {
        guard let address = IPAddress(bytes: [10, 0, 0, last]) else { preconditionFailure("four bytes") }
        return Resource(name: name, kind: .virtualIP(VirtualIP(address: address, prefixLength: 24)))
    }

    private static func process(_ name: ResourceName) -> Resource {
        Resource(name: name, kind: .process(ProcessSpecification(command: ["/bin/\(name)"])))
    }
}
