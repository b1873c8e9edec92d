import HTTP1
import Testing

/// What a parser of hostile input must never do: depend on how bytes arrive, or trap.
@Suite
struct RobustnessTests {
    private static let requests = [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\nPOST http://a.test/x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\nCookie: a=1; SRV=A\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close, X-Y\r\nX-Y: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
    ]

    @Test(arguments: requests)
    func `A request that is cut anywhere is incomplete until its last byte`(text: String) {
        let bytes = Array(text.utf8)
        for cut in 0..<bytes.count {
            #expect(HeadReading.request(Array(bytes[..<cut])).progress == .incomplete, "cut at \(cut)")
        }
        #expect(HeadReading.request(bytes).progress == .complete(end: bytes.count))
        #expect(HeadReading.request(bytes + Array("rest".utf8)).progress == .complete(end: bytes.count))
    }

    @Test
    func `A reused head forgets the one before`() {
        var head = RequestHead()
        let first = Array(Self.requests[2].utf8)
        let second = Array(Self.requests[0].utf8)
        _ = head.read(first.span)
        let progress = head.read(second.span)
        #expect(progress == .complete(end: second.count))
        #expect(head.framing == .none && head.keepsAlive && !head.nominates && !head.hasCookie && head.method == .get)
    }

    @Test
    func `Random and mutated bytes never trap, and what is taken can be written`() {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        func random() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: 65_536)
        defer { memory.deallocate() }
        let name = Array("SRV".utf8)
        var taken = 0
        for round in 0..<20_000 {
            var bytes = Array(Self.requests[round % Self.requests.count].utf8)
            if round % 5 == 0 {
                bytes = (0..<Int(random() % 200)).map { _ in UInt8(truncatingIfNeeded: random()) }
            } else {
                for _ in 0..<(1 + random() % 3) {
                    let at = Int(random() % UInt64(bytes.count))
                    switch random() % 3 {
                    case 0: bytes[at] = UInt8(truncatingIfNeeded: random())
                    case 1: bytes.remove(at: at)
                    default: bytes.insert(UInt8(truncatingIfNeeded: random() % 128), at: at)
                    }
                }
            }
            var head = RequestHead()
            if case .complete(let end) = head.read(bytes.span) {
                taken += 1
                #expect(end <= bytes.count)
                var writer = HeadWriter(base: memory, capacity: 65_536)
                head.write(
                    bytes.span,
                    edits: RequestEdits(cookie: name.span, .removed, forwardedFor: name.span),
                    into: &writer
                )
                // What we send must be what we would take ourselves.
                let written = Array(UnsafeBufferPointer(start: memory, count: writer.count))
                #expect(HeadReading.request(written).progress == .complete(end: written.count))
            }
            var response = ResponseHead()
            _ = response.read(bytes.span, to: .get)
            var scanner = ChunkScanner()
            _ = scanner.scan(bytes.span)
        }
        #expect(taken > 100)
    }
}
