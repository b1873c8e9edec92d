public import ClusterModel

/// Which resource is placed, started and kept relative to which: the colocations of a configuration without what
/// they cannot mean (unknown names, a resource with itself) and without the ones that close a circle.
///
/// Where constraints form a circle, the advisory ones give way to the mandatory ones, and of those the one that closes
/// the circle is dropped, since the others force the same placement already. Which one that is depends only on the
/// order of creation, never on the situation: everyone who asks must see the same graph.
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
        openCircles()
        for edges in primaries {
            for edge in edges { followers[edge.with].append(edge) }
        }
        order = sorted(first: first) { _ in true }
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

    /// Every resource after what it follows by the wanted edges, as far as there is no circle.
    ///
    /// Depth first with a stack of its own: a chain of thousands must not exhaust the thread's.
    private func sorted(first: Set<ResourceName>, along isWanted: (Edge) -> Bool) -> [Int] {
        var order: [Int] = []
        order.reserveCapacity(names.count)
        var seen = Array(repeating: false, count: names.count)
        var stack: [(position: Int, next: Int)] = []
        let early = first.isEmpty ? [] : names.indices.filter { first.contains(names[$0]) }
        for root in early + Array(names.indices) where !seen[root] {
            seen[root] = true
            stack.append((root, 0))
            while let top = stack.last {
                if top.next == primaries[top.position].count {
                    order.append(top.position)
                    stack.removeLast()
                    continue
                }
                stack[stack.count - 1].next += 1
                let edge = primaries[top.position][top.next]
                if isWanted(edge), !seen[edge.with] {
                    seen[edge.with] = true
                    stack.append((edge.with, 0))
                }
            }
        }
        return order
    }

    private mutating func openCircles() {
        let circular = circularPositions()
        guard circular.contains(true) else { return }
        var ranks = Array(repeating: 0, count: names.count)
        let order = sorted(first: []) { $0.score == .infinity || $0.score == .minusInfinity }
        for (rank, position) in order.enumerated() { ranks[position] = rank }
        for position in primaries.indices where circular[position] {
            primaries[position].removeAll { circular[$0.with] && ranks[$0.with] > ranks[position] }
        }
    }

    /// Which resources are on a circle or between two of them: what is left after taking away, again and again, those
    /// that follow nothing and those that nothing follows.
    private func circularPositions() -> [Bool] {
        var left = Array(repeating: true, count: names.count)
        var following = primaries.map(\.count)
        var followed = Array(repeating: 0, count: names.count)
        var followersOf: [[Int]] = Array(repeating: [], count: names.count)
        for edge in primaries.joined() {
            followed[edge.with] += 1
            followersOf[edge.with].append(edge.resource)
        }
        var pending = names.indices.filter { following[$0] == 0 || followed[$0] == 0 }
        while let position = pending.popLast() {
            guard left[position] else { continue }
            left[position] = false
            for edge in primaries[position] {
                followed[edge.with] -= 1
                if followed[edge.with] == 0 { pending.append(edge.with) }
            }
            for follower in followersOf[position] {
                following[follower] -= 1
                if following[follower] == 0 { pending.append(follower) }
            }
        }
        return left
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
