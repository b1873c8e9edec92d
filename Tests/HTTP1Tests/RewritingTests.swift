import HTTP1
import Testing

@Suite
struct RewritingTests {
    @Test
    func `A request keeps its lines, and gets framing and address of our own`() {
        let text = "POST /a?b HTTP/1.1\r\nHost: a.test\r\nX-One:  1 \r\ncontent-length:  5\r\nX-Two: 2\r\n\r\n"
        let expected =
            "POST /a?b HTTP/1.1\r\nHost: a.test\r\nX-One:  1\r\nX-Two: 2\r\nContent-Length: 5\r\n"
            + "X-Forwarded-For: 192.0.2.7\r\n\r\n"
        #expect(HeadReading.forwarded(text, address: "192.0.2.7") == expected)
    }

    @Test
    func `What concerns one hop only is not passed on`() {
        let text =
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Foo\r\nX-Foo: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\n"
            + "Proxy-Connection: keep-alive\r\nUpgrade: websocket\r\nHTTP2-Settings: x\r\nX-Bar: 2\r\n\r\n"
        #expect(HeadReading.forwarded(text) == "GET / HTTP/1.1\r\nHost: a\r\nX-Bar: 2\r\n\r\n")
    }

    @Test(arguments: [
        ("http://a.test/x?y", "/x?y"), ("HTTP://A.test", "/"), ("http://a.test?q", "/?q"), ("/plain", "/plain"),
    ])
    func `An absolute target becomes a path`(target: String, path: String) {
        let text = "GET \(target) HTTP/1.1\r\nHost: a.test\r\n\r\n"
        #expect(HeadReading.forwarded(text) == "GET \(path) HTTP/1.1\r\nHost: a.test\r\n\r\n")
    }

    @Test
    func `HTTP 1_0 stays HTTP 1_0 and knows no interim responses`() {
        let text = "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        #expect(HeadReading.forwarded(text) == "POST / HTTP/1.0\r\nContent-Length: 5\r\nConnection: close\r\n\r\n")
    }

    @Test(arguments: [
        ("SRV=A", nil), ("x=1; SRV=B; y=2", "x=1; y=2"), ("SRV=A; SRV=B", nil), ("SRVX=1; aSRV=2", "SRVX=1; aSRV=2"),
        ("srv=1", "srv=1"), ("SRV = A;z=1", "z=1"), ("a=1;;SRV=;b", "a=1; b"), ("SRV", "SRV"),
    ])
    func `The persistence cookie is taken out, the others stay`(value: String, left: String?) {
        let text = "GET / HTTP/1.1\r\nHost: a\r\nCookie: \(value)\r\n\r\n"
        let line = left.map { "Cookie: \($0)\r\n" } ?? ""
        #expect(HeadReading.forwarded(text, cookie: "SRV") == "GET / HTTP/1.1\r\nHost: a\r\n\(line)\r\n")
    }

    @Test(arguments: [
        ("SRV=A", "A"), ("x=1; SRV=B; y=2", "B"), ("SRV=A; SRV=B", "A"), ("SRV=", ""), ("SRV=a=b", "a=b"),
    ])
    func `The first cookie of that name counts`(value: String, found: String) throws {
        let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\nCookie: \(value)\r\n\r\n".utf8)
        let head = HeadReading.request(bytes).head
        let name = Array("SRV".utf8)
        let first = CookieScan.find(name.span, in: head, bytes.span)
        let range = try #require(first)
        #expect(String(decoding: bytes[range], as: UTF8.self) == found)
    }

    @Test
    func `A response gets our version, framing and cookie`() {
        let text = "HTTP/1.0 200 Fine\r\nContent-Length: 3\r\nX: 1\r\nConnection: close\r\nSet-Cookie: SRV=app\r\n\r\n"
        let expected =
            "HTTP/1.1 200 Fine\r\nX: 1\r\nContent-Length: 3\r\nSet-Cookie: SRV=A; path=/\r\nConnection: close\r\n\r\n"
        #expect(HeadReading.returned(text, cookie: "SRV", sets: "SRV=A; path=/", connection: .close) == expected)
    }

    @Test(arguments: [
        ("Cache-Control: max-age=60", true), ("Cache-Control: public, max-age=5", true), ("ETag: x", true),
        ("Expires: Thu, 01 Jan 2099 00:00:00 GMT", true), ("Last-Modified: x", true),
        ("Cache-Control: private", false), ("Cache-Control: no-store\r\nETag: x", false), ("X: 1", false),
    ])
    func `A cacheable response that sets the cookie becomes private`(field: String, isMarked: Bool) throws {
        let text = "HTTP/1.1 200 OK\r\n\(field)\r\nContent-Length: 0\r\n\r\n"
        let marked = try #require(HeadReading.returned(text, cookie: "S", sets: "S=A; path=/"))
        #expect(marked.contains("Cache-control: private") == isMarked)
        let toPost = try #require(HeadReading.returned(text, to: .other, cookie: "S", sets: "S=A; path=/"))
        #expect(!toPost.contains("Cache-control: private"))
        let known = try #require(HeadReading.returned(text, cookie: "S"))
        #expect(!known.contains("Cache-control: private"))
    }

    @Test
    func `Other cookies of the application pass`() throws {
        let text = "HTTP/1.1 200 OK\r\nSet-Cookie: SRV=; Path=/\r\nSet-Cookie: OTHER=1\r\nContent-Length: 0\r\n\r\n"
        let returned = try #require(HeadReading.returned(text, cookie: "SRV"))
        #expect(returned == "HTTP/1.1 200 OK\r\nSet-Cookie: OTHER=1\r\nContent-Length: 0\r\n\r\n")
    }

    @Test
    func `A head that does not fit is not written`() {
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: 8)
        defer { memory.deallocate() }
        var writer = HeadWriter(base: memory, capacity: 8)
        writer.append("1234567")
        writer.append(decimal: 12)
        writer.append("8")
        #expect(writer.overflowed && writer.count == 7)
    }
}
