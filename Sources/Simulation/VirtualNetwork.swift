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
    private var cut: Set<Link> = []

    private struct Link: Hashable {
        let from: NodeID
        let to: NodeID
    }

    /// The delays after which copies of one datagram arrive; empty when it is lost.
    func delays(from: NodeID, to: NodeID, random: inout SeededGenerator) -> [Int64] {
        if cut.contains(Link(from: from, to: to)) { return [] }
        if random.hits(perMille: quality.lossPerMille) { return [] }
        var delays = [delay(&random)]
        if random.hits(perMille: quality.duplicatePerMille) { delays.append(delay(&random)) }
        return delays
    }

    private func delay(_ random: inout SeededGenerator) -> Int64 {
        random.hits(perMille: quality.delayedPerMille)
            ? Int64.random(in: 0...quality.longestDelay, using: &random)
            : Int64.random(in: quality.usualDelay, using: &random)
    }

    /// Cuts one direction.
    mutating func cut(from: NodeID, to: NodeID) { cut.insert(Link(from: from, to: to)) }

    /// Whether one direction is cut.
    func isCut(from: NodeID, to: NodeID) -> Bool { cut.contains(Link(from: from, to: to)) }

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
    mutating func heal() { cut.removeAll() }
}

extension SeededGenerator {
    /// Whether something happens that happens so often in a thousand.
    mutating func hits(perMille: Int) -> Bool {
        perMille > 0 && Int.random(in: 0..<1000, using: &self) < perMille
    }
}
