public import ClusterModel
public import Consensus

/// What runs above consensus on each simulated node.
///
/// The simulator drives the very cores of production; this is the seam at which a layer above (what decides where
/// resources run, with what executes its orders) is plugged in. One value lives as long as one start of the agent.
public protocol SimulatedApplication: Sendable {
    /// What applications say to each other.
    associatedtype Payload: Sendable
    /// What a crash of the agent leaves as it is and only a power-off ends: what runs on the machine.
    associatedtype Machine: Sendable

    /// The machine after power-on.
    static func powerOn(_ node: NodeID) -> Machine

    /// The agent starts; the first input is `.started`.
    init(_ start: ApplicationStart)

    /// Something happened.
    mutating func handle(
        _ input: ApplicationInput<Payload>,
        context: ApplicationContext,
        machine: inout Machine,
        effects: inout ApplicationEffects<Payload>
    )

    /// When `.deadline` is due, on the node's own clock.
    func nextDeadline(_ machine: Machine) -> Instant?

    /// The state after everything that was applied.
    func snapshot() -> [UInt8]

    /// A rule of this layer that is broken now, looked for after every event; nil when all hold.
    static func violation(in cluster: ClusterInspection<Self>) -> String?
}

/// With what an agent starts.
public struct ApplicationStart: Sendable {
    /// The node.
    public let id: NodeID
    /// This start's number.
    public let incarnation: Incarnation
    /// All voters.
    public let voters: [NodeID]
    /// The state that the disk holds; entries behind it come as `.committed`.
    public let snapshot: Snapshot?
    /// For whatever the application leaves to chance.
    public let seed: UInt64
}

/// What an application may look at while it handles an input.
public struct ApplicationContext: Sendable {
    /// The node's own core, with all its views.
    public let core: ConsensusCore
    /// The node's own clock.
    public let now: Instant
}

/// What can happen to an application.
public enum ApplicationInput<Payload: Sendable>: Sendable {
    /// The agent has started.
    case started
    /// News of consensus. A new snapshot replaces the state.
    case consensus(Event)
    /// The next entry to apply.
    case committed(LogEntry)
    /// Another application said something; a message to or from an earlier start never comes.
    case payload(from: NodeID, Payload)
    /// `nextDeadline` has come.
    case deadline
    /// A power-off that this node asked for has ended; true means verified off.
    case powerOffEnded(NodeID, Bool)
}

/// What an application wants done.
public struct ApplicationEffects<Payload: Sendable>: Sendable {
    /// Inputs for the node's own core, in order.
    public var consensus: [Input] = []
    /// Messages to other nodes, over the same network.
    public var payloads: [(to: NodeID, payload: Payload)] = []
    /// Nodes to power off.
    public var powerOffs: [NodeID] = []
    /// Lines for the transcript.
    public var notes: [String] = []
}

/// The whole cluster as an omniscient observer sees it.
public struct ClusterInspection<App: SimulatedApplication> {
    let states: [SimulatedNode<App>]
    let time: TrueTime

    /// Every node, by number.
    public var nodes: [NodeInspection<App>] { states.map { $0.inspection(at: time) } }
}

/// A node as an omniscient observer sees it.
public struct NodeInspection<App: SimulatedApplication>: Sendable {
    /// The node.
    public let id: NodeID
    /// What it runs; nil while it is powered off.
    public let machine: App.Machine?
    /// The application; nil while no agent runs.
    public let application: App?
    /// Its core; nil while no agent runs.
    public let core: ConsensusCore?
    /// What its clock shows.
    public let now: Instant
    /// Whether it holds a lease by its own clock; it does so for a dead agent's lease too.
    public let holdsLease: Bool
    /// Whether its agent is paused.
    public let isPaused: Bool
}
