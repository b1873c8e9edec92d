import ClusterModel
import Cryptography
import SealedTransport
import Testing
import TransportCore

/// A joiner and an issuer with a lossy network between them and an invented clock.
private final class Table {
    var issuer = JoinIssuer()
    var now = Instant.zero + .seconds(50)
    var requests: [JoinRequest] = []
    var lost: () -> Bool = { false }
    var recorded: [[UInt8]] = []
    let issuerEndpoint: Endpoint
    let joinerEndpoint: Endpoint

    init() throws {
        issuerEndpoint = try #require(Endpoint("10.0.0.1:5480"))
        joinerEndpoint = try #require(Endpoint("10.0.0.9:40000"))
    }

    func token() throws -> JoinToken {
        try #require(try issuer.issue(endpoints: [issuerEndpoint], clusterName: "stack", now: now)).token
    }

    /// The issuer's answer to one datagram.
    func ask(_ bytes: [UInt8]) -> [UInt8]? {
        recorded.append(bytes)
        var buffer = bytes
        var reply: [UInt8]?
        if let request = issuer.receive(&buffer, count: bytes.count, from: joinerEndpoint, now: now, reply: &reply) {
            requests.append(request)
        }
        if let reply { #expect(reply.count <= bytes.count, "an answer larger than its question") }
        return reply
    }

    /// Carries datagrams until the joiner has to wait.
    func exchange(_ client: inout JoinClient) {
        var waiting = client.tick(now: now).map(\.bytes)
        while let bytes = waiting.popLast() {
            guard !lost(), var answer = ask(bytes), !lost() else { continue }
            waiting += client.receive(&answer, count: answer.count, from: issuerEndpoint, now: now).map(\.bytes)
        }
    }

    func run(_ client: inout JoinClient, for duration: Duration) {
        let end = now + duration
        while now < end {
            exchange(&client)
            now = now + .milliseconds(50)
        }
    }
}

@Suite
struct JoinFlowTests {
    private static let document = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }

    private static func client(_ table: Table, _ token: JoinToken) throws -> JoinClient {
        try JoinClient(token, payload: Array("node-9".utf8), now: table.now, deadline: table.now + .seconds(30))
    }

    @Test
    func `A joiner asks, the cluster decides, and the document arrives whole`() throws {
        let table = try Table()
        var client = try Self.client(table, table.token())
        #expect(client.state == .waiting(answered: false))
        table.run(&client, for: .seconds(1))
        #expect(client.state == .waiting(answered: true))
        #expect(table.requests.map(\.payload) == [Array("node-9".utf8)])
        #expect(table.requests.first?.from == table.joinerEndpoint)
        table.issuer.settle(try #require(table.requests.first), .success(Self.document))
        table.run(&client, for: .seconds(1))
        #expect(client.state == .joined(Self.document))
        #expect(client.nextDeadline == nil)
    }

    @Test
    func `It works with a third of all datagrams lost`() throws {
        let table = try Table()
        var generator = SeededGenerator(seed: 8)
        table.lost = { Int.random(in: 0..<3, using: &generator) == 0 }
        var client = try Self.client(table, table.token())
        table.run(&client, for: .seconds(3))
        table.issuer.settle(try #require(table.requests.first), .success(Self.document))
        table.run(&client, for: .seconds(20))
        #expect(client.state == .joined(Self.document))
        #expect(table.requests.count == 1)
    }

    @Test
    func `A used token is refused with a reason, and gives no second document`() throws {
        let table = try Table()
        let token = try table.token()
        var first = try Self.client(table, token)
        table.run(&first, for: .milliseconds(300))
        table.issuer.settle(try #require(table.requests.first), .success(Self.document))
        var thief = try Self.client(table, token)
        table.run(&thief, for: .milliseconds(300))
        #expect(thief.state == .refused(JoinRefusal.used.sentence))
        table.run(&first, for: .seconds(1))
        #expect(first.state == .joined(Self.document))
        // Everything that the first joiner sent, once more: "used", never the document.
        for bytes in table.recorded {
            if let answer = table.ask(bytes) { #expect(answer.count < 300) }
        }
        #expect(table.requests.count == 1)
    }

    @Test
    func `A refusal reaches the joiner as a sentence`() throws {
        let table = try Table()
        var client = try Self.client(table, table.token())
        table.run(&client, for: .milliseconds(300))
        table.issuer.settle(try #require(table.requests.first), .failure(JoinRefusal("the cluster has no quorum")))
        table.run(&client, for: .milliseconds(300))
        #expect(client.state == .refused("the cluster has no quorum"))
    }

    @Test
    func `A token that is wrong, revoked or too old is answered by nothing, and the joiner gives up in time`() throws {
        let table = try Table()
        let endpoint = table.issuerEndpoint
        let wrong = try #require(
            JoinToken(secret: [UInt8](repeating: 1, count: 32), endpoints: [endpoint], clusterName: "x")
        )
        let revoked = try #require(try table.issuer.issue(endpoints: [endpoint], clusterName: "x", now: table.now))
        table.issuer.revoke(revoked.name)
        let old = try table.token()
        table.now = table.now + JoinLimit.tokenTime
        table.issuer.tick(now: table.now)
        for token in [wrong, revoked.token, old] {
            var client = try Self.client(table, token)
            table.run(&client, for: .seconds(31))
            #expect(client.state == .timedOut(answered: false))
        }
        #expect(table.requests.isEmpty)
        #expect(table.issuer.dropped > 100)
        #expect(table.issuer.tokens.isEmpty)
    }

    @Test
    func `Forged, cut and random datagrams change nothing on either side`() throws {
        let table = try Table()
        var client = try Self.client(table, table.token())
        let question = try #require(client.tick(now: table.now).first).bytes
        for bit in stride(from: 0, to: question.count * 8, by: 3) {
            var forged = question
            forged[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(table.ask(forged) == nil)
            table.now = table.now + .milliseconds(5)
        }
        for count in stride(from: 0, to: question.count, by: 7) { #expect(table.ask(Array(question[..<count])) == nil) }
        #expect(table.requests.isEmpty)
        let answer = try #require(table.ask(question))
        for bit in 0..<(answer.count * 8) {
            var forged = answer
            forged[bit / 8] ^= 1 << UInt8(bit % 8)
            let count = forged.count
            let more = client.receive(&forged, count: count, from: table.issuerEndpoint, now: table.now).count
            #expect(more == 0)
        }
        #expect(client.state == .waiting(answered: false))
    }

    @Test
    func `The issuer opens no more than its bound of tokens`() throws {
        let table = try Table()
        for _ in 0..<JoinLimit.tokens { _ = try table.token() }
        #expect(try table.issuer.issue(endpoints: [table.issuerEndpoint], clusterName: "x", now: table.now) == nil)
    }
}
