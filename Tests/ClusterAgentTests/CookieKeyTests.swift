import AdminAPI
import ClusterModel
import Consensus
import NodeCore
import Testing

@testable import ClusterAgent

/// Keys of computed cookies are made by the leader, once.
@Suite
struct CookieKeyTests {
    private func configured(_ edit: ConfigurationEdit, _ leader: LoneLeader) throws -> ClusterConfiguration {
        var desk = RequestDesk(id: NodeID(1))
        var actions: [RequestDesk.Action] = []
        desk.take(
            .edit(edit, expected: nil),
            id: Random128(high: 7, low: 100),
            uid: 0,
            origin: .here { _ in },
            core: leader.core,
            now: leader.now,
            into: &actions
        )
        for action in actions {
            if case .change(.configure(_, let configuration), _) = action { return configuration }
        }
        throw AgentFailure("no change was proposed: \(actions)")
    }

    @Test
    func `A listener with computed cookies gets a key when it is created, and nobody else does`() throws {
        let leader = try #require(LoneLeader())
        var listener = Listener(name: "web", binds: [try #require(Endpoint("192.0.2.1:80"))], mode: .http)
        listener.cookie = CookiePersistence(name: "SRV")
        #expect(try configured(.createListener(listener), leader).listeners[0].cookie?.dynamicKey == nil)
        listener.cookie?.dynamic = true
        let first = try configured(.createListener(listener), leader).listeners[0].cookie?.dynamicKey
        let second = try configured(.createListener(listener), leader).listeners[0].cookie?.dynamicKey
        #expect(first?.exposed.wholeMatch(of: /[0-9a-f]{32}/) != nil && first != second)
    }
}
