import ClusterModel
import Testing

@Suite
struct ApplyTests {
    private static let one = NodeID(1)
    private static let two = NodeID(2)

    private static var configuration: ClusterConfiguration {
        var configuration = ClusterConfiguration(
            name: "test",
            nodes: [Node(id: one, name: "n1", addresses: []), Node(id: two, name: "n2", addresses: [])]
        )
        configuration.resources = ["a", "b"].map {
            Resource(name: $0, kind: .process(ProcessSpecification(command: ["/bin/true"])))
        }
        return configuration
    }

    /// A state with both nodes announced in incarnation 5.
    private static func state(_ changes: Change...) -> ClusterState {
        var state = ClusterState(configuration: configuration)
        let all = [Change.announce(node: one, incarnation: 5), .announce(node: two, incarnation: 5)] + changes
        for change in all { _ = state.apply(Command(change: change, proposedAt: 1000)) }
        return state
    }

    private static func given(_ resource: ResourceName, _ node: NodeID, _ incarnation: Incarnation = 5) -> Change {
        .assign([NewAssignment(resource: resource, node: node, incarnation: incarnation)])
    }

    private static func removal(of names: ResourceName...) -> Change {
        var wanted = configuration
        wanted.resources.removeAll { names.contains($0.name) }
        return .configure(expected: 0, wanted)
    }

    @Test
    func `A configuration replaces only the version it was made from`() {
        var state = Self.state()
        let first = state.apply(Self.asked(Self.removal(of: "a"), 1))
        #expect(first == .applied(1))
        let second = state.apply(Self.asked(Self.removal(of: "b"), 2))
        #expect(second == .conflict(current: 1))
        #expect(state.configuration.resources.map(\.name) == ["b"])
    }

    private static func asked(_ change: Change, _ id: UInt64) -> Command {
        let origin = RequestOrigin(id: Random128(high: 0, low: id), node: one, uid: 0)
        return Command(change: change, request: origin, proposedAt: 0)
    }

    @Test
    func `A repeated request gets its old answer and changes nothing`() {
        var state = Self.state()
        _ = state.apply(Self.asked(Self.removal(of: "a"), 1))
        let after = state
        #expect(state.apply(Self.asked(Self.removal(of: "a"), 1)) == .applied(1))
        #expect(state == after)
    }

    @Test
    func `Answers are kept for the newest requests only`() {
        var state = Self.state()
        for id in 0..<UInt64(ClusterState.answersKept + 10) {
            _ = state.apply(Self.asked(.cleanup(resource: "a", node: nil), id))
        }
        #expect(state.answered.count == ClusterState.answersKept)
        #expect(state.answered.first?.id.low == 10)
    }

    @Test
    func `The leader's own decisions have no answer`() {
        var state = Self.state()
        #expect(state.apply(Command(change: Self.given("a", Self.one), proposedAt: 0)) == nil)
        #expect(state.assignments["a"] == Assignment(node: Self.one, incarnation: 5, epoch: 1))
    }

    @Test
    func `Epochs rise over all resources, and the same node may be given a resource anew`() {
        let state = Self.state(Self.given("a", Self.one), Self.given("b", Self.two), Self.given("a", Self.one))
        #expect(state.assignments["a"]?.epoch == 3)
        #expect(state.assignments["b"]?.epoch == 2)
        #expect(state.lastEpoch == 3)
    }

    /// Decided before the constraint that stands before it in the log was known.
    @Test(arguments: [true, false])
    func `A late assignment neither parts what must be together nor joins what must be apart`(together: Bool) {
        var state = Self.state(Self.given("a", Self.one))
        var configuration = state.configuration
        configuration.colocations = [
            ColocationConstraint(id: "c", resource: "b", with: "a", score: together ? .infinity : .minusInfinity)
        ]
        _ = state.apply(Self.asked(.configure(expected: state.version, configuration), 1))
        let (wrong, right) = together ? (Self.two, Self.one) : (Self.one, Self.two)
        _ = state.apply(Command(change: Self.given("b", wrong), proposedAt: 0))
        #expect(state.assignments["b"] == nil)
        _ = state.apply(Command(change: Self.given("b", right), proposedAt: 0))
        #expect(state.assignments["b"]?.node == right)
    }

    @Test
    func `An assignment is ignored where another holds, or where it comes too late`() {
        let held = Self.state(Self.given("a", Self.one), Self.given("a", Self.two))
        #expect(held.assignments["a"]?.node == Self.one)
        #expect(Self.state(Self.given("a", Self.one, 4)).assignments.isEmpty)
        #expect(Self.state(Self.given("x", Self.one)).assignments.isEmpty)
        let fenced = Self.state(.fenceOrdered(node: Self.one, incarnation: 5, reason: ""), Self.given("a", Self.one))
        #expect(fenced.assignments.isEmpty)
        #expect(Self.state(.left(node: Self.one, incarnation: 5), Self.given("a", Self.one)).assignments.isEmpty)
        let restarted = Self.state(
            Self.given("a", Self.one),
            .announce(node: Self.one, incarnation: 6),
            Self.given("a", Self.one, 6)
        )
        #expect(restarted.assignments["a"]?.incarnation == 5)
    }

    @Test
    func `A release counts only for its epoch`() {
        let stale = Self.state(Self.given("a", Self.one), Self.given("a", Self.one), .release(resource: "a", epoch: 1))
        #expect(stale.assignments["a"]?.epoch == 2)
        #expect(Self.state(Self.given("a", Self.one), .release(resource: "a", epoch: 1)).assignments.isEmpty)
    }

    @Test
    func `A resource that is deleted keeps its assignment until it is released`() {
        var state = Self.state(
            Self.given("a", Self.one),
            .failure(resource: "a", node: Self.one, reason: "", stopFailed: false, epoch: 1, number: 1),
            .move(resource: "a", to: Self.two),
            Self.removal(of: "a")
        )
        #expect(state.assignments["a"] != nil)
        #expect(state.moves.isEmpty)
        _ = state.apply(Command(change: .release(resource: "a", epoch: 1), proposedAt: 0))
        #expect(state.assignments.isEmpty && state.failures.isEmpty && state.countedFailures.isEmpty)
    }

    @Test
    func `A verified fence takes everything from that incarnation and earlier ones, once`() {
        var state = Self.state(
            Self.given("a", Self.one),
            .fenceOrdered(node: Self.one, incarnation: 5, reason: "lost"),
            .fenceEnded(node: Self.one, incarnation: 5, failure: "BMC")
        )
        #expect(state.fences[Self.one]?.outcome == .failed("BMC"))
        #expect(state.assignments["a"] != nil && !state.isProvenDead(Self.one, 5))
        let again = Change.fenceOrdered(node: Self.one, incarnation: 5, reason: "still lost")
        for change in [again, .fenceEnded(node: Self.one, incarnation: 5, failure: nil)] {
            _ = state.apply(Command(change: change, proposedAt: 7))
        }
        #expect(state.assignments.isEmpty && state.isProvenDead(Self.one, 5) && !state.isProvenDead(Self.one, 6))
        let after = state
        _ = state.apply(Command(change: again, proposedAt: 9))
        _ = state.apply(Command(change: .fenceEnded(node: Self.one, incarnation: 5, failure: "late"), proposedAt: 9))
        #expect(state == after)
    }

    @Test
    func `Failures are counted once by epoch and number, also after a cleanup`() {
        func failure(_ epoch: Epoch, _ number: Int) -> Change {
            .failure(resource: "a", node: Self.one, reason: "r", stopFailed: false, epoch: epoch, number: number)
        }
        let counted = Self.state(failure(3, 1), failure(3, 1), failure(3, 2), failure(2, 9), failure(4, 1))
        #expect(counted.failures["a"]?[Self.one]?.count == 3)
        let cleaned = Self.state(failure(3, 1), .cleanup(resource: "a", node: Self.one), failure(3, 1))
        #expect(cleaned.failures.isEmpty)
        #expect(Self.state(failure(0, 0), failure(0, 0)).failures["a"]?[Self.one]?.count == 2)
    }

    @Test
    func `A failed stop stays in doubt until the resource is released`() {
        let failed = Change.failure(resource: "a", node: Self.one, reason: "", stopFailed: true, epoch: 1, number: 1)
        let state = Self.state(Self.given("a", Self.one), failed)
        #expect(state.failures["a"]?[Self.one]?.stopFailed == true)
        let released = Self.state(Self.given("a", Self.one), failed, .release(resource: "a", epoch: 1))
        #expect(released.failures["a"]?[Self.one]?.stopFailed == false)
    }

    @Test
    func `Requests about what does not exist are refused`() {
        var state = Self.state()
        let refused: [Change] = [
            .move(resource: "x", to: Self.one), .move(resource: "a", to: NodeID(9)), .cleanup(resource: "x", node: nil),
            .fenceOrdered(node: NodeID(9), incarnation: 1, reason: ""),
        ]
        for (id, change) in refused.enumerated() {
            guard case .refused = state.apply(Self.asked(change, UInt64(id))) else {
                Issue.record("\(change) was not refused")
                continue
            }
        }
    }

    private static func asked(_ change: Change, _ state: inout ClusterState) -> RequestAnswer? {
        let request = RequestOrigin(id: Random128(high: 1, low: UInt64(state.answered.count)), node: one, uid: 0)
        return state.apply(Command(change: change, request: request, proposedAt: 2000))
    }

    private static var withoutTwo: ClusterConfiguration {
        var wanted = configuration
        wanted.nodes.removeAll { $0.id == two }
        return wanted
    }

    @Test
    func `A node that may run something stays in the configuration`() {
        var state = Self.state(Self.given("a", Self.two))
        let refused = Self.asked(.configure(expected: 0, Self.withoutTwo), &state)
        guard case .refused(let reason) = refused else {
            Issue.record("\(String(describing: refused))")
            return
        }
        #expect(reason.contains("n2"))
        #expect(state.configuration.nodes.count == 2 && state.version == 0)
    }

    @Test(arguments: [
        Change.left(node: two, incarnation: 5), .fenceConfirmed(node: two, incarnation: 5),
    ])
    func `A node that left or is off can be taken out, and its secret is not used any more`(end: Change) {
        var state = Self.state(Self.given("a", Self.two), end)
        #expect(state.assignments["a"] == nil)
        #expect(Self.asked(.configure(expected: 0, Self.withoutTwo), &state) == .applied(1))
        #expect(state.configuration.nodes.map(\.id) == [Self.one])
        #expect(state.keys?.mustRotate == true)
    }

    @Test
    func `An operator's word ends a fence that fails, once`() {
        var state = Self.state(
            Self.given("a", Self.two),
            .fenceOrdered(node: Self.two, incarnation: 5, reason: "lost"),
            .fenceEnded(node: Self.two, incarnation: 5, failure: "no answer")
        )
        let confirmed = Change.fenceConfirmed(node: Self.two, incarnation: 5)
        #expect(Self.asked(confirmed, &state) == .applied(0))
        #expect(state.fences[Self.two]?.outcome == .verified && state.assignments.isEmpty)
        guard case .refused? = Self.asked(confirmed, &state) else {
            Issue.record("confirmed twice")
            return
        }
        // A later start is alive again.
        _ = state.apply(Command(change: .announce(node: Self.two, incarnation: 6), proposedAt: 0))
        #expect(state.mayRun(Self.two))
    }

    @Test
    func `The newest histories that gave way are remembered`() {
        var state = ClusterState(configuration: ClusterConfiguration(name: "c", nodes: []))
        for history in 1...10 as ClosedRange<UInt64> {
            _ = state.apply(Command(change: .historyGaveWay(history), proposedAt: 0))
        }
        _ = state.apply(Command(change: .historyGaveWay(4), proposedAt: 0))
        #expect(state.historiesGone == [3, 5, 6, 7, 8, 9, 10, 4])
    }

    @Test
    func `A stop of all nodes is of the starts that ran then`() {
        var state = Self.state(.stopAll)
        #expect(state.isStopped(Self.one, 5) && !state.isStopped(Self.one, 6))
        _ = state.apply(Command(change: .stopAllEnded, proposedAt: 0))
        #expect(!state.isStopped(Self.one, 5))
    }
}
