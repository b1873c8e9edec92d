public import ClusterModel
import Consensus
import NodeCore
import Recovery

/// A cluster of complete nodes in one thread and in virtual time: the cores that production runs, over machines whose
/// networks, disks, clocks, runners and power controllers are imagined.
///
/// The same options and seed give the same run, event for event. An observer that sees all machines at once checks the
/// promises after every event. One value is one run: a copy would share its machines.
public struct ClusterSimulator {
    enum Happening: Sendable {
        case message(to: Int, session: Incarnation, from: NodeID, fromSession: Incarnation, PeerMessage)
        case wake(Int)
        case written(Int, Incarnation)
        case resume(Int, Incarnation)
        case start(Int)
        case crash(Int, Incarnation, downFor: TrueTime)
        case operationEnds(Int, Incarnation, UInt64, OperationEnd)
        case tell(Int, Incarnation, NodeInput)
        case command(PowerCommand)
        case cutPower(Int)
        case fenceEnds(PowerCommand, worked: Bool, lies: Bool)
        case boot(Int)
        case qualityChanges
        case link(from: NodeID, to: NodeID, isCut: Bool, repairs: Int)
        case operate(Errand, Int, attempts: Int)
        case asksArbiter(Int, Incarnation)
    }

    /// Why an operation is over.
    enum OperationEnd: Sendable {
        case done
        case cancelled
        case timedOut
    }

    /// A power-off on its way from a node to a controller.
    struct PowerCommand: Sendable {
        var asker: Int
        var askerIncarnation: Incarnation
        var target: Int
        var incarnation: Incarnation
        /// When the asker hears of its end.
        var endsAt: TrueTime
    }

    /// What the run is made of.
    public let options: ClusterOptions
    /// Repeats it.
    public let seed: UInt64
    /// The nodes that the cluster begins with.
    public let voters: [NodeID]
    /// All machines, whether they are nodes or not.
    let machines: [NodeID]
    let hosts: [SimulatedHost]
    var network = VirtualNetwork()
    /// How bad faults make the network, and until when, by kind.
    var disturbances: [FaultKind: (amount: Int, until: TrueTime)] = [:]
    var queue = EventQueue<Happening>()
    var random: SeededGenerator
    var observer: ClusterObserver
    var coverage = Coverage()
    let story: Story
    let table = ValueTable()
    var effects: [NodeEffect] = []
    /// True time.
    public internal(set) var now: TrueTime = 0
    /// Events carried out so far.
    public private(set) var eventCount = 0
    /// Starts of resources so far, and power-offs that were asked for.
    public internal(set) var starts = 0
    /// Stops so far, by resource.
    var stopsOf: [ResourceName: Int] = [:]
    /// See `starts`.
    public internal(set) var fences = 0
    /// When the last power-off that anybody asked for is over, with the start that follows: it is carried through even
    /// if the node that asked has died or has changed its mind meanwhile.
    var controllersRestAt: TrueTime = 0
    /// Whether operators have stopped changing what the cluster is made of: what they began is completed later.
    var operatorsRest = false
    /// When the last operation that hangs is given up.
    var hangsEndAt: TrueTime = 0
    /// Requests of operators so far.
    private(set) var requestCount: UInt64 = 0

    /// Switches every machine on.
    public init(options: ClusterOptions, seed: UInt64) {
        self.options = options
        self.seed = seed
        var random = SeededGenerator(seed: seed)
        let voters = options.configuration.nodes.map(\.id)
        self.voters = voters
        let first = (voters.max()?.rawValue ?? 0) + 1
        machines = voters + (0..<options.spares).map { NodeID(first + UInt8($0)) }
        network.quality = options.machines.network
        observer = ClusterObserver(ClusterState(configuration: options.configuration, level: options.clusterLevel))
        story = Story(lines: options.machines.transcriptLines)
        let error = Int64(options.machines.clockErrorPercent) * 10_000
        var hosts: [SimulatedHost] = []
        for machine in machines {
            let rates = [-error, error, Int64.random(in: -error...error, using: &random)]
            let rate = rates.randomElement(using: &random) ?? 0
            let offset = Int64.random(in: 1_000_000_000...100_000_000_000, using: &random)
            let clock = VirtualClock(offset: offset, ratePartsPerMillion: rate)
            let level = options.levels[machine] ?? ProtocolLevel.newest
            hosts.append(
                SimulatedHost(id: machine, clock: clock, isMember: voters.contains(machine), level: level)
            )
        }
        self.hosts = hosts
        for index in hosts.indices {
            queue.insert(.start(index), at: Int64.random(in: 0...50_000_000, using: &random))
        }
        self.random = random
    }

    /// Lets time pass.
    ///
    /// - Throws: The first broken rule.
    public mutating func run(for duration: Duration) throws(SimulationFailure) {
        let end = now + duration.nanoseconds
        while try step(until: end) {}
    }

    /// Lets time pass until a condition holds, looked at after every event.
    ///
    /// - Returns: Whether it held in time.
    /// - Throws: The first broken rule.
    @discardableResult
    public mutating func run(
        for duration: Duration,
        until condition: (borrowing ClusterSimulator) -> Bool
    ) throws(SimulationFailure) -> Bool {
        let end = now + duration.nanoseconds
        while try step(until: end) {
            if condition(self) { return true }
        }
        return false
    }

    /// Carries the next event out and looks whether every rule still holds.
    ///
    /// - Returns: false when none was due any more.
    private mutating func step(until end: TrueTime) throws(SimulationFailure) -> Bool {
        guard let time = queue.nextTime, time <= end, let (_, event) = queue.popFirst() else {
            now = end
            return false
        }
        now = time
        eventCount += 1
        carryOut(event)
        observer.check(hosts, at: now)
        if let reason = observer.violation { throw failure(reason) }
        return true
    }

    /// A failure of this run, for rules that a caller checks.
    public func failure(_ reason: String) -> SimulationFailure {
        SimulationFailure(seed: seed, nodes: voters.count, reason: reason, transcript: story.last)
    }

    /// Hands over the lines that were written since the last call.
    public mutating func takeTranscript() -> [String] { story.take() }

    private mutating func carryOut(_ event: Happening) {
        switch event {
        case .start(let index): start(index)
        case .wake(let index): wake(index)
        case .written(let index, let incarnation): written(index, incarnation)
        case .resume(let index, let incarnation): resume(index, incarnation)
        case .crash(let index, let incarnation, let downFor): crash(index, incarnation, downFor: downFor)
        case .message(let index, let session, let from, let fromSession, let message):
            guard isDeliverable(event, to: index, session: session, from: from, fromSession: fromSession) else {
                return
            }
            feed(index, .message(message, from: from))
        case .operationEnds(let index, let incarnation, let operation, let end):
            endOperation(index, incarnation, operation, end)
        case .tell(let index, let incarnation, let input):
            guard hosts[index].agent?.core.incarnation == incarnation else { return }
            if let pause = hosts[index].pause {
                queue.insert(event, at: pause.until)
            } else {
                feed(index, input)
            }
        case .command(let command): obey(command)
        case .cutPower(let index): cutPower(index)
        case .fenceEnds(let command, let worked, let lies): endFence(command, worked: worked, lies: lies)
        case .boot(let index): powerOn(hosts[index].id)
        case .qualityChanges: updateQuality()
        case .asksArbiter(let index, let incarnation): askArbiter(index, incarnation)
        case .operate(let errand, let index, let attempts): carryOut(errand, index, attempts: attempts)
        case .link(let from, let to, let isCut, let repairs):
            guard network.repairs == repairs else { return }
            if isCut { network.cut(from: from, to: to) } else { network.mend(from: from, to: to) }
        }
    }

    /// As the transport: nothing to or from an earlier session; a paused process finds it when it runs again.
    private mutating func isDeliverable(
        _ event: Happening,
        to index: Int,
        session: Incarnation,
        from: NodeID,
        fromSession: Incarnation
    ) -> Bool {
        guard let agent = hosts[index].agent, agent.core.incarnation == session, agent.core.isPeer(from) else {
            return false
        }
        if let pause = hosts[index].pause {
            queue.insert(event, at: pause.until)
            return false
        }
        let known = agent.sessions[Int(from.rawValue)]
        guard fromSession >= known else { return false }
        if fromSession > known {
            guard let level = levelOfSession(index, from) else { return false }
            agent.sessions[Int(from.rawValue)] = fromSession
            feed(index, .peerSession(from, fromSession, SimulatedHost.session(from, fromSession), level: level))
        }
        return hosts[index].agent != nil
    }

    func index(of node: NodeID) -> Int? {
        let index = Int(node.rawValue) - 1
        return hosts.indices.contains(index) ? index : nil
    }

    /// A line of the story.
    func note(_ index: Int?, _ text: @autoclosure () -> String) {
        guard story.isWanted else { return }
        story.add(now, index.map { hosts[$0].id }, text())
    }

    mutating func nextRequest() -> Random128 {
        requestCount += 1
        return Random128(high: seed, low: requestCount)
    }
}
