/// An operation on the replicated configuration, as one operator saw it.
///
/// The configuration is taken as one value with a version, which only a change that names the present version
/// replaces (compare-and-swap).
struct ConfigurationOperation: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// Replace what has the version `expected` by `value`.
        case swap(expected: UInt64, value: Int64)
        /// Look, with what was seen.
        case read(version: UInt64, value: Int64)
    }

    enum Result: Hashable, Sendable {
        /// Carried out; the version is the new one.
        case won(version: UInt64)
        /// Not carried out, because the version was another one.
        case lost
        /// Nobody knows; it may be carried out at any later time.
        case unknown
        /// What a look gets.
        case seen
    }

    var kind: Kind
    var result: Result
    /// When the operator began.
    var began: Int64
    /// When the answer was there; without meaning where the result is unknown.
    var ended: Int64
}

/// Decides whether operations can be put into an order that respects their times and in which each answer is right
/// (Herlihy and Wing 1990), by keeping all states in which the cluster may be after each answer.
struct LinearizabilityChecker {
    /// A state that is possible now, with those open operations that have been carried out in it.
    private struct Possibility: Hashable {
        var version: UInt64
        var value: Int64
        var done: Set<Int>
    }

    /// More possibilities than this at one time are more than an honest history of a few operators has.
    static let mostPossibilities = 100_000

    let operations: [ConfigurationOperation]
    let initial: (version: UInt64, value: Int64)

    /// The first answer that no order explains; nil when there is an order.
    func violation() -> String? {
        var possible: Set<Possibility> = [Possibility(version: initial.version, value: initial.value, done: [])]
        var open: Set<Int> = []
        for event in events {
            if event.isBegin {
                open.insert(event.operation)
                continue
            }
            let reached = closure(of: possible, open)
            guard reached.count <= Self.mostPossibilities else { return "too many orders are possible to look at all" }
            possible = Set(
                reached.filter { $0.done.contains(event.operation) }.map { possibility in
                    var rest = possibility
                    rest.done.remove(event.operation)
                    return rest
                }
            )
            open.remove(event.operation)
            if possible.isEmpty { return "nothing explains \(operations[event.operation]); before: \(text(reached))" }
            forget(&open, &possible)
        }
        return nil
    }

    /// Beginnings before ends at the same time: then the two may have happened in any order.
    private var events: [(at: Int64, isBegin: Bool, operation: Int)] {
        var events: [(at: Int64, isBegin: Bool, operation: Int)] = []
        for (index, operation) in operations.enumerated() {
            events.append((operation.began, true, index))
            if operation.result != .unknown { events.append((operation.ended, false, index)) }
        }
        return events.sorted { ($0.at, $0.isBegin ? 0 : 1) < ($1.at, $1.isBegin ? 0 : 1) }
    }

    /// Everything that can be reached by carrying out open operations, in any order.
    private func closure(of start: Set<Possibility>, _ open: Set<Int>) -> Set<Possibility> {
        var reached = start
        var waiting = Array(start)
        while let possibility = waiting.popLast(), reached.count <= Self.mostPossibilities {
            for index in open where !possibility.done.contains(index) {
                guard let next = step(possibility, index), reached.insert(next).inserted else { continue }
                waiting.append(next)
            }
        }
        return reached
    }

    /// The state after an operation, if its answer is right there.
    private func step(_ possibility: Possibility, _ index: Int) -> Possibility? {
        var next = possibility
        next.done.insert(index)
        let operation = operations[index]
        switch (operation.kind, operation.result) {
        case (.read(let version, let value), _):
            return version == possibility.version && value == possibility.value ? next : nil
        case (.swap(let expected, _), .lost): return possibility.version != expected ? next : nil
        case (.swap(let expected, let value), let result):
            guard possibility.version == expected else { return nil }
            if case .won(let version) = result, version != expected + 1 { return nil }
            next.version = expected + 1
            next.value = value
            return next
        }
    }

    /// An open change with no known answer whose version is over will never be carried out any more, and whether it
    /// was makes no difference from here on.
    private func forget(_ open: inout Set<Int>, _ possible: inout Set<Possibility>) {
        let oldest = possible.map(\.version).min() ?? 0
        let over = open.filter { index in
            guard operations[index].result == .unknown, case .swap(let expected, _) = operations[index].kind else {
                return false
            }
            return expected < oldest
        }
        guard !over.isEmpty else { return }
        open.subtract(over)
        possible = Set(
            possible.map { Possibility(version: $0.version, value: $0.value, done: $0.done.subtracting(over)) }
        )
    }

    private func text(_ possibilities: Set<Possibility>) -> String {
        let states = Set(possibilities.map { "version \($0.version) value \($0.value)" })
        return states.sorted().prefix(5).joined(separator: ", or ")
    }
}

/// What nodes showed of the configuration while nobody led, or without asking who did: it may be old, and as old as the
/// set-up on a node that has just started, but it must never be wrong.
struct ObservationChecker {
    struct Observation: Hashable, Sendable {
        var version: UInt64
        var value: Int64
    }

    /// - Returns: What was seen that no change made, or two values of one version.
    static func violations(
        _ observations: [Observation],
        _ operations: [ConfigurationOperation],
        initial: Observation
    ) -> [String] {
        var written: [Observation: Bool] = [initial: true]
        for operation in operations {
            guard case .swap(let expected, let value) = operation.kind, operation.result != .lost else { continue }
            written[Observation(version: expected + 1, value: value)] = true
        }
        var seen: [UInt64: Int64] = [:]
        var violations: [String] = []
        for observation in Set(observations) where observation.version >= initial.version {
            if written[observation] == nil { violations.append("nobody wrote \(observation)") }
            if let other = seen[observation.version], other != observation.value {
                violations.append("version \(observation.version) has the values \(other) and \(observation.value)")
            }
            seen[observation.version] = observation.value
        }
        return violations
    }
}
