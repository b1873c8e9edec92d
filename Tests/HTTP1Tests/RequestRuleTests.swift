import HTTP1
import Testing

/// One rule of RFC 9112 (or 9110) each.
@Suite
struct RequestRuleTests {
    private static let rest = "Host: a.test\r\n\r\n"

    @Test(arguments: [
        // RFC 9112 §3: one space on each side, nothing else.
        ("GET  / HTTP/1.1\r\n", HeadFault.target),
        ("GET\t/ HTTP/1.1\r\n", .startLine),
        (" GET / HTTP/1.1\r\n", .startLine),
        ("GET / HTTP/1.1 \r\n", .startLine),
        ("GET /\r\n", .startLine),
        ("G@T / HTTP/1.1\r\n", .startLine),
        ("AVERYVERYVERYLONGMETHODNAME / HTTP/1.1\r\n", .startLine),
        // §2.2: line ends.
        ("GET / HTTP/1.1\n", .bareLineEnd),
        ("GET / HTTP/1.1\rX", .bareLineEnd),
        ("\rGET / HTTP/1.1\r\n", .bareLineEnd),
        // §2.3: versions.
        ("GET / HTTP/1\r\n", .startLine),
        ("GET / HTTP/ 1.1\r\n", .startLine),
        ("GET / http/1.1\r\n", .startLine),
        ("GET / HTTP/2.0\r\n", .version),
        ("GET / HTTP/0.9\r\n", .version),
        // §3.2: targets.
        ("GET /a#b HTTP/1.1\r\n", .target),
        ("GET /\u{7F} HTTP/1.1\r\n", .target),
        ("GET /\u{0} HTTP/1.1\r\n", .target),
        ("GET /\u{E9} HTTP/1.1\r\n", .target),
        ("GET a HTTP/1.1\r\n", .target),
        ("GET * HTTP/1.1\r\n", .target),
        ("GET ftp://a.test/ HTTP/1.1\r\n", .target),
        ("GET http:///x HTTP/1.1\r\n", .target),
        ("GET http://u@a.test/ HTTP/1.1\r\n", .target),
        ("GET http://b.test/ HTTP/1.1\r\n", .hostMismatch),
        // Methods that are not relayed.
        ("CONNECT a.test:443 HTTP/1.1\r\n", .method),
        ("TRACE / HTTP/1.1\r\n", .forbiddenMethod),
    ])
    func `A request line that breaks a rule is refused`(line: String, fault: HeadFault) {
        #expect(HeadReading.request(line + Self.rest).progress == .refused(fault))
    }

    @Test(arguments: [
        // RFC 9112 §5.1, §5.2.
        ("X : a\r\n", HeadFault.fieldName),
        ("X\t: a\r\n", .fieldName),
        (": a\r\n", .fieldName),
        ("Bad[Name: a\r\n", .fieldName),
        ("X\u{E9}: a\r\n", .fieldName),
        ("no colon\r\n", .fieldName),
        (" X: a\r\n", .folded),
        ("X: a\r\n b\r\n", .folded),
        ("X: a\u{0}b\r\n", .fieldValue),
        ("X: a\u{7F}b\r\n", .fieldValue),
        ("X: aaaaaaaaaaaaaaaaaa\u{1}b\r\n", .fieldValue),
        ("X: a\nY: b\r\n", .bareLineEnd),
        ("X: a\rY: b\r\n", .bareLineEnd),
        // §6.1 to §6.3.
        ("Content-Length: 5\r\nContent-Length: 6\r\n", .contentLength),
        ("Content-Length: 5, 5\r\n", .contentLength),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", .contentLength),
        ("Content-Length: +5\r\n", .contentLength),
        ("Content-Length: -1\r\n", .contentLength),
        ("Content-Length: 0x5\r\n", .contentLength),
        ("Content-Length: 05\r\n", .contentLength),
        ("Content-Length: 1_0\r\n", .contentLength),
        ("Content-Length:\r\n", .contentLength),
        ("Content-Length: 9223372036854775808\r\n", .contentLength),
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", .lengthAndCoding),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", .transferCoding),
        ("Transfer-Encoding:\r\n", .transferCoding),
        ("Transfer-Encoding: chunked,\r\n", .transferCoding),
        ("Transfer-Encoding: \u{0B}chunked\r\n", .fieldValue),
        ("Transfer-Encoding: gzip\r\n", .unknownCoding),
        ("Transfer-Encoding: gzip, chunked\r\n", .unknownCoding),
        ("Transfer-Encoding: xchunked\r\n", .unknownCoding),
        ("Transfer_Encoding: chunked\r\n", .transferCoding),
        ("Content_Length: 5\r\n", .transferCoding),
        // RFC 9110 §7.2, §7.6.1, §10.1.1.
        ("Host: b.test\r\n", .hostCount),
        ("Connection: close, Content-Length\r\n", .connection),
        ("Connection: Host\r\n", .connection),
        ("Connection: a b\r\n", .connection),
        ("Expect: 200-ok\r\n", .expectation),
    ])
    func `A field that breaks a rule is refused`(field: String, fault: HeadFault) {
        #expect(HeadReading.request("POST / HTTP/1.1\r\n" + field + Self.rest).progress == .refused(fault))
    }

    @Test(arguments: ["", "a b", "u@a.test", "a.test,b.test", "a:b", "a:1234567", "[::1", "[]", "[g::]", "a/b"])
    func `A Host that is no host is refused`(host: String) {
        #expect(HeadReading.request("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n").progress == .refused(.host))
    }

    @Test(arguments: ["a", "a.test:", "a.test:8080", "127.0.0.1", "[::1]:80", "[2001:db8::1]", "x_y.test", "a%20b"])
    func `Hosts of every form are taken`(host: String) {
        #expect(isComplete(HeadReading.request("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n").progress))
    }

    @Test
    func `HTTP 1_1 needs a Host, HTTP 1_0 does not`() {
        #expect(HeadReading.request("GET / HTTP/1.1\r\n\r\n").progress == .refused(.hostCount))
        #expect(isComplete(HeadReading.request("GET / HTTP/1.0\r\n\r\n").progress))
    }

    @Test
    func `Transfer codings of HTTP 1_0 are refused`() {
        let text = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(HeadReading.request(text).progress == .refused(.transferCoding))
    }

    @Test
    func `Framing, version and persistence are understood`() {
        let length = HeadReading.request("PUT /x HTTP/1.1\r\ncontent-LENGTH: \t42 \r\n" + Self.rest).head
        #expect(length.framing == .length && length.contentLength == 42 && length.method == .idempotent)
        let chunked = HeadReading.request("POST /x HTTP/1.1\r\ntransfer-encoding: CHUNKED\r\n" + Self.rest).head
        #expect(chunked.framing == .chunked && chunked.method == .post && chunked.keepsAlive)
        let closing = HeadReading.request("HEAD /x HTTP/1.1\r\nConnection: keep-alive, Close\r\n" + Self.rest).head
        #expect(closing.framing == .none && closing.method == .head && !closing.keepsAlive)
        let old = HeadReading.request("GET /x HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").head
        #expect(old.minorVersion == 0 && old.keepsAlive)
        #expect(!HeadReading.request("GET /x HTTP/1.0\r\n\r\n").head.keepsAlive)
        #expect(HeadReading.request("GET /x HTTP/1.9\r\n" + Self.rest).head.minorVersion == 1)
    }

    @Test
    func `Empty lines before a request are skipped`() {
        #expect(HeadReading.request("\r\n\r\nGET / HTTP/1.1\r\n" + Self.rest).progress == .complete(end: 4 + 16 + 16))
    }

    @Test
    func `Heads beyond the limits are refused as such`() {
        let long = String(repeating: "a", count: HeadLimits.headBytes)
        #expect(HeadReading.request("GET /\(long) HTTP/1.1\r\n").progress == .refused(.targetTooLong))
        #expect(HeadReading.request("GET / HTTP/1.1\r\nX: \(long)\r\n\r\n").progress == .refused(.headTooLong))
        let many = String(repeating: "X: a\r\n", count: HeadLimits.fields)
        #expect(HeadReading.request("GET / HTTP/1.1\r\n\(many)\(Self.rest)").progress == .refused(.tooManyFields))
        let most = String(repeating: "X: a\r\n", count: HeadLimits.fields - 1)
        #expect(isComplete(HeadReading.request("GET / HTTP/1.1\r\n\(most)\(Self.rest)").progress))
    }

    private func isComplete(_ progress: HeadProgress) -> Bool {
        if case .complete = progress { true } else { false }
    }
}
