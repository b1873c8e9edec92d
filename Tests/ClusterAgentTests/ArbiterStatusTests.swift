import AdminAPI
import Arbiter
import ClusterModel
import Consensus
import NodeCore
import Testing

@testable import ClusterAgent

/// Whom a node asks, and what it says about it.
@Suite
struct ArbiterStatusTests {
    private static let gateway = IPAddress("192.0.2.1")
    private static let now = Instant(nanoseconds: 1_000_000_000)

    private func core(_ change: (inout ClusterConfiguration) -> Void = { _ in }) throws -> NodeCore {
        let nodes = (1...2).map { Node(id: NodeID(UInt8($0)), name: "ctl\($0)", addresses: []) }
        var configuration = ClusterConfiguration(name: "pair", nodes: nodes)
        configuration.properties.stonithEnabled = false
        configuration.properties.arbiter = [try #require(Self.gateway)]
        change(&configuration)
        let core = NodeCore(
            id: NodeID(1),
            incarnation: 1,
            session: Random128(high: 0, low: 1),
            initial: configuration,
            durable: DurableState(),
            codec: WireCodec.codec,
            seed: 1,
            now: Self.now
        )
        return try #require(core)
    }

    @Test
    func `An arbiter is asked by the two voters of a cluster without fencing alone`() throws {
        #expect(try core().arbitersToAsk == [Self.gateway].compactMap(\.self))
        #expect(try core { $0.properties.stonithEnabled = true }.arbitersToAsk.isEmpty)
        #expect(try core { $0.properties.arbiter = nil }.arbitersToAsk.isEmpty)
        #expect(try core { $0.nodes[1].role = .satellite }.arbitersToAsk.isEmpty)
        let third = Node(id: NodeID(3), name: "ctl3", addresses: [], role: .witness)
        #expect(try core { $0.nodes.append(third) }.arbitersToAsk.isEmpty)
        // Two others vote, and this node does not.
        let own = try core { configuration in
            configuration.nodes[0].role = .satellite
            configuration.nodes.append(third)
        }
        #expect(own.state.configuration.isPairWithoutFencing && own.arbitersToAsk.isEmpty)
    }

    @Test
    func `The quorum's view says how each address is`() throws {
        let gateway = try #require(Self.gateway)
        var watch = ArbiterWatch(identifier: 1)
        var random = SeededGenerator(seed: 1)
        var effects: [ArbiterWatch.Effect] = []
        func view(after time: Duration) throws -> ArbiterView? {
            var builder = StatusBuilder(core: try core(), now: Self.now + time)
            builder.arbiterWatch = watch
            return builder.quorum().arbiter
        }
        #expect(try view(after: .zero)?.addresses.map(\.state) == [.idle])
        let ask = ArbiterWatch.Input.ask([gateway], every: .milliseconds(600), window: .milliseconds(1300))
        watch.receive(ask, now: Self.now, using: &random, into: &effects)
        watch.receive(.unsent(gateway, "No route to host"), now: Self.now, using: &random, into: &effects)
        #expect(try view(after: .milliseconds(100))?.addresses.map(\.state) == [.asked])
        let silent = try #require(try view(after: .milliseconds(1400)))
        #expect(silent.addresses.map(\.state) == [.silent] && silent.addresses.map(\.since) == [1400])
        #expect(silent.addresses.map(\.failure) == ["No route to host"])
        #expect(!silent.isVetoing && silent.idleness == nil && silent.addresses.map(\.hasAnswered) == [false])
        let unset = StatusBuilder(core: try core { $0.properties.arbiter = nil }, now: Self.now).quorum()
        #expect(unset.arbiter == nil)
        let idle = StatusBuilder(core: try core { $0.properties.stonithEnabled = true }, now: Self.now).quorum()
        #expect(idle.arbiter?.idleness?.hasPrefix("stonith-enabled=true") == true)
    }
}
