import ClusterModel
import Testing

@Suite
struct KeyTests {
    private static let secret = Secret(String(repeating: "ab", count: 32))

    private func state() -> ClusterState {
        let nodes = (1...3).map { Node(id: NodeID(UInt8($0)), name: "n\($0)", addresses: []) }
        return ClusterState(configuration: ClusterConfiguration(name: "c", nodes: nodes))
    }

    private func apply(_ change: Change, to state: inout ClusterState) -> RequestAnswer? {
        let id = Random128(high: 1, low: UInt64(state.answered.count) + 1)
        let origin = RequestOrigin(id: id, node: NodeID(1), uid: 0)
        return state.apply(Command(change: change, request: origin, proposedAt: 0))
    }

    private func isRefused(_ answer: RequestAnswer?) -> Bool { if case .refused = answer { true } else { false } }

    @Test
    func `A generation is handed out, used and the old one retired, in this order alone`() {
        var state = state()
        let second = Change.installKey(generation: 2, secret: Self.secret, leavesAbsentBehind: false)
        #expect(isRefused(apply(.retireKeys, to: &state)))
        #expect(
            isRefused(
                apply(.installKey(generation: 3, secret: Self.secret, leavesAbsentBehind: false), to: &state)
            )
        )
        #expect(
            isRefused(
                apply(.installKey(generation: 2, secret: Secret("short"), leavesAbsentBehind: false), to: &state)
            )
        )
        #expect(apply(second, to: &state) == .applied(0))
        #expect(state.keys?.isRotating == true && state.keys?.current == 1)
        #expect(isRefused(apply(second, to: &state)) && isRefused(apply(.retireKeys, to: &state)))
        _ = apply(.useKey(generation: 1), to: &state)
        #expect(state.keys?.isRotating == true)
        _ = apply(.useKey(generation: 2), to: &state)
        #expect(state.keys?.current == 2 && state.keys?.retired == 0)
        #expect(apply(.retireKeys, to: &state) == .applied(0))
        #expect(state.keys?.retired == 1 && state.keys?.secrets.keys.sorted() == [2])
        #expect(isRefused(apply(.retireKeys, to: &state)))
    }

    @Test
    func `Removing a node demands another secret, and ends the one that it knows`() {
        var state = state()
        var smaller = state.configuration
        smaller.nodes.removeLast()
        _ = apply(.configure(expected: 0, smaller), to: &state)
        #expect(state.keys?.mustRotate == true)
        _ = apply(.installKey(generation: 2, secret: Self.secret, leavesAbsentBehind: false), to: &state)
        #expect(state.keys?.mustRotate == false && state.keys?.retiresByItself == true)
        _ = apply(.useKey(generation: 2), to: &state)
        _ = apply(.retireKeys, to: &state)
        #expect(state.keys?.retiresByItself == false && state.keys?.retired == 1)
        var other = state.configuration
        other.properties.stonithEnabled = false
        _ = apply(.configure(expected: 1, other), to: &state)
        #expect(state.keys?.mustRotate == false)
    }
}
