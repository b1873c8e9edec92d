import ClusterModel

/// Which directions between some nodes are cut: a shape of a partition, complete, partial or one-way.
public struct PartitionShape: Hashable, Sendable, CustomStringConvertible {
    /// How many nodes.
    public let nodes: Int
    /// A bit for each ordered pair, by `place`.
    let cuts: UInt32

    /// Every shape of some nodes, one of each kind.
    ///
    /// Shapes that differ only in the names of nodes count as one: 3 of two nodes, 16 of three, 218 of four, 9608 of
    /// five (directed graphs without loops up to isomorphism, OEIS A000273). Names do matter a little to the cores, which
    /// let the lowest number go first among equals, so each run names the nodes anew.
    public static func all(of nodes: Int) -> [PartitionShape] {
        let renamings = permutations(of: nodes).dropFirst().map { order in
            pairs(of: nodes).map { place(order[$0.from], order[$0.to], nodes) }
        }
        let bits = nodes * (nodes - 1)
        return (0..<UInt32(1) << UInt32(bits)).filter { cuts in
            renamings.allSatisfy { Self.renamed(cuts, $0) >= cuts }
        }
        .map { PartitionShape(nodes: nodes, cuts: $0) }
    }

    private static func pairs(of nodes: Int) -> [(from: Int, to: Int)] {
        (0..<nodes).flatMap { from in (0..<nodes).filter { $0 != from }.map { (from, $0) } }
    }

    private static func place(_ from: Int, _ to: Int, _ nodes: Int) -> Int {
        from * (nodes - 1) + (to > from ? to - 1 : to)
    }

    private static func renamed(_ cuts: UInt32, _ places: [Int]) -> UInt32 {
        var rest = cuts
        var result: UInt32 = 0
        while rest != 0 {
            result |= 1 << UInt32(places[rest.trailingZeroBitCount])
            rest &= rest - 1
        }
        return result
    }

    private static func permutations(of count: Int) -> [[Int]] {
        guard count > 0 else { return [[]] }
        return permutations(of: count - 1).flatMap { rest in
            (0..<count).map { place in
                var order = rest
                order.insert(count - 1, at: count - 1 - place)
                return order
            }
        }
    }

    /// Whether a direction is cut; nodes are counted from 0.
    public func isCut(from: Int, to: Int) -> Bool { cuts >> UInt32(Self.place(from, to, nodes)) & 1 == 1 }

    private func isLinked(_ left: Int, _ right: Int) -> Bool {
        !isCut(from: left, to: right) && !isCut(from: right, to: left)
    }

    /// More than half of the nodes of which one reaches all others in both directions: it can lead them, whatever else
    /// they hear.
    ///
    /// Empty if there are no such.
    public var leadableMajority: [Int] {
        let best =
            (0..<nodes).map { center in (0..<nodes).filter { $0 == center || isLinked(center, $0) } }
            .max { $0.count < $1.count } ?? []
        return best.count * 2 > nodes ? best : []
    }

    /// The cut directions.
    public var description: String {
        let names = Self.pairs(of: nodes).filter { isCut(from: $0.from, to: $0.to) }.map {
            "\($0.from + 1)>\($0.to + 1)"
        }
        return "\(nodes) nodes, " + (names.isEmpty ? "nothing cut" : "cut " + names.joined(separator: " "))
    }

    /// Cuts a settled cluster into this shape and looks whether it makes progress (L2) and keeps its leader.
    ///
    /// - Parameter seed: Names the nodes, and draws everything else.
    /// - Returns: What came of it.
    public func run(seed: UInt64) -> PartitionOutcome {
        var random = SeededGenerator(seed: seed ^ UInt64(cuts) << 8)
        let names = (1...UInt8(nodes)).map { NodeID($0) }.shuffled(using: &random)
        var simulator = Simulator<LogRecorder>(options: SimulationOptions(nodes: nodes), seed: seed)
        var outcome = PartitionOutcome()
        do {
            try simulator.run(for: .seconds(2))
            for pair in Self.pairs(of: nodes) where isCut(from: pair.from, to: pair.to) {
                simulator.cut(from: names[pair.from], to: names[pair.to])
            }
            // Long enough for every election and for the moves of leadership that follow it: the pause between two is
            // five seconds.
            try simulator.run(for: .seconds(12))
            let before = (simulator.leaders, simulator.terms)
            outcome.commits = try Self.commits(&simulator)
            try simulator.run(for: .seconds(6))
            outcome.isStable = (simulator.leaders, simulator.terms) == before
            if !outcome.commits || !outcome.isStable { outcome.story = simulator.takeTranscript() }
        } catch {
            outcome.failure = error
        }
        return outcome
    }

    private static func commits(_ simulator: inout Simulator<LogRecorder>) throws(SimulationFailure) -> Bool {
        let decided = simulator.decidedIndex
        for leader in simulator.leaders { simulator.propose(on: leader) }
        return try simulator.run(for: .seconds(2)) { $0.decidedIndex > decided }
    }
}

/// What became of a cluster that was cut into a shape.
public struct PartitionOutcome: Sendable {
    /// A broken rule of safety.
    public internal(set) var failure: SimulationFailure?
    /// Whether a leader commits.
    public internal(set) var commits = false
    /// The newest lines of what happened, unless all went well.
    public internal(set) var story: [String] = []
    /// Whether leaders and terms stay as they are.
    public internal(set) var isStable = false
}
