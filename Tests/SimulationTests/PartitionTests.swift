import Simulation
import Testing

/// L2 over every shape of a partition of two and three nodes, and over some of four and five; `make partitions` cuts
/// all.
@Suite
struct PartitionTests {
    @Test(arguments: [(2, 3), (3, 16), (4, 218)])
    func `Every shape is there once`(nodes: Int, count: Int) {
        let shapes = PartitionShape.all(of: nodes)
        #expect(shapes.count == count)
        #expect(Set(shapes).count == count)
    }

    @Test(arguments: [2, 3])
    func `A majority that one of it can lead makes progress`(nodes: Int) {
        for shape in PartitionShape.all(of: nodes) { Self.check(shape, seed: 1) }
    }

    @Test(arguments: 0..<8)
    func `So it does with four nodes`(block: Int) {
        let shapes = PartitionShape.all(of: 4).filter { !$0.leadableMajority.isEmpty }
        for index in stride(from: block, to: shapes.count, by: 40) { Self.check(shapes[index], seed: UInt64(block)) }
    }

    /// One of two nodes that reach only each other became the holder of that half.
    ///
    /// It bound the other one by its promise, which could have led a majority.
    @Test(arguments: [
        "1>3 1>4 2>1 2>3", "1>4 2>3 3>1", "1>2 1>4 2>1 2>3 3>1", "1>2 1>4 2>1 2>4 3>1", "1>4 2>1 2>3 3>1 3>2",
        "1>2 2>3 3>1 4>1", "1>2 1>3 2>1 2>3 3>1 4>1", "1>4 2>1 2>3 3>1 4>1", "1>4 2>1 2>3 3>1 3>2 4>1",
    ])
    func `A holder does not bind who can lead more than half`(cuts: String) throws {
        let shape = try #require(PartitionShape.all(of: 4).first { $0.description == "4 nodes, cut \(cuts)" })
        Self.check(shape, seed: 1)
    }

    private static func check(_ shape: PartitionShape, seed: UInt64) {
        let outcome = shape.run(seed: seed)
        #expect(outcome.failure == nil, "\(outcome.failure?.description ?? "")")
        guard !shape.leadableMajority.isEmpty else { return }
        #expect(outcome.commits, "\(shape): nobody commits\n\(outcome.story.suffix(30).joined(separator: "\n"))")
        #expect(outcome.isStable, "\(shape): the leader changes")
    }
}
