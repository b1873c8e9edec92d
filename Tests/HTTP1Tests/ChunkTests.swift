import HTTP1
import Testing

@Suite
struct ChunkTests {
    static let good = [
        "0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", "A\r\nhelloworld\r\n0\r\n\r\n", "00a\r\nhelloworld\r\n000\r\n\r\n",
        "5;ext=value\r\nhello\r\n0;last\r\n\r\n", "1\r\n\n\r\n0\r\nX-Trailer: a b\r\nY:\r\n\r\n",
    ]

    static let bad = [
        "\r\n", "5 \r\nhello\r\n0\r\n\r\n", " 5\r\nhello\r\n0\r\n\r\n", "+5\r\nhello\r\n", "-1\r\n", "1_0\r\n",
        "0x5\r\n",
        "5\nhello\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhello!!\r\n0\r\n\r\n", "5;a\nb\r\nhello\r\n0\r\n\r\n",
        "FFFFFFFFFFFFFFFF0\r\n", "g\r\n", "0\r\nbad trailer\r\n\r\n", "0\r\nX: a\nY: b\r\n\r\n", "0\r\n\rX",
        "0\r\n: x\r\n\r\n", "5;" + String(repeating: "x", count: 2000) + "\r\n",
        "0\r\n" + String(repeating: "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", count: 300),
    ]

    @Test(arguments: good)
    func `A chunked body ends where it says, however it is cut`(text: String) {
        let bytes = Array((text + "GET").utf8)
        let end = bytes.count - 3
        for cut in 0...bytes.count {
            var scanner = ChunkScanner()
            let first = Array(bytes[..<cut])
            let second = Array(bytes[cut...])
            switch scanner.scan(first.span) {
            case .finished(let at): #expect(at == end && cut >= end)
            case .malformed: Issue.record("malformed at cut \(cut)")
            case .more:
                #expect(cut < end)
                let outcome = scanner.scan(second.span)
                #expect(outcome == .finished(end: end - cut))
            }
        }
    }

    @Test(arguments: bad)
    func `A malformed body is told, however it is cut`(text: String) {
        let bytes = Array(text.utf8)
        for cut in stride(from: 0, through: bytes.count, by: max(1, bytes.count / 50)) {
            var scanner = ChunkScanner()
            let first = Array(bytes[..<cut])
            let second = Array(bytes[cut...])
            var outcome = scanner.scan(first.span)
            if outcome == .more { outcome = scanner.scan(second.span) }
            #expect(outcome == .malformed)
        }
    }
}
