import AdminAPI
import ClusterModel
import Consensus
import NodeCore
import Synchronization
import Testing

@testable import ClusterAgent

@Suite
struct RequestDeskTests {
    private static let request = Random128(high: 7, low: 100)
    private static let edit = ConfigurationEdit.setProperty(.stonithTimeout(77_000))

    /// Where an operator's answer arrives.
    private final class Answer: Sendable {
        let response = Mutex<AdminResponse?>(nil)
    }

    private func take(
        _ request: AdminRequest,
        _ desk: inout RequestDesk,
        _ leader: LoneLeader
    ) -> (answer: Answer, actions: [RequestDesk.Action]) {
        let answer = Answer()
        var actions: [RequestDesk.Action] = []
        desk.take(
            request,
            id: Self.request,
            uid: 0,
            origin: .here { response in answer.response.withLock { $0 = response } },
            core: leader.core,
            now: leader.now,
            into: &actions
        )
        return (answer, actions)
    }

    private func proposals(_ actions: [RequestDesk.Action]) -> [(change: Change, origin: RequestOrigin)] {
        actions.compactMap { action in
            if case .change(let change, let origin) = action { (change, origin) } else { nil }
        }
    }

    @Test(arguments: [nil, 0] as [ConfigurationVersion?])
    func `A change that was cut short and carried out nevertheless is answered as done`(
        expected: ConfigurationVersion?
    ) throws {
        var leader = try #require(LoneLeader())
        try #require(leader.core.isLeading && leader.core.state.version == 0)
        var desk = RequestDesk(id: NodeID(1))
        let (answer, actions) = take(.edit(Self.edit, expected: expected), &desk, leader)
        let first = try #require(proposals(actions).first)
        // The leader is deposed before it hears that its entry was committed, and leads again afterwards.
        var none: [RequestDesk.Action] = []
        desk.takeOutcome(of: first.origin.id, .notLeader(nil), core: leader.core, now: leader.now, into: &none)
        #expect(proposals(none).isEmpty && answer.response.withLock { $0 } == nil)
        leader.feed(.change(first.change, first.origin))
        #expect(leader.core.state.version == 1)

        var later: [RequestDesk.Action] = []
        desk.advance(core: leader.core, now: leader.now + RequestDesk.retryInterval, into: &later)
        #expect(answer.response.withLock { $0 } == .done(version: 1, notes: []))
        #expect(proposals(later).isEmpty && desk.pending.isEmpty)
    }

    @Test
    func `A change that was cut short is made again under its number, so that it counts once`() throws {
        var leader = try #require(LoneLeader())
        var desk = RequestDesk(id: NodeID(1))
        let (answer, actions) = take(.edit(Self.edit, expected: 0), &desk, leader)
        let first = try #require(proposals(actions).first)
        var none: [RequestDesk.Action] = []
        desk.takeOutcome(of: first.origin.id, .notLeader(nil), core: leader.core, now: leader.now, into: &none)
        var later: [RequestDesk.Action] = []
        desk.advance(core: leader.core, now: leader.now + RequestDesk.retryInterval, into: &later)
        let second = try #require(proposals(later).first)
        #expect(second.origin == first.origin)
        // Both tries are in the log.
        leader.feed(.change(first.change, first.origin))
        leader.feed(.change(second.change, second.origin))
        #expect(leader.core.state.version == 1)
        #expect(leader.answers.map(\.outcome) == [.applied(.applied(1)), .applied(.applied(1))])
        desk.takeOutcome(of: second.origin.id, .applied(.applied(1)), core: leader.core, now: leader.now, into: &none)
        #expect(answer.response.withLock { $0 } == .done(version: 1, notes: []))
    }

    @Test
    func `Somebody else's change in between is a conflict where a version was expected`() throws {
        var leader = try #require(LoneLeader())
        var desk = RequestDesk(id: NodeID(1))
        let other = RequestOrigin(id: Random128(high: 9, low: 9), node: NodeID(1), uid: 0)
        let changed = try leader.core.state.configuration.applying(.setProperty(.stonithEnabled(false)))
        leader.feed(.change(.configure(expected: 0, changed), other))
        let (answer, actions) = take(.edit(Self.edit, expected: 0), &desk, leader)
        #expect(proposals(actions).isEmpty)
        guard case .failed(let failure)? = answer.response.withLock({ $0 }) else {
            Issue.record("no failure")
            return
        }
        #expect(failure.kind == .conflict)
    }

    @Test
    func `Nobody says that nothing was changed once a leader may have taken the change`() throws {
        let leader = try #require(LoneLeader())
        let idle = try #require(LoneLeader(elects: false))
        try #require(idle.core.consensus.leader == nil)
        for wasTaken in [false, true] {
            var desk = RequestDesk(id: NodeID(1))
            let (answer, actions) = take(.edit(Self.edit, expected: 0), &desk, wasTaken ? leader : idle)
            #expect(proposals(actions).count == (wasTaken ? 1 : 0))
            var later: [RequestDesk.Action] = []
            for taken in proposals(actions) {
                desk.takeOutcome(of: taken.origin.id, .notLeader(nil), core: idle.core, now: idle.now, into: &later)
            }
            let end = max(leader.now, idle.now) + RequestDesk.changePatience
            desk.advance(core: idle.core, now: end, into: &later)
            guard case .failed(let failure)? = answer.response.withLock({ $0 }) else {
                Issue.record("no failure")
                return
            }
            #expect(failure.kind == (wasTaken ? .timeout : .noQuorum))
        }
    }

    @Test
    func `A leader that is behind what an operator saw does not call it a conflict`() throws {
        let leader = try #require(LoneLeader())
        var desk = RequestDesk(id: NodeID(1))
        let (answer, actions) = take(.edit(Self.edit, expected: 5), &desk, leader)
        #expect(proposals(actions).isEmpty && answer.response.withLock { $0 } == nil)
        #expect(desk.pending.count == 1)
    }

    @Test(arguments: [AdminRequest.configuration, .status])
    func `Questions are for the leader, and for the node itself once nobody has led for an election's time`(
        question: AdminRequest
    ) throws {
        for elects in [true, false] {
            let node = try #require(LoneLeader(elects: elects))
            var desk = RequestDesk(id: NodeID(1))
            var (_, actions) = take(question, &desk, node)
            if !elects {
                // What it knows by itself may be older than what was answered a moment ago.
                #expect(actions.isEmpty)
                desk.advance(core: node.core, now: node.now + .milliseconds(1300), into: &actions)
            }
            guard case .read(let request, .here, _)? = actions.first else {
                Issue.record("no answer: \(actions)")
                return
            }
            #expect(request == question && desk.pending.isEmpty)
        }
    }

    @Test
    func `A new node gets a number that nobody had, and a known one keeps its address`() throws {
        var leader = try #require(LoneLeader())
        var desk = RequestDesk(id: NodeID(1))
        leader.feed(
            .change(
                .announce(node: NodeID(7), incarnation: 3),
                RequestOrigin(id: .init(high: 1, low: 1), node: NodeID(1), uid: 0)
            )
        )
        let address = try #require(IPAddress("10.0.0.2"))
        let newcomer = Node(id: NodeID(0), name: "ctl2", addresses: [address])
        let added = take(.edit(.addNode(newcomer), expected: nil), &desk, leader)
        guard case .configure(_, let wanted)? = proposals(added.actions).first?.change else {
            Issue.record("\(String(describing: added.answer.response.withLock { $0 }))")
            return
        }
        #expect(wanted.node(named: "ctl2")?.id == NodeID(8))
        var moved = leader.core.state.configuration
        moved.nodes[0].addresses = [address]
        var other = RequestDesk(id: NodeID(1))
        let refused = take(.edit(.replaceAll(moved), expected: nil), &other, leader)
        guard case .failed(let failure)? = refused.answer.response.withLock({ $0 }) else {
            Issue.record("an address was changed: \(refused.actions)")
            return
        }
        #expect(failure.message.contains("addresses of ctl1"), "\(failure)")
    }

    @Test
    func `Only a silent node is confirmed off`() throws {
        let leader = try #require(LoneLeader())
        for name in ["ctl1", "nobody"] {
            var desk = RequestDesk(id: NodeID(1))
            let (answer, actions) = take(.confirmOff(node: name), &desk, leader)
            #expect(proposals(actions).isEmpty)
            guard case .failed? = answer.response.withLock({ $0 }) else {
                Issue.record("\(name) was confirmed off")
                return
            }
        }
    }
}
