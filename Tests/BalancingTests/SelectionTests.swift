import Balancing
import ClusterModel
import Testing

@Suite
struct RoundRobinTests {
    @Test
    func `Servers of one weight take turns`() {
        #expect(RoundRobin.sequence(weights: [1, 1, 1]) == [0, 1, 2])
        #expect(RoundRobin.sequence(weights: [7, 7]) == [0, 1])
    }

    @Test
    func `Weights are spread, not bunched`() {
        #expect(RoundRobin.sequence(weights: [5, 1, 1]) == [0, 0, 1, 0, 2, 0, 0])
    }

    @Test
    func `A weight of 0 is left out, and nobody is an empty sequence`() {
        #expect(RoundRobin.sequence(weights: [0, 2, 0]) == [1])
        #expect(RoundRobin.sequence(weights: [0, 0]).isEmpty)
        #expect(RoundRobin.sequence(weights: []).isEmpty)
    }

    @Test
    func `Each server gets exactly its share`() {
        let weights = [256, 100, 3, 41]
        let sequence = RoundRobin.sequence(weights: weights)
        #expect(sequence.count == 400)
        for index in weights.indices { #expect(sequence.count { $0 == index } == weights[index]) }
    }

    @Test
    func `Long sequences are scaled down and forget nobody`() {
        let weights = (0..<200).map { $0 == 0 ? 1 : 255 + $0 % 2 }
        let sequence = RoundRobin.sequence(weights: weights)
        #expect(sequence.count <= RoundRobin.longestSequence + weights.count)
        #expect(Set(sequence).count == weights.count)
    }

    @Test
    func `A failed server is passed over if there is another one`() {
        var cursor: UInt32 = 0
        let both: [UInt16] = [0, 1]
        let only: [UInt16] = [0, 0]
        let none: [UInt16] = []
        #expect(picks(both, &cursor, avoiding: 0, 3) == [1, 1, 1])
        #expect(picks(both, &cursor, avoiding: -1, 3) == [0, 1, 0])
        #expect(picks(only, &cursor, avoiding: 0, 1) == [0])
        #expect(picks(none, &cursor, avoiding: -1, 1) == [nil])
    }

    private func picks(_ sequence: [UInt16], _ cursor: inout UInt32, avoiding: Int, _ count: Int) -> [Int?] {
        var picked: [Int?] = []
        for _ in 0..<count { picked.append(Selection.next(sequence.span, cursor: &cursor, avoiding: avoiding)) }
        return picked
    }
}

/// The rows of the cookie table that this version has; conditions are what HAProxy's states mean.
@Suite
struct CookieSelectionTests {
    private static let up = ServerCondition(admin: .ready, isHealthy: true)
    private static let down = ServerCondition(admin: .ready, isHealthy: false)
    private static let maint = ServerCondition(admin: .maint, isHealthy: true)
    private static let drain = ServerCondition(admin: .drain, isHealthy: true)
    private static let weightless = ServerCondition(admin: .ready, isHealthy: true, weight: 0)

    private func verdict(_ value: String, _ servers: [(String, ServerCondition)]) -> CookieVerdict {
        var text: [UInt8] = []
        let rows = servers.map { cookie, condition in
            defer { text += Array(cookie.utf8) }
            return ServerRow(
                cookieOffset: UInt32(text.count),
                cookieLength: UInt16(cookie.utf8.count),
                isUsable: condition.isUsable,
                isEligible: condition.isEligible
            )
        }
        let wanted = Array(value.utf8)
        return Selection.byCookie(wanted.span, rows.span, text: text.span)
    }

    @Test(arguments: [
        ("cookie=A, s1 up", Self.up, CookieVerdict.server(0)),
        ("cookie=A, s1 down", Self.down, .unusable),
        ("cookie=A, s1 maint", Self.maint, .unusable),
        ("cookie=A, s1 drain", Self.drain, .server(0)),
        ("cookie=A, s1 w0", Self.weightless, .server(0)),
    ])
    func `The state of the cookie's server decides`(row: String, condition: ServerCondition, expected: CookieVerdict) {
        #expect(verdict("A", [("A", condition), ("B", Self.up)]) == expected, "\(row)")
    }

    @Test(arguments: ["Z", "", "a", "AA"])
    func `A value that names nobody is unknown`(value: String) {
        #expect(verdict(value, [("A", Self.up), ("B", Self.up), ("", Self.up)]) == .unknown)
    }

    @Test
    func `Of servers that share a value the first usable one serves`() {
        #expect(verdict("A", [("A", Self.up), ("A", Self.up)]) == .server(0))
        #expect(verdict("A", [("A", Self.down), ("B", Self.up), ("A", Self.up)]) == .server(2))
    }
}

@Suite
struct RetryPolicyTests {
    private func story(
        _ policy: RetryPolicy,
        followsCookie: Bool,
        isUsable: Bool = true,
        eligible: Int = 2
    ) -> [RetryPolicy.Step] {
        (0...policy.retries).map {
            policy.step(attempt: $0, followsCookie: followsCookie, isUsable: isUsable, eligible: eligible)
        }
    }

    @Test
    func `Without redispatch the same server is tried until the end`() {
        let policy = RetryPolicy(retries: 2, redispatches: false)
        #expect(story(policy, followsCookie: true) == [.sameServer, .sameServer, .giveUp])
        #expect(story(policy, followsCookie: false) == [.sameServer, .sameServer, .giveUp])
    }

    @Test
    func `With redispatch a cookie holds until the last retry`() {
        let policy = RetryPolicy(retries: 2, redispatches: true)
        #expect(story(policy, followsCookie: true) == [.sameServer, .anotherServer, .giveUp])
    }

    @Test
    func `With redispatch and no cookie the next server is tried at once`() {
        let policy = RetryPolicy(retries: 2, redispatches: true)
        #expect(story(policy, followsCookie: false) == [.anotherServer, .anotherServer, .giveUp])
        #expect(story(policy, followsCookie: false, eligible: 1) == [.sameServer, .anotherServer, .giveUp])
    }

    @Test
    func `A server that went down meanwhile is left at once`() {
        let policy = RetryPolicy(retries: 3, redispatches: true)
        #expect(story(policy, followsCookie: true, isUsable: false).first == .anotherServer)
    }

    @Test
    func `No retries means an answer at once`() {
        #expect(story(RetryPolicy(retries: 0, redispatches: true), followsCookie: true) == [.giveUp])
    }

    @Test
    func `The pause is a second, or the connect time-out if that is shorter`() {
        #expect(RetryPolicy.turnAround(connectTimeout: 5000) == 1000)
        #expect(RetryPolicy.turnAround(connectTimeout: 300) == 300)
    }
}

@Suite
struct ConnectPatienceTests {
    private func limit(_ attempt: Int, _ timeout: Int64, _ usual: UInt32 = 0, _ next: RetryPolicy.Step) -> Int64 {
        ConnectPatience.limit(attempt: attempt, timeout: timeout, usual: usual, next: next)
    }

    @Test
    func `Only an attempt that another server can follow is cut short, each later one less`() {
        #expect((0..<4).map { limit($0, 5000, 0, .anotherServer) } == [300, 600, 1200, 2400])
        #expect(limit(0, 5000, 0, .sameServer) == 5000)
        #expect(limit(3, 5000, 0, .giveUp) == 5000)
    }

    @Test
    func `No attempt outlives the time-out`() {
        #expect(limit(0, 200, 0, .anotherServer) == 200)
        #expect(limit(100, 5000, 0, .anotherServer) == 5000)
        #expect(limit(0, .max, .max, .anotherServer) > 300)
    }

    @Test
    func `A server that is far away is given the time that it usually takes, fourfold`() {
        var usual: UInt32 = 0
        for _ in 0..<100 { usual = ConnectPatience.smoothed(usual, sample: 200) }
        #expect(limit(0, 5000, usual, .anotherServer) == 800)
        for _ in 0..<100 { usual = ConnectPatience.smoothed(usual, sample: 0) }
        #expect(limit(0, 5000, usual, .anotherServer) == 300)
    }

    @Test
    func `One slow connection moves the usual time by an eighth`() {
        let usual = ConnectPatience.smoothed(ConnectPatience.smoothed(0, sample: 80), sample: 880)
        #expect(limit(0, 5000, usual, .anotherServer) == 4 * 180)
    }
}
