import Bytes
import ClusterModel
import Consensus
import Testing

@Suite
struct NodeSetTests {
    @Test
    func `Holds exactly what was put in, over all four words`() {
        var set = NodeSet([NodeID(1), NodeID(63), NodeID(64), NodeID(200), NodeID(255)])
        #expect(set.count == 5)
        set.remove(NodeID(64))
        #expect(set.nodes.map(\.rawValue) == [1, 63, 200, 255])
        #expect(!set.contains(NodeID(64)))
        #expect(set.description == "{1,63,200,255}")
    }

    @Test
    func `Names its lowest node in each word`() {
        #expect(NodeSet().lowest == nil)
        for number: UInt8 in [0, 63, 64, 127, 128, 191, 192, 255] {
            #expect(NodeSet([NodeID(255), NodeID(number)]).lowest == NodeID(number))
        }
    }

    @Test
    func `Comes back from its bytes`() throws {
        let set = NodeSet([NodeID(3), NodeID(130)])
        var writer = ByteWriter()
        set.encode(into: &writer)
        #expect(writer.bytes.count == 32)
        var reader = ByteReader(writer.bytes.span.bytes)
        #expect(try NodeSet(parsing: &reader) == set)
    }
}
