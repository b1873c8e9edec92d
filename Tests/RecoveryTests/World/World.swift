import ClusterModel
import Placement
import Recovery

/// A cluster in one thread with an invented clock: one replicated state, leases by the rules, leaders that come and go,
/// and hosts with real executors whose runners only pretend.
final class World {
    static let lease: Int64 = 480
    /// How long an election waits; longer than any lease (RULE 4.3-c).
    static let electionTimeout: Int64 = 600
    static let grace: Int64 = 100

    var now = Instant.zero
    var queue = EventQueue()
    var random: SeededGenerator
    var faults = Faults()
    var state: ClusterState
    var hosts: [NodeID: Host] = [:]
    var leader: Leader?
    var deposed: [Leader] = []
    var term: Term = 0
    var trace: [String] = []
    var isTracing = false
    var violations: [String] = []
    /// Operations that fail always, by kind, resource and node.
    var broken: Set<String> = []
    var brokenDevices: Set<NodeID> = []
    var electing = false
    var starts = 0
    var fencesBegun: [NodeID: Incarnation] = [:]
    var notices: [RecoveryNotice] = []
    /// After this silence a leader calls a node lost; may be sooner than its lease ends.
    var silence: Int64 = 600
    var cuts: Set<Set<NodeID>> = []
    var fenceTime: Int64 = 3000
    var bootTime: Int64 = 4000

    init(_ configuration: ClusterConfiguration, seed: UInt64 = 1) {
        random = SeededGenerator(seed: seed)
        state = ClusterState(configuration: configuration)
        state.version = 1
        for node in configuration.nodes { hosts[node.id] = Host(node.id) }
    }

    var nodes: [NodeID] { hosts.keys.sorted() }

    // What a test does.

    func start() {
        for node in nodes { boot(node) }
        elect(nodes[0], afterTransfer: false)
        every(50) { $0.watch() }
        every(1000) { world in world.current?.core.tell(.wallClock(world.wallClock), world) }
    }

    func run(_ milliseconds: Int64) { run(until: now + .milliseconds(milliseconds)) }

    func run(until end: Instant) {
        while let next = queue.nextTime, next <= end {
            guard let event = queue.take() else { break }
            now = max(now, event.at)
            event.action(self)
        }
        now = end
    }

    func configure(_ change: (inout ClusterConfiguration) -> Void) {
        var wanted = state.configuration
        change(&wanted)
        note("operator", "changes the configuration")
        commit(.configure(expected: state.version, wanted))
    }

    func note(_ who: String, _ what: String) {
        guard isTracing else { return }
        let time = String(now.nanoseconds / 1_000_000)
        trace.append(String(repeating: " ", count: max(0, 6 - time.count)) + time + "  " + who + ": " + what)
    }

    // Time and chance.

    func after(_ milliseconds: Int64, _ action: @escaping (World) -> Void) {
        queue.add(at: now + .milliseconds(milliseconds), action)
    }

    private func every(_ milliseconds: Int64, _ action: @escaping (World) -> Void) {
        after(milliseconds) { world in
            action(world)
            world.every(milliseconds, action)
        }
    }

    func happens(_ perMille: Int) -> Bool { perMille > 0 && Int.random(in: 0..<1000, using: &random) < perMille }

    func delay() -> Int64 { faults.longestDelay > 1 ? .random(in: 1...faults.longestDelay, using: &random) : 1 }

    /// The wall clock of all hosts.
    var wallClock: Int64 { 1_000_000_000 + now.nanoseconds / 1_000_000 }

    /// Carries a message from host to host, or not, or twice.
    func carry(from: NodeID, to: NodeID, _ arrival: @escaping (World) -> Void) {
        if from == to { return after(0, arrival) }
        guard areConnected(from, to) else { return }
        if happens(faults.lost) { return }
        after(delay()) { world in if world.areConnected(from, to) { arrival(world) } }
        if happens(faults.doubled) {
            // A copy that waited anywhere on the way arrives whatever became of its sender.
            after(.random(in: 1...max(1, faults.latestCopy), using: &random), arrival)
        }
    }

    func areConnected(_ left: NodeID, _ right: NodeID) -> Bool {
        guard let left = hosts[left], let right = hosts[right] else { return false }
        if left === right { return true }
        if cuts.contains([left.id, right.id]) { return false }
        return left.isPowered && right.isPowered && left.isConnected && right.isConnected
    }

    /// Cuts a host off from all others for a while.
    func cutOff(_ node: NodeID, for milliseconds: Int64) {
        guard let host = hosts[node], host.isConnected else { return }
        note("world", "cuts node \(node.rawValue) off for \(milliseconds)")
        host.isConnected = false
        after(milliseconds) { _ in host.isConnected = true }
    }

    /// Cuts one link for a while.
    func cut(_ left: NodeID, _ right: NodeID, for milliseconds: Int64) {
        guard left != right, cuts.insert([left, right]).inserted else { return }
        note("world", "cuts node \(left.rawValue) from node \(right.rawValue) for \(milliseconds)")
        after(milliseconds) { $0.cuts.remove([left, right]) }
    }

    // The log.

    func commit(_ change: Change) {
        let version = state.version
        _ = state.apply(Command(change: change, proposedAt: wallClock))
        if let leader = current { leader.core.tell(.applied(state), self) }
        guard state.version != version else { return }
        let configuration = state.configuration
        let newVersion = state.version
        for node in nodes {
            after(delay()) { $0.tell(node, .configuration(configuration, version: newVersion)) }
        }
    }

    /// The leader whose host is up.
    var current: Leader? {
        guard let leader, hosts[leader.host]?.executor != nil else { return nil }
        return leader
    }
}

extension RecoveryCore {
    /// Gives the core an input and carries out what it wants.
    mutating func tell(_ input: RecoveryInput, _ world: World) {
        var effects: [RecoveryEffect] = []
        receive(input, now: world.now, into: &effects)
        world.carryOut(effects, of: leader, term: term)
    }
}
