public import ClusterModel

/// Which resource is placed, started and kept relative to which: the colocations of a configuration without what
/// they cannot mean (unknown names, a resource with itself) and without the ones that close a circle.
///
/// In a circle every constraint but the last already forces the same placement, so the one that closes it is dropped;
/// which one that is depends only on the order of creation.
public struct ColocationGraph: Sendable {
    /// A colocation by positions in the configuration's list of resources.
    struct Edge: Hashable, Sendable {
        var id: String
        var resource: Int
        var with: Int
        var score: Score
    }

    /// The resources' names by position.
    let names: [ResourceName]
    /// Positions by name.
    let positions: [ResourceName: Int]
    /// For each resource, what it follows.
    private(set) var primaries: [[Edge]]
    /// For each resource, what follows it.
    private(set) var followers: [[Edge]]
    /// Every resource after all that it follows.
    private(set) var order: [Int] = []
    private var requirements: [Requirement] = []

    /// Reads a configuration.
    ///
    /// - Parameters:
    ///   - configuration: The resources and colocations.
    ///   - first: Positions of resources to be placed before others where colocations leave the choice.
    public init(_ configuration: ClusterConfiguration, first: Set<ResourceName> = []) {
        names = configuration.resources.map(\.name)
        positions = Dictionary(names.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { old, _ in old })
        primaries = Array(repeating: [], count: names.count)
        followers = Array(repeating: [], count: names.count)
        for constraint in configuration.colocations {
            guard let resource = positions[constraint.resource], let with = positions[constraint.with],
                resource != with
            else { continue }
            primaries[resource].append(Edge(id: constraint.id, resource: resource, with: with, score: constraint.score))
        }
        sort(first: first)
        dropCircles()
        requirements = effectiveRequirements(configuration.resources)
    }

    /// What a resource must run with and is started after, directly.
    public func mandatoryPrimaries(of resource: ResourceName) -> [ResourceName] {
        edges(primaries, of: resource) { $0.score == .infinity }.map { names[$0.with] }
    }

    /// What must run with a resource and is stopped before it, directly.
    public func mandatoryFollowers(of resource: ResourceName) -> [ResourceName] {
        edges(followers, of: resource) { $0.score == .infinity }.map { names[$0.resource] }
    }

    /// What must never run where a resource runs.
    public func mandatoryOpponents(of resource: ResourceName) -> [ResourceName] {
        edges(primaries, of: resource) { $0.score == .minusInfinity }.map { names[$0.with] }
            + edges(followers, of: resource) { $0.score == .minusInfinity }.map { names[$0.resource] }
    }

    /// The strictest requirement of a resource and of all that it must run with, however indirectly (RULE F10): an
    /// address that must be where a database is cannot be ahead of that database's fence.
    public func effectiveRequirement(of resource: ResourceName) -> Requirement? {
        positions[resource].map { requirements[$0] }
    }

    /// All resources, each after all that it follows.
    public var namesInOrder: [ResourceName] { order.map { names[$0] } }

    private func edges(_ table: [[Edge]], of resource: ResourceName, where wanted: (Edge) -> Bool) -> [Edge] {
        guard let position = positions[resource] else { return [] }
        return table[position].filter(wanted)
    }

    /// Depth first with a stack of its own: a chain of thousands must not exhaust the thread's.
    private mutating func sort(first: Set<ResourceName>) {
        var seen = Array(repeating: false, count: names.count)
        var stack: [(position: Int, next: Int)] = []
        order.reserveCapacity(names.count)
        let early = names.indices.filter { first.contains(names[$0]) }
        let late = first.isEmpty ? Array(names.indices) : names.indices.filter { !first.contains(names[$0]) }
        for root in early + late where !seen[root] {
            seen[root] = true
            stack.append((root, 0))
            while let top = stack.last {
                if top.next == primaries[top.position].count {
                    order.append(top.position)
                    stack.removeLast()
                    continue
                }
                stack[stack.count - 1].next += 1
                let primary = primaries[top.position][top.next].with
                if !seen[primary] {
                    seen[primary] = true
                    stack.append((primary, 0))
                }
            }
        }
    }

    private mutating func dropCircles() {
        var ranks = Array(repeating: 0, count: names.count)
        for (rank, position) in order.enumerated() { ranks[position] = rank }
        for position in primaries.indices {
            primaries[position].removeAll { ranks[$0.with] > ranks[position] }
            for edge in primaries[position] { followers[edge.with].append(edge) }
        }
    }

    private func effectiveRequirements(_ resources: [Resource]) -> [Requirement] {
        var result = resources.map { $0.requires ?? $0.kind.defaultRequirement }
        for position in order {
            for edge in primaries[position] where edge.score == .infinity {
                result[position] = max(result[position], result[edge.with])
            }
        }
        return result
    }
}
