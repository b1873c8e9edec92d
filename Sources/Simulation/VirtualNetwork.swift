import ClusterModel

/// How well the virtual network works.
public struct NetworkQuality: Sendable {
    /// Datagrams lost, in thousandths.
    public var lossPerMille = 0
    /// Datagrams that arrive twice, in thousandths.
    public var duplicatePerMille = 0
    /// Datagrams that take up to `longestDelay`, in thousandths; so later ones overtake them.
    public var delayedPerMille = 0
    /// What most datagrams take at least and at most, in nanoseconds.
    public var usualDelay: ClosedRange<Int64> = 100_000...1_000_000
    /// What a delayed one may take, in nanoseconds.
    public var longestDelay: Int64 = 300_000_000

    /// Nothing lost, nothing late.
    public init() {}

    /// Every fault at a rate that no working network has.
    public static let bad: NetworkQuality = {
        var quality = NetworkQuality()
        quality.lossPerMille = 150
        quality.duplicatePerMille = 50
        quality.delayedPerMille = 100
        quality.usualDelay = 100_000...20_000_000
        return quality
    }()
}

/// Which datagrams arrive, and when.
struct VirtualNetwork: Sendable {
    var quality = NetworkQuality()
    /// How many faults cut each direction; a direction works while none does.
    ///
    /// By `place`.
    private var cuts = [UInt8](repeating: 0, count: 1 << 16)
    /// Where something was cut since everything worked.
    private var touched: [Int] = []
    /// Raised when everything is restored: what was cut before needs no end of its own any more.
    private(set) var repairs = 0

    /// The delays after which copies of one datagram arrive.
    struct Copies: Sendable {
        /// nil when it is lost.
        var first: Int64?
        /// nil unless it is doubled.
        var second: Int64?
    }

    /// What becomes of one datagram.
    func copies(from: NodeID, to: NodeID, random: inout SeededGenerator) -> Copies {
        guard reaches(from: from, to: to, random: &random) else { return Copies() }
        var copies = Copies(first: delay(&random))
        if random.hits(perMille: quality.duplicatePerMille) { copies.second = delay(&random) }
        return copies
    }

    /// Whether one datagram arrives at all.
    func reaches(from: NodeID, to: NodeID, random: inout SeededGenerator) -> Bool {
        cuts[Self.place(from, to)] == 0 && !random.hits(perMille: quality.lossPerMille)
    }

    private func delay(_ random: inout SeededGenerator) -> Int64 {
        random.hits(perMille: quality.delayedPerMille)
            ? Int64.random(in: 0...quality.longestDelay, using: &random)
            : Int64.random(in: quality.usualDelay, using: &random)
    }

    /// Cuts one direction.
    mutating func cut(from: NodeID, to: NodeID) {
        let place = Self.place(from, to)
        if cuts[place] == 0, !touched.contains(place) { touched.append(place) }
        if cuts[place] < .max { cuts[place] += 1 }
    }

    /// Takes one cut of a direction back.
    mutating func mend(from: NodeID, to: NodeID) {
        let place = Self.place(from, to)
        if cuts[place] > 0 { cuts[place] -= 1 }
    }

    /// Whether one direction is cut.
    func isCut(from: NodeID, to: NodeID) -> Bool { cuts[Self.place(from, to)] > 0 }

    private static func place(_ from: NodeID, _ to: NodeID) -> Int { Int(from.rawValue) << 8 | Int(to.rawValue) }

    /// Cuts both directions between every pair of different groups.
    mutating func partition(_ groups: [[NodeID]]) {
        for (position, group) in groups.enumerated() {
            for other in groups[(position + 1)...].joined() {
                for node in group {
                    cut(from: node, to: other)
                    cut(from: other, to: node)
                }
            }
        }
    }

    /// Restores every link.
    mutating func heal() {
        for place in touched { cuts[place] = 0 }
        touched.removeAll(keepingCapacity: true)
        repairs += 1
    }
}

extension SeededGenerator {
    /// Whether something happens that happens so often in a thousand.
    mutating func hits(perMille: Int) -> Bool {
        perMille > 0 && Int.random(in: 0..<1000, using: &self) < perMille
    }
}
