import ClusterModel
import Testing

@testable import Recovery

@Suite
struct NodeMapTests {
    @Test
    func `Holds one value a node, in ascending order whatever the order of writing`() {
        var map = NodeMap<String>()
        for number: UInt8 in [3, 1, 2] { map[NodeID(number)] = "n\(number)" }
        map[NodeID(3)] = "again"
        #expect(map.keys == [NodeID(1), NodeID(2), NodeID(3)])
        #expect(map.values == ["n1", "n2", "again"])
        #expect(map.index(of: NodeID(2)) == 1)
        #expect(map[NodeID(4)] == nil)
        map[NodeID(1)] = nil
        map[NodeID(4)] = nil
        #expect(map.keys == [NodeID(2), NodeID(3)])
        map[NodeID(2), default: ""] += "!"
        map[NodeID(1), default: "new"] += "!"
        #expect(map.values == ["new!", "n2!", "again"])
    }
}
