public import ClusterModel
import Consensus

/// A whole cluster in one thread and in virtual time: production cores over a network, disks and clocks that fail.
///
/// The same options and seed give the same run, event for event. One value is one run: a copy would share its agents.
public struct Simulator<App: SimulatedApplication> {
    enum Happening: Sendable {
        case message(to: Int, session: Incarnation, from: NodeID, fromSession: Incarnation, Message)
        case payload(to: Int, session: Incarnation, from: NodeID, fromSession: Incarnation, App.Payload)
        case wake(Int)
        case written(Int, Incarnation)
        case resume(Int, Incarnation)
        case start(Int)
        case cutPower(Int, by: Int, Incarnation)
    }

    /// What the run is made of.
    public let options: SimulationOptions
    /// Repeats it.
    public let seed: UInt64
    /// All voters.
    public let voters: [NodeID]
    var nodes: [SimulatedNode<App>]
    var network: VirtualNetwork
    var queue = EventQueue<Happening>()
    var random: SeededGenerator
    var invariants: Invariants
    var transcript: Transcript
    /// True time.
    public internal(set) var now: TrueTime = 0
    /// Events carried out so far.
    public private(set) var eventCount = 0
    private var proposals: UInt64 = 0

    /// Switches every node on.
    public init(options: SimulationOptions, seed: UInt64) {
        self.options = options
        self.seed = seed
        random = SeededGenerator(seed: seed)
        let voters = (1...options.nodes).map { NodeID(UInt8($0)) }
        self.voters = voters
        network = VirtualNetwork()
        network.quality = options.network
        invariants = Invariants(voters: voters)
        transcript = Transcript(limit: options.transcriptLines)
        let error = Int64(options.clockErrorPercent) * 10_000
        nodes = []
        for voter in voters {
            // Clocks at both ends of what is allowed find more than those in the middle.
            let rates = [-error, error, Int64.random(in: -error...error, using: &random)]
            let rate = rates.randomElement(using: &random) ?? 0
            let offset = Int64.random(in: 1_000_000_000...100_000_000_000, using: &random)
            nodes.append(SimulatedNode(id: voter, clock: VirtualClock(offset: offset, ratePartsPerMillion: rate)))
        }
        for index in nodes.indices {
            nodes[index].machine = App.powerOn(nodes[index].id)
            queue.insert(.start(index), at: Int64.random(in: 0...50_000_000, using: &random))
        }
    }

    // MARK: Running

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
        until condition: (Simulator) -> Bool
    ) throws(SimulationFailure) -> Bool {
        let end = now + duration.nanoseconds
        while let time = queue.nextTime, time <= end {
            guard let (time, event) = queue.popFirst() else { break }
            now = time
            eventCount += 1
            carryOut(event)
            invariants.checkLeases(nodes, at: now)
            if invariants.violation == nil, let broken = App.violation(in: .init(states: nodes, time: now)) {
                invariants.fail(broken)
            }
            if let reason = invariants.violation { throw failure(reason) }
            if condition(self) { return true }
        }
        now = end
        return false
    }

    /// A failure of this run, for rules that a caller checks.
    public func failure(_ reason: String) -> SimulationFailure {
        SimulationFailure(seed: seed, nodes: options.nodes, reason: reason, transcript: transcript.last)
    }

    /// Hands over the lines that were written since the last call.
    public mutating func takeTranscript() -> [String] { transcript.take() }

    private mutating func carryOut(_ event: Happening) {
        switch event {
        case .start(let index): start(index)
        case .wake(let index): wake(index)
        case .written(let index, let incarnation): written(index, incarnation)
        case .resume(let index, let incarnation): resume(index, incarnation)
        case .cutPower(let index, let asker, let incarnation): powerOffByController(index, asker, incarnation)
        case .message(let index, let session, let from, let fromSession, let message):
            guard isDeliverable(event, to: index, session: session, from: from, fromSession: fromSession) else {
                return
            }
            if options.isVerbose { note(index, "< \(MessageText.describe(message)) from n\(from.rawValue)") }
            feed(index, .message(from: from, message))
        case .payload(let index, let session, let from, let fromSession, let payload):
            guard isDeliverable(event, to: index, session: session, from: from, fromSession: fromSession) else {
                return
            }
            tell(index, .payload(from: from, payload))
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
        guard nodes[index].agent?.core.incarnation == session else { return false }
        if let pause = nodes[index].pause {
            queue.insert(event, at: pause.until)
            return false
        }
        let known = nodes[index].agent?.sessions[from] ?? 0
        guard fromSession >= known else { return false }
        if fromSession > known {
            nodes[index].agent?.sessions[from] = fromSession
            feed(index, .peerSession(from, fromSession))
        }
        return true
    }

    // MARK: One node

    private mutating func start(_ index: Int) {
        guard nodes[index].machine != nil, nodes[index].agent == nil else { return }
        nodes[index].disk.incarnation += 1
        let disk = nodes[index].disk
        if let damage = disk.durable.violation() {
            invariants.fail("the disk of \(nodes[index].id) is damaged: \(damage)")
            return
        }
        var core = ConsensusCore(
            id: nodes[index].id,
            voters: voters,
            incarnation: disk.incarnation,
            timing: options.timing,
            durable: disk.durable,
            seed: random.next(),
            now: nodes[index].clock.local(now)
        )
        core.faults = options.faults
        core.bounds.retainedEntries = options.retainedEntries
        core.bounds.snapshotChunkBytes = options.snapshotChunkBytes
        let start = ApplicationStart(
            id: nodes[index].id,
            incarnation: disk.incarnation,
            voters: voters,
            snapshot: disk.durable.snapshot,
            seed: random.next()
        )
        nodes[index].agent = .init(core: core, application: App(start))
        nodes[index].pause = nil
        nodes[index].wakeAt = nil
        nodes[index].diskBusyUntil = now
        invariants.started(nodes[index].id, snapshotIndex: disk.durable.snapshot?.lastIndex ?? 0)
        note(index, "starts as incarnation \(disk.incarnation)")
        tell(index, .started)
    }

    private mutating func wake(_ index: Int) {
        guard nodes[index].wakeAt == now else { return }
        nodes[index].wakeAt = nil
        guard nodes[index].pause == nil else { return }
        let local = nodes[index].clock.local(now)
        let due = deadlines(index)
        if let deadline = due.application, deadline <= local { tell(index, .deadline) }
        if let deadline = due.core, deadline <= local { feed(index, .tick) } else { armWake(index) }
    }

    private func deadlines(_ index: Int) -> (core: Instant?, application: Instant?) {
        guard let machine = nodes[index].machine else { return (nil, nil) }
        return (nodes[index].agent?.core.nextDeadline, nodes[index].agent?.application.nextDeadline(machine))
    }

    private mutating func written(_ index: Int, _ incarnation: Incarnation) {
        guard nodes[index].agent?.core.incarnation == incarnation else { return }
        if let pause = nodes[index].pause {
            queue.insert(.written(index, incarnation), at: pause.until)
            return
        }
        let before = (nodes[index].disk.durable.term, nodes[index].disk.durable.votedFor)
        guard let receipt = nodes[index].disk.writeNext() else { return }
        invariants.wroteVote(nodes[index].id, before: before, after: nodes[index].disk.durable)
        feed(index, .persisted(receipt))
    }

    private mutating func resume(_ index: Int, _ incarnation: Incarnation) {
        guard let pause = nodes[index].pause, nodes[index].agent?.core.incarnation == incarnation else { return }
        nodes[index].pause = nil
        let clock = nodes[index].clock
        note(index, "runs again after \((now - pause.since) / 1_000_000) ms")
        if options.reportsStalls { feed(index, .stalled(clock.local(now) - clock.local(pause.since))) }
        // What waited comes first: those events stand behind this one at the same time, the wake-up behind them.
        armWake(index)
    }

    /// Gives an input to a node's core and carries out everything that follows from it.
    mutating func feed(_ index: Int, _ input: Input) {
        var inputs = [input]
        while !inputs.isEmpty {
            let local = nodes[index].clock.local(now)
            guard let ready = nodes[index].agent?.core.receive(inputs.removeFirst(), now: local) else { return }
            if let batch = ready.persist { write(index, batch) }
            for outgoing in ready.sendNow { send(index, outgoing) }
            var ending: Int?
            for event in ready.events {
                observe(index, event, &ending)
                inputs += handle(index, .consensus(event))
            }
            for entry in ready.committed {
                observeCommit(of: entry, on: index)
                inputs += handle(index, .committed(entry))
            }
            if let ending { endAgent(ending) }
        }
        armWake(index)
    }

    /// Gives an input to a node's application and carries out everything that follows from it.
    mutating func tell(_ index: Int, _ input: ApplicationInput<App.Payload>) {
        for input in handle(index, input) { feed(index, input) }
        armWake(index)
    }

    private mutating func handle(_ index: Int, _ input: ApplicationInput<App.Payload>) -> [Input] {
        guard let core = nodes[index].agent?.core, var machine = nodes[index].machine else { return [] }
        var effects = ApplicationEffects<App.Payload>()
        let context = ApplicationContext(core: core, now: nodes[index].clock.local(now))
        nodes[index].agent?.application.handle(input, context: context, machine: &machine, effects: &effects)
        nodes[index].machine = machine
        for text in effects.notes { note(index, text) }
        for (to, payload) in effects.payloads { send(index, payload, to: to) }
        for target in effects.powerOffs { askPowerOff(index, target) }
        return effects.consensus
    }

    private mutating func armWake(_ index: Int) {
        guard nodes[index].pause == nil else { return }
        let due = deadlines(index)
        guard let deadline = [due.core, due.application].compactMap(\.self).min() else { return }
        let time = max(now, nodes[index].clock.trueTime(of: deadline))
        if let wakeAt = nodes[index].wakeAt, wakeAt <= time, wakeAt >= now { return }
        nodes[index].wakeAt = time
        queue.insert(.wake(index), at: time)
    }

    // MARK: Disk and network

    private mutating func write(_ index: Int, _ batch: PersistBatch) {
        nodes[index].disk.enqueue(batch)
        var delay = Int64.random(in: options.diskDelay, using: &random)
        if nodes[index].isDiskSlow { delay *= 40 }
        nodes[index].diskBusyUntil = max(now, nodes[index].diskBusyUntil) + delay
        queue.insert(.written(index, nodes[index].disk.incarnation), at: nodes[index].diskBusyUntil)
    }

    private mutating func send(_ index: Int, _ outgoing: Outgoing) {
        let message = options.encodesMessages ? MessageText.throughBytes(outgoing.message) : outgoing.message
        guard let message else {
            invariants.fail("a message of \(nodes[index].id) does not survive its bytes")
            return
        }
        deliver(index, to: outgoing.to) { to, session, from, fromSession in
            .message(to: to, session: session, from: from, fromSession: fromSession, message)
        }
    }

    private mutating func send(_ index: Int, _ payload: App.Payload, to: NodeID) {
        deliver(index, to: to) { to, session, from, fromSession in
            .payload(to: to, session: session, from: from, fromSession: fromSession, payload)
        }
    }

    private mutating func deliver(
        _ index: Int,
        to: NodeID,
        _ make: (Int, Incarnation, NodeID, Incarnation) -> Happening
    ) {
        let target = Int(to.rawValue) - 1
        guard nodes.indices.contains(target), let session = nodes[target].agent?.core.incarnation else { return }
        let from = nodes[index].id
        let copies = network.copies(from: from, to: to, random: &random)
        for delay in [copies.first, copies.second].compactMap(\.self) {
            queue.insert(make(target, session, from, nodes[index].disk.incarnation), at: now + delay)
        }
    }

    private mutating func askPowerOff(_ index: Int, _ target: NodeID) {
        let delay = Int64.random(in: options.powerOffDelay, using: &random)
        note(index, "asks to power off n\(target.rawValue)")
        let event = Happening.cutPower(Int(target.rawValue) - 1, by: index, nodes[index].disk.incarnation)
        queue.insert(event, at: now + delay)
    }

    private mutating func powerOffByController(_ index: Int, _ asker: Int, _ incarnation: Incarnation) {
        guard nodes.indices.contains(index) else { return }
        powerOff(nodes[index].id)
        guard nodes[asker].agent?.core.incarnation == incarnation else { return }
        tell(asker, .powerOffEnded(nodes[index].id, true))
    }

    // MARK: Observation

    func index(of node: NodeID) -> Int? {
        let index = Int(node.rawValue) - 1
        return nodes.indices.contains(index) ? index : nil
    }

    mutating func note(_ index: Int?, _ text: String) {
        transcript.add(now, index.map { nodes[$0].id }, text)
    }

    private mutating func observeCommit(of entry: LogEntry, on index: Int) {
        var ended: [NodeID: Incarnation] = [:]
        for node in nodes {
            ended[node.id] = Invariants.endedIncarnation(node.disk, of: node.id, runs: node.agent != nil)
        }
        let holders = nodes.filter { $0.disk.holds(index: entry.index, term: entry.term) }.map(\.id)
        invariants.committed(
            entry,
            on: nodes[index].id,
            in: nodes[index].agent?.core.term ?? entry.term,
            holders: { _ in NodeSet(holders) },
            hasEnded: { ended[$0.node, default: 0] >= $0.incarnation }
        )
    }

    private mutating func observe(_ index: Int, _ event: Event, _ ending: inout Int?) {
        switch event {
        case .leaseChanged(let end): nodes[index].leaseWord = end
        case .becameLeader:
            if let core = nodes[index].agent?.core { invariants.becameLeader(nodes[index].id, core: core) }
        case .snapshotInstalled(let snapshot):
            let digest = LogRecorder.digest(in: snapshot, of: App.self)
            invariants.installed(snapshot, on: nodes[index].id, digest: digest)
        case .mustStop(let reason): invariants.fail("\(nodes[index].id): \(reason)")
        case .left: ending = index
        default: break
        }
        if let text = EventText.describe(event, clock: nodes[index].clock, at: now, isVerbose: options.isVerbose) {
            note(index, text)
        }
    }

    /// The number that the next proposal carries; each proposal of a run is different.
    mutating func nextProposal() -> UInt64 {
        proposals += 1
        return proposals
    }
}
