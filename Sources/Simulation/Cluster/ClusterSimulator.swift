public import ClusterModel
import Consensus
import NodeCore
import Recovery

/// A cluster of complete nodes in one thread and in virtual time: the cores that production runs, over machines whose
/// networks, disks, clocks, runners and power controllers are imagined.
///
/// The same options and seed give the same run, event for event. An observer that sees all machines at once checks the
/// promises after every event.
public struct ClusterSimulator: Sendable {
    enum Happening: Sendable {
        case message(to: Int, session: Incarnation, from: NodeID, fromSession: Incarnation, PeerMessage)
        case wake(Int)
        case written(Int, Incarnation)
        case resume(Int, Incarnation)
        case start(Int)
        case operationEnds(Int, Incarnation, UInt64, cancelled: Bool)
        case tell(Int, Incarnation, NodeInput)
        case cutPower(Int, by: Int)
        case fenceEnds(Int, Incarnation, target: NodeID, of: Incarnation, worked: Bool)
        case boot(Int)
    }

    /// What the run is made of.
    public let options: ClusterOptions
    /// Repeats it.
    public let seed: UInt64
    /// All nodes.
    public let voters: [NodeID]
    var hosts: [SimulatedHost]
    var network = VirtualNetwork()
    var queue = EventQueue<Happening>()
    var random: SeededGenerator
    var observer: ClusterObserver
    var transcript: Transcript
    let table = ValueTable()
    /// Whether runners and power controllers fail.
    var hasFailures = false
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
    private var requests: UInt64 = 0

    /// Switches every machine on.
    public init(options: ClusterOptions, seed: UInt64) {
        self.options = options
        self.seed = seed
        random = SeededGenerator(seed: seed)
        voters = options.configuration.nodes.map(\.id)
        network.quality = options.machines.network
        observer = ClusterObserver(options.configuration)
        transcript = Transcript(limit: options.machines.transcriptLines)
        let error = Int64(options.machines.clockErrorPercent) * 10_000
        hosts = []
        for voter in voters {
            let rates = [-error, error, Int64.random(in: -error...error, using: &random)]
            let rate = rates.randomElement(using: &random) ?? 0
            let offset = Int64.random(in: 1_000_000_000...100_000_000_000, using: &random)
            hosts.append(SimulatedHost(id: voter, clock: VirtualClock(offset: offset, ratePartsPerMillion: rate)))
        }
        for index in hosts.indices {
            queue.insert(.start(index), at: Int64.random(in: 0...50_000_000, using: &random))
        }
    }

    /// Lets time pass.
    ///
    /// - Throws: The first broken rule.
    public mutating func run(for duration: Duration) throws(SimulationFailure) {
        try run(for: duration) { _ in false }
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
        while let time = queue.nextTime, time <= end {
            guard let (time, event) = queue.popFirst() else { break }
            now = time
            eventCount += 1
            carryOut(event)
            observer.check(hosts, at: now)
            if let reason = observer.violation { throw failure(reason) }
            if condition(self) { return true }
        }
        now = end
        return false
    }

    /// A failure of this run, for rules that a caller checks.
    public func failure(_ reason: String) -> SimulationFailure {
        SimulationFailure(seed: seed, nodes: voters.count, reason: reason, transcript: transcript.last)
    }

    /// Hands over the lines that were written since the last call.
    public mutating func takeTranscript() -> [String] { transcript.take() }

    private mutating func carryOut(_ event: Happening) {
        switch event {
        case .start(let index): start(index)
        case .wake(let index): wake(index)
        case .written(let index, let incarnation): written(index, incarnation)
        case .resume(let index, let incarnation): resume(index, incarnation)
        case .message(let index, let session, let from, let fromSession, let message):
            guard isDeliverable(event, to: index, session: session, from: from, fromSession: fromSession) else {
                return
            }
            feed(index, .message(message, from: from))
        case .operationEnds(let index, let incarnation, let operation, let cancelled):
            endOperation(index, incarnation, operation, cancelled: cancelled)
        case .tell(let index, let incarnation, let input):
            guard hosts[index].core?.incarnation == incarnation else { return }
            if let pause = hosts[index].pause {
                queue.insert(event, at: pause.until)
            } else {
                feed(index, input)
            }
        case .cutPower(let index, let by):
            note(index, "is powered off for n\(hosts[by].id.rawValue)")
            powerOff(hosts[index].id)
        case .fenceEnds(let asker, let incarnation, let target, let fenced, let worked):
            endFence(asker, incarnation, target: target, of: fenced, worked: worked)
        case .boot(let index): powerOn(hosts[index].id)
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
        guard hosts[index].core?.incarnation == session else { return false }
        if let pause = hosts[index].pause {
            queue.insert(event, at: pause.until)
            return false
        }
        let known = hosts[index].sessions[from] ?? 0
        guard fromSession >= known else { return false }
        if fromSession > known {
            hosts[index].sessions[from] = fromSession
            feed(index, .peerSession(from, fromSession, SimulatedHost.session(from, fromSession)))
        }
        return hosts[index].core != nil
    }

    func index(of node: NodeID) -> Int? { hosts.firstIndex { $0.id == node } }

    mutating func note(_ index: Int?, _ text: String) {
        transcript.add(now, index.map { hosts[$0].id }, text)
    }

    mutating func nextRequest() -> Random128 {
        requests += 1
        return Random128(high: seed, low: requests)
    }
}
