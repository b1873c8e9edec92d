import ClusterModel
import Testing

/// The judges of the tests with real faults, shown histories that are right and histories that are not.
@Suite
struct CheckerTests {
    typealias Acknowledged = RegisterHistory.Acknowledged

    private static let good = """
        1 a start
        1 a alive
        1 a write x1
        1 a alive
        2 b start
        2 b write x2
        3 a2 start
        3 a2 alive

        """

    private static let told = [
        Acknowledged(client: "c", value: "x1", epoch: 1), Acknowledged(client: "c", value: "x2", epoch: 2),
    ]

    @Test
    func `One instance after the other is right`() {
        let history = RegisterHistory(Self.good)
        #expect(history.violations(Self.told) == [])
        #expect(history.instances == 3)
    }

    @Test(arguments: [
        ("1 a start\n1 a alive\n2 b start\n1 a alive\n2 b alive\n", "runs while"),
        ("1 a start\n2 b start\n2 b alive\n1 a write x9\n", "runs while"),
        ("1 a start\n1 b start\n1 a alive\n", "of a"),
        ("2 a start\n1 b start\n", "runs while"),
        ("1 a start\n2 b alive\n", "never started"),
        ("1 a start\n1 a al", "no line"),
        ("1 a start\n1 a alive\u{0}\n", "no line"),
    ])
    func `Two instances at a time are found, and torn lines`(text: String, complaint: String) {
        let violations = RegisterHistory(text).violations([])
        #expect(violations.contains { $0.contains(complaint) }, "\(violations)")
    }

    @Test(arguments: [
        ([Acknowledged(client: "c", value: "x3", epoch: 2)], "lost"),
        ([Acknowledged(client: "c", value: "x1", epoch: 2)], "another epoch"),
        ([told[1], told[0]], "before an older"),
    ])
    func `A lost, misplaced or reordered write is found`(acknowledged: [Acknowledged], complaint: String) {
        let violations = RegisterHistory(Self.good).violations(acknowledged)
        #expect(violations.contains { $0.contains(complaint) }, "\(violations)")
        let twice = RegisterHistory(Self.good + "3 a2 write x1\n").violations(Self.told)
        #expect(twice.contains { $0.contains("2 times") }, "\(twice)")
    }

    // MARK: Linearizability

    private static func swap(
        _ expected: UInt64,
        _ value: Int64,
        _ result: ConfigurationOperation.Result,
        _ times: ClosedRange<Int64>
    ) -> ConfigurationOperation {
        ConfigurationOperation(
            kind: .swap(expected: expected, value: value),
            result: result,
            began: times.lowerBound,
            ended: times.upperBound
        )
    }

    private static func read(_ version: UInt64, _ value: Int64, _ times: ClosedRange<Int64>) -> ConfigurationOperation {
        ConfigurationOperation(
            kind: .read(version: version, value: value),
            result: .seen,
            began: times.lowerBound,
            ended: times.upperBound
        )
    }

    private static let right: [[ConfigurationOperation]] = [
        [],
        [swap(0, 5, .won(version: 1), 1...2), swap(0, 6, .lost, 3...4), read(1, 5, 5...6)],
        // Two at the same time: either order, as the answers say.
        [swap(0, 5, .lost, 1...9), swap(0, 6, .won(version: 1), 2...8), read(1, 6, 10...11)],
        // An unknown one takes effect long after its operator gave up, or before, or never.
        [swap(0, 5, .unknown, 1...2), read(0, 0, 3...4), read(1, 5, 5...6), swap(1, 7, .won(version: 2), 7...8)],
        [swap(0, 5, .unknown, 1...2), swap(0, 6, .won(version: 1), 3...4), read(1, 6, 5...6)],
        [swap(0, 5, .unknown, 1...2), swap(0, 6, .lost, 3...4), swap(1, 8, .won(version: 2), 5...6)],
        // A lost one began before the winner ended.
        [swap(0, 6, .lost, 1...3), swap(0, 5, .won(version: 1), 2...9)],
    ]

    @Test(arguments: right)
    func `What some order explains is right`(operations: [ConfigurationOperation]) {
        #expect(LinearizabilityChecker(operations: operations, initial: (0, 0)).violation() == nil)
    }

    private static let wrong: [[ConfigurationOperation]] = [
        // Two winners of one version.
        [swap(0, 5, .won(version: 1), 1...4), swap(0, 6, .won(version: 1), 2...3)],
        // An acknowledged change is lost.
        [swap(0, 5, .won(version: 1), 1...2), read(0, 0, 3...4)],
        [swap(0, 5, .won(version: 1), 1...2), swap(0, 6, .unknown, 3...4), read(1, 6, 5...6)],
        // Refused although nobody else changed anything.
        [swap(0, 5, .lost, 1...2)],
        [swap(0, 5, .lost, 1...2), swap(0, 6, .won(version: 1), 3...4)],
        // Refused and carried out nevertheless.
        [swap(0, 5, .lost, 1...4), swap(0, 6, .unknown, 2...3), read(1, 5, 5...6)],
        // Seen before it was begun.
        [read(1, 5, 1...2), swap(0, 5, .won(version: 1), 3...4)],
        // A read goes back.
        [swap(0, 5, .won(version: 1), 1...9), read(1, 5, 2...3), read(0, 0, 4...5)],
        // A version is left out.
        [swap(0, 5, .won(version: 2), 1...2)],
        // An unknown one takes effect twice.
        [
            swap(0, 5, .unknown, 1...2), read(1, 5, 3...4), swap(1, 6, .won(version: 2), 5...6), read(1, 5, 7...8),
        ],
    ]

    @Test(arguments: wrong)
    func `What no order explains is found`(operations: [ConfigurationOperation]) {
        #expect(LinearizabilityChecker(operations: operations, initial: (0, 0)).violation() != nil)
    }

    @Test
    func `What was seen must have been written, and a version has one value`() {
        let start = ObservationChecker.Observation(version: 3, value: 0)
        let changes = [Self.swap(3, 5, .unknown, 1...2), Self.swap(3, 6, .won(version: 4), 1...2)]
        func check(_ seen: [(UInt64, Int64)]) -> [String] {
            let observations = seen.map { ObservationChecker.Observation(version: $0.0, value: $0.1) }
            return ObservationChecker.violations(observations, changes, initial: start)
        }
        #expect(check([(3, 0), (4, 6), (3, 0), (1, 9)]) == [])
        #expect(check([(4, 7)]).contains { $0.contains("nobody wrote") })
        #expect(check([(3, 9)]).contains { $0.contains("nobody wrote") })
        #expect(check([(4, 5), (4, 6)]).contains { $0.contains("has the values") })
    }

    @Test
    func `A naive search agrees with the checker on every small history`() {
        var random = SeededGenerator(seed: 7)
        var wrong = 0
        for _ in 0..<2000 {
            let operations = Self.randomHistory(&random)
            let naive = Self.isExplained(operations, version: 0, value: 0, done: [])
            wrong += naive ? 0 : 1
            let verdict = LinearizabilityChecker(operations: operations, initial: (0, 0)).violation()
            #expect((verdict == nil) == naive, "\(operations)")
        }
        #expect((200...1800).contains(wrong), "the histories do not tell right from wrong: \(wrong) of 2000")
    }

    private static func randomHistory(_ random: inout SeededGenerator) -> [ConfigurationOperation] {
        (0..<4).map { number in
            let began = Int64.random(in: 1...8, using: &random)
            let times = began...(began + Int64.random(in: 1...4, using: &random))
            let expected = UInt64.random(in: 0...1, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0, 1: return swap(expected, Int64(number + 1), .won(version: expected + 1), times)
            case 2: return swap(expected, Int64(number + 1), .lost, times)
            case 3: return swap(expected, Int64(number + 1), .unknown, times)
            default: return read(expected, Int64.random(in: 0...Int64(expected), using: &random), times)
            }
        }
    }

    /// Tries all orders: an operation may be next if none that is left has ended before it began.
    private static func isExplained(
        _ operations: [ConfigurationOperation],
        version: UInt64,
        value: Int64,
        done: Set<Int>
    ) -> Bool {
        let left = operations.indices.filter { !done.contains($0) }
        if left.allSatisfy({ operations[$0].result == .unknown }) { return true }
        return left.contains { index in
            let next = operations[index]
            let isFree = left.allSatisfy { operations[$0].result == .unknown || operations[$0].ended >= next.began }
            guard isFree else { return false }
            let rest = done.union([index])
            switch (next.kind, next.result) {
            case (.read(let seenVersion, let seenValue), _):
                return seenVersion == version && seenValue == value
                    && isExplained(operations, version: version, value: value, done: rest)
            case (.swap(let expected, _), .lost):
                return expected != version && isExplained(operations, version: version, value: value, done: rest)
            case (.swap(let expected, let new), _):
                return expected == version
                    && isExplained(operations, version: version + 1, value: new, done: rest)
            }
        }
    }

    // MARK: The plan

    @Test
    func `The same seed gives the same plan, and plans have every kind of fault`() {
        let hosts = ["ctl1", "ctl2", "ctl3"]
        func plan(_ seed: UInt64) -> FaultSchedule {
            FaultSchedule(seed: seed, length: .seconds(120), hosts: hosts, hasWork: true)
        }
        #expect(plan(5).steps == plan(5).steps)
        #expect(plan(5).steps != plan(6).steps)
        var kinds: Set<String> = []
        for seed in 0..<10 {
            let steps = plan(UInt64(seed)).steps
            #expect(steps.allSatisfy { $0.begin < $0.end && $0.end <= .seconds(120) })
            kinds.formUnion(steps.map { String("\($0.fault)".prefix { $0 != "(" }) })
        }
        #expect(
            kinds == [
                "kill", "freeze", "freezeWork", "cut", "oneWay", "partition", "powerOff", "standby", "move",
            ]
        )
        let events = plan(1).events
        #expect(zip(events, events.dropFirst()).allSatisfy { $0.at <= $1.at })
        #expect(events.count == 2 * plan(1).steps.count)
    }
}
