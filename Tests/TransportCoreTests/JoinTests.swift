import Bytes
import ClusterModel
import Testing

@testable import TransportCore

@Suite
struct JoinTests {
    private static let name = Random128(high: 1, low: 2)

    private static func token() throws -> JoinToken {
        let endpoints = ["10.0.0.1:5480", "[2001:db8::1]:5481"].compactMap { Endpoint($0) }
        return try #require(JoinToken(secret: Array(0..<32), endpoints: endpoints, clusterName: "stack-1"))
    }

    private static func header(_ attempt: UInt64, _ token: Random128 = name) -> JoinHeader {
        JoinHeader(kind: .joinRequest, token: token, attempt: .init(high: 0, low: attempt), counter: 1, salt: 0)
    }

    @Test
    func `A token is one line that comes back whole and hides its secret`() throws {
        let token = try Self.token()
        #expect(
            token.text
                == "haven-join-1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8CBAoAAAEVaBAgAQ24AAAAAAAAAAAAAAAB"
                + "FWlzdGFjay0x"
                + token.text.suffix(6)
        )
        #expect(JoinToken(text: "  \(token.text)\n") == token)
        #expect("\(token)" == "join token of stack-1")
        #expect(token.text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
    }

    @Test
    func `A token with any character changed, cut or added is none`() throws {
        let text = try Self.token().text
        for index in text.indices {
            var wrong = text
            wrong.replaceSubrange(index...index, with: text[index] == "A" ? "B" : "A")
            #expect(JoinToken(text: wrong) == nil, "\(wrong)")
            #expect(JoinToken(text: String(text[..<index])) == nil)
        }
        #expect(JoinToken(text: text + "AA") == nil)
        #expect(JoinToken(text: text + String(repeating: "A", count: 5000)) == nil)
    }

    @Test
    func `One token serves one attempt, and is worthless once its document was received`() throws {
        var table = JoinTable()
        #expect(table.open(Self.name, now: .zero) == true)
        let request = JoinRequestContent(part: 0, payload: [1])
        #expect(table.admits(Self.header(1), now: .zero) == true)
        #expect(table.accept(Self.header(1), request, now: .zero) == .decide)
        #expect(table.accept(Self.header(1), request, now: .zero) == .answer(.init(status: .pending)))
        let used = JoinTable.Outcome.answer(.init(status: .refused, sentence: JoinRefusal.used.sentence))
        #expect(table.accept(Self.header(2), request, now: .zero) == used)
        // The second attempt cannot be settled.
        table.settle(Self.name, attempt: .init(high: 0, low: 2), .success([6]))
        #expect(table.accept(Self.header(1), request, now: .zero) == .answer(.init(status: .pending)))
        let document = [UInt8](repeating: 9, count: TransportLimit.payload + 1)
        table.settle(Self.name, attempt: .init(high: 0, low: 1), .success(document))
        let parts = try (0..<2).map { try #require(JoinResponseContent(document: document, part: $0)) }
        for part in parts {
            let ask = JoinRequestContent(part: part.part, payload: [1])
            #expect(table.accept(Self.header(1), ask, now: .zero) == .answer(part))
        }
        #expect(table.accept(Self.header(2), request, now: .zero) == used)
        #expect(table.accept(Self.header(1), .init(part: 2, payload: [1]), now: .zero) == .silent)
        let receipt = JoinRequestContent(part: JoinRequestContent.received, payload: [1])
        #expect(table.accept(Self.header(1), receipt, now: .zero) == .silent)
        #expect(table.accept(Self.header(1), request, now: .zero) == used)
    }

    @Test
    func `Tokens end after fifteen minutes or when revoked, and are bounded`() {
        var table = JoinTable()
        for index in 0..<UInt64(JoinLimit.tokens) {
            #expect(table.open(.init(high: 0, low: index), now: .zero) == true)
        }
        #expect(table.open(Self.name, now: .zero) == false)
        let first = Self.header(1, .init(high: 0, low: 0))
        #expect(table.admits(first, now: .zero + JoinLimit.tokenTime - .nanoseconds(1)) == true)
        #expect(table.admits(first, now: .zero + JoinLimit.tokenTime) == false)
        #expect(table.nextDeadline == Instant.zero + JoinLimit.tokenTime)
        table.revoke(.init(high: 0, low: 0))
        #expect(table.admits(first, now: .zero) == false)
        #expect(table.open(Self.name, now: .zero) == true)
        table.expire(now: .zero + JoinLimit.tokenTime)
        #expect(table.tokens.isEmpty)
    }

    @Test
    func `Join datagrams are these bytes, and a request is never smaller than its answer`() throws {
        let header = JoinHeader(
            kind: .joinRequest,
            token: .init(high: 1, low: 2),
            attempt: .init(high: 3, low: 4),
            counter: 5,
            salt: 6
        )
        var writer = ByteWriter()
        header.encode(into: &writer)
        let golden = [
            "04",  // version
            "20",  // kind: join request
            "00000000000000010000000000000002",  // token's name
            "00000000000000030000000000000004",  // attempt
            "0000000000000005",  // counter
            "00000006",  // salt
        ].joined()
        #expect(Hex.encode(writer.bytes) == golden)
        #expect(writer.bytes.count == JoinHeader.size)
        var request = ByteWriter()
        JoinRequestContent(part: 3, payload: [7, 8]).encode(into: &request)
        let document = [UInt8](repeating: 1, count: JoinLimit.document)
        var response = ByteWriter()
        try #require(JoinResponseContent(document: document, part: 0)).encode(into: &response)
        #expect(request.bytes.count == response.bytes.count)
        #expect(try JoinRequestContent(parsing: request.bytes.span.bytes) == .init(part: 3, payload: [7, 8]))
        #expect(JoinResponseContent(document: document + [1], part: 0) == nil)
        #expect(JoinResponseContent(document: document, part: 55) == nil)
    }
}
