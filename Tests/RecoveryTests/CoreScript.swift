import ClusterModel
import Recovery

/// One leader's core over three nodes, driven by hand: proposals are applied when the test says so.
struct CoreScript {
    static let leader = NodeID(1)
    var core = RecoveryCore(
        term: 7,
        leader: leader,
        recoverByLeaseAt: .zero,
        grace: .milliseconds(100),
        now: .zero
    )
    var state: ClusterState
    var now = Instant.zero
    var effects: [RecoveryEffect] = []
    /// The newest sheet of each node.
    var sheets: [NodeID: OrderSheet] = [:]
    private var reports: [NodeID: UInt64] = [:]

    /// A leader that hears three nodes in incarnation 1, which run nothing.
    ///
    /// - Parameters:
    ///   - configuration: The configuration.
    ///   - before: What was applied before this leader began.
    init(_ configuration: ClusterConfiguration, after before: Change...) {
        state = ClusterState(configuration: configuration)
        for node in configuration.nodes {
            _ = state.apply(Command(change: .announce(node: node.id, incarnation: 1), proposedAt: 0))
        }
        for change in before { _ = state.apply(Command(change: change, proposedAt: 0)) }
        for node in 1...3 { alive(UInt8(node)) }
        give(.wallClock(0))
        give(.applied(state))
    }

    mutating func give(_ input: RecoveryInput) {
        effects = []
        core.receive(input, now: now, into: &effects)
        for case .send(let sheet, let node) in effects { sheets[node] = sheet }
    }

    mutating func alive(_ node: UInt8, incarnation: Incarnation = 1, lease: Bool = true) {
        let session = Self.session(node, incarnation)
        give(.node(NodeID(node), .alive(incarnation: incarnation, session: session, holdsLease: lease)))
    }

    mutating func lost(_ node: UInt8, leaseOverIn milliseconds: Int64 = 0) {
        give(.node(NodeID(node), .lost(leaseOverAt: now + .milliseconds(milliseconds))))
    }

    static func session(_ node: UInt8, _ incarnation: Incarnation) -> SessionID {
        Random128(high: UInt64(node), low: incarnation)
    }

    /// A report that answers the newest sheet, or the given one.
    mutating func report(
        _ node: UInt8,
        _ resources: [ResourceReport] = [],
        incarnation: Incarnation = 1,
        answering: UInt64? = nil,
        probed: Bool = true,
        leaving: Bool = false
    ) {
        let id = NodeID(node)
        reports[id, default: 0] += 1
        give(
            .report(
                NodeReport(
                    node: id,
                    incarnation: incarnation,
                    session: Self.session(node, incarnation),
                    sequence: reports[id, default: 0],
                    sheetTerm: core.term,
                    sheetSequence: answering ?? sheets[id]?.sequence ?? 0,
                    probed: probed,
                    version: state.version,
                    leaving: leaving,
                    resources: resources
                )
            )
        )
    }

    /// All three nodes report that they run nothing.
    mutating func settle() { for node in 1...3 { report(UInt8(node)) } }

    /// Applies changes as if they had come out of the log.
    mutating func apply(_ changes: Change...) { apply(changes) }

    /// Applies what was proposed last.
    mutating func commit() { apply(proposed) }

    private mutating func apply(_ changes: [Change]) {
        for change in changes {
            _ = state.apply(Command(change: change, proposedAt: now.nanoseconds / 1_000_000))
        }
        give(.applied(state))
    }

    mutating func wait(_ milliseconds: Int64) {
        now = now + .milliseconds(milliseconds)
        give(.tick)
    }

    var proposed: [Change] {
        effects.compactMap { if case .propose(let change) = $0 { change } else { nil } }
    }

    var fenced: [NodeID] {
        effects.compactMap { if case .fence(let node, _, _) = $0 { node } else { nil } }
    }

    /// What a node is ordered to run.
    func orders(_ node: UInt8) -> [String] {
        sheets[NodeID(node)]?.run.map { "\($0.resource)@\($0.epoch)" } ?? []
    }
}

extension ResourceReport {
    static func running(_ resource: ResourceName, _ epoch: Epoch, failures: Int = 0) -> ResourceReport {
        ResourceReport(resource: resource, epoch: epoch, state: .running, failures: failures, reason: "r")
    }

    static func down(_ resource: ResourceName, _ epoch: Epoch, _ state: ResourceRunState = .stopped) -> ResourceReport {
        ResourceReport(resource: resource, epoch: epoch, state: state)
    }
}

extension Change {
    static func give(_ resource: ResourceName, to node: UInt8, incarnation: Incarnation = 1) -> Change {
        .assign([NewAssignment(resource: resource, node: NodeID(node), incarnation: incarnation)])
    }
}
