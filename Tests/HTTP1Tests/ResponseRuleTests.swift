import HTTP1
import Testing

@Suite
struct ResponseRuleTests {
    @Test
    func `The body's end is known by status, method and fields`() {
        func framing(_ line: String, _ fields: String, to method: Method = .get) -> Framing {
            HeadReading.response("HTTP/1.1 \(line)\r\n\(fields)\r\n", to: method).head.framing
        }
        #expect(framing("200 OK", "Content-Length: 5\r\n") == .length)
        #expect(framing("200 OK", "Transfer-Encoding: chunked\r\n") == .chunked)
        #expect(framing("200 OK", "") == .untilClose)
        #expect(framing("200 OK", "Content-Length: 5\r\n", to: .head) == .none)
        #expect(framing("204 No Content", "") == .none)
        #expect(framing("304 Not Modified", "Content-Length: 5\r\n") == .none)
        #expect(framing("100 Continue", "") == .none)
    }

    @Test(arguments: [Method.get, .head])
    func `A length beside a coding, or a second length, could be read in two ways`(method: Method) {
        let both = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(HeadReading.response(both, to: method).progress == .refused(.lengthAndCoding))
        let twice = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n"
        #expect(HeadReading.response(twice, to: method).progress == .refused(.contentLength))
    }

    @Test(arguments: [
        "HTTP/1.1 2xx\r\n\r\n", "HTTP/1.1 20\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "ICY 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\nX: 1\r\n\r\n", "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1 099 X\r\n\r\n",
    ])
    func `A response that is no HTTP is refused`(text: String) {
        guard case .refused = HeadReading.response(text).progress else {
            Issue.record("taken: \(text)")
            return
        }
    }

    @Test
    func `Reasons may be empty or missing`() {
        #expect(HeadReading.response("HTTP/1.1 200\r\n\r\n").head.status == 200)
        #expect(HeadReading.response("HTTP/1.1 404 \r\n\r\n").head.status == 404)
    }

    @Test
    func `Persistence follows version and Connection`() {
        func keeps(_ text: String) -> Bool { HeadReading.response(text + "Content-Length: 0\r\n\r\n").head.keepsAlive }
        #expect(keeps("HTTP/1.1 200 OK\r\n"))
        #expect(!keeps("HTTP/1.1 200 OK\r\nConnection: close\r\n"))
        #expect(!keeps("HTTP/1.0 200 OK\r\n"))
        #expect(keeps("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n"))
    }
}
