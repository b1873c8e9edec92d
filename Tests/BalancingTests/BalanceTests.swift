import Balancing
import ClusterModel
import Testing

@Suite
struct ActiveServersTests {
    private static let up = ServerCondition(admin: .ready, isHealthy: true, weight: 2)
    private static let down = ServerCondition(admin: .ready, isHealthy: false, weight: 2)
    private static let drain = ServerCondition(admin: .drain, isHealthy: true, weight: 2)
    private static let none = ServerCondition(admin: .ready, isHealthy: true, weight: 0)

    private func weights(
        main: [ServerCondition],
        backup: [ServerCondition],
        allBackups: Bool = false
    ) -> [Int] {
        let servers = main.map { ActiveServers.Candidate($0) } + backup.map { .init($0, isBackup: true) }
        return ActiveServers.weights(servers, allBackups: allBackups)
    }

    @Test
    func `Backups wait as long as a main server takes clients`() {
        #expect(weights(main: [Self.down, Self.up], backup: [Self.up]) == [0, 2, 0])
    }

    @Test(arguments: [down, drain, none])
    func `Without one the first backup that can stands in, or all of them`(main: ServerCondition) {
        let backups = [Self.down, Self.up, Self.up]
        #expect(weights(main: [main], backup: backups) == [0, 0, 2, 0])
        #expect(weights(main: [main], backup: backups, allBackups: true) == [0, 0, 2, 2])
    }

    @Test
    func `Backups alone are one server until it fails`() {
        #expect(weights(main: [], backup: [Self.up, Self.up]) == [2, 0])
        #expect(weights(main: [], backup: [Self.down, Self.up]) == [0, 2])
        #expect(weights(main: [Self.down], backup: [Self.down]) == [0, 0])
    }
}

@Suite
struct LeastLoadedTests {
    private func pick(_ weights: [UInt16], _ loads: [UInt32], from start: UInt32 = 0, avoiding: Int = -1) -> Int? {
        LeastLoaded.pick(weights.span, loads: loads.span, from: start, avoiding: avoiding)
    }

    @Test
    func `The fewest connections for the weight win`() {
        #expect(pick([1, 1, 1], [3, 1, 2]) == 1)
        #expect(pick([1, 4, 1], [1, 5, 2]) == 1)
        #expect(pick([256, 1], [300, 0]) == 1)
        #expect(pick([0, 1], [0, 100]) == 1)
    }

    @Test
    func `Equals take turns`() {
        #expect((0..<6).map { pick([1, 1, 1], [0, 0, 0], from: UInt32($0)) } == [0, 1, 2, 0, 1, 2])
    }

    @Test
    func `A failed server is passed over if there is another one`() {
        #expect(pick([1, 1], [0, 9], avoiding: 0) == 1)
        #expect(pick([1, 0], [0, 0], avoiding: 0) == 0)
        #expect(pick([0, 0], [0, 0]) == nil)
        #expect(pick([], []) == nil)
    }

    @Test
    func `Loads that follow the picks end up in proportion to the weights`() {
        var loads: [UInt32] = [0, 0, 0]
        for round in 0..<700 {
            guard let index = pick([1, 2, 4], loads, from: UInt32(round)) else { continue }
            loads[index] += 1
        }
        #expect(loads == [100, 200, 400])
    }

    @Test
    func `Of two drawn at random the one with fewer connections wins`() {
        let sequence: [UInt16] = [0, 1, 2]
        let weights: [UInt16] = [1, 1, 1]
        let loads: [UInt32] = [5, 1, 9]
        func draw(_ one: UInt32, _ other: UInt32, avoiding: Int = -1) -> Int? {
            LeastLoaded.pick(
                of: sequence.span,
                weights: weights.span,
                loads: loads.span,
                draws: (one, other),
                avoiding: avoiding
            )
        }
        #expect(draw(0, 2) == 0 && draw(2, 0) == 0 && draw(2, 1) == 1 && draw(2, 2) == 2)
        #expect(draw(1, 1, avoiding: 1) == 2)
    }
}

@Suite
struct HashTests {
    private static let servers = (0..<5).map { (name: "server\($0)", weight: 10) }

    private func shares(_ points: [RingPoint], clients: Int = 20_000) -> [Int] {
        var counts = [Int](repeating: 0, count: 5)
        for client in 0..<clients {
            if let row = HashRing.pick(points.span, hash: hash(client)) { counts[row] += 1 }
        }
        return counts
    }

    private func hash(_ client: Int) -> UInt32 {
        let bytes = [10, 0, UInt8(client >> 8 & 255), UInt8(client & 255), UInt8(client >> 16)]
        return ClientHash.of(bytes.span)
    }

    @Test
    func `The hash of a client never changes`() {
        let none: [UInt8] = []
        let address: [UInt8] = [192, 0, 2, 7]
        // Clients would move at an upgrade if these did.
        #expect(ClientHash.of(none.span) == 0xAB3E_7C0B)
        #expect(ClientHash.of(address.span) == 0xD557_2E79)
    }

    @Test
    func `Addresses next to each other are spread over all servers`() {
        let sequence: [UInt16] = [0, 1, 2]
        var counts = [0, 0, 0]
        for last in 0..<255 {
            var start = ClientHash.of([192, 0, 2, UInt8(last)].span)
            if let row = Selection.next(sequence.span, cursor: &start) { counts[row] += 1 }
        }
        #expect(counts.allSatisfy { (60...110).contains($0) }, "\(counts)")
    }

    @Test
    func `Only the path counts`() {
        let line = Array("/a/b?x=1 /a/b?y /a/c".utf8)
        let first = ClientHash.path(line.span, 0..<8)
        #expect(first == ClientHash.path(line.span, 9..<15))
        #expect(first == ClientHash.path(line.span, 0..<4))
        #expect(first != ClientHash.path(line.span, 16..<20))
    }

    @Test
    func `A ring gives every server about its share`() {
        let even = shares(HashRing.points(Self.servers))
        #expect(even.allSatisfy { (2500...5700).contains($0) }, "\(even)")
        var weighted = Self.servers
        weighted[0].weight = 40
        weighted[1].weight = 0
        let uneven = shares(HashRing.points(weighted))
        #expect(uneven[1] == 0 && uneven[0] > 9000 && uneven[0] < 14_500, "\(uneven)")
    }

    @Test
    func `A server that leaves moves its own clients only, and they come back with it`() {
        let all = HashRing.points(Self.servers)
        var fewer = Self.servers
        fewer[2].weight = 0
        let rest = HashRing.points(fewer)
        for client in 0..<5000 {
            let before = HashRing.pick(all.span, hash: hash(client))
            let after = HashRing.pick(rest.span, hash: hash(client))
            if before == 2 { #expect(after != 2) } else { #expect(before == after) }
            // A failed connection goes where the client would be without that server.
            if before == 2 { #expect(HashRing.pick(all.span, hash: hash(client), avoiding: 2) == after) }
        }
    }

    @Test
    func `Rings are bounded, and an empty one picks nobody`() {
        let heavy = HashRing.points((0..<256).map { (name: "s\($0)", weight: 256) })
        #expect(heavy.count <= HashRing.mostPoints && Set(heavy.map(\.row)).count == 256)
        let empty = HashRing.points([(name: "a", weight: 0)])
        #expect(HashRing.pick(empty.span, hash: 7) == nil)
        let alone = HashRing.points([(name: "a", weight: 1)])
        #expect(HashRing.pick(alone.span, hash: .max, avoiding: 0) == 0)
    }
}
