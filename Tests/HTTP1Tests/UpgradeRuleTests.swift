import HTTP1
import Testing

/// Changes of protocol (RFC 9110 §7.8).
@Suite
struct UpgradeRuleTests {
    private func asked(_ fields: String, line: String = "GET /ws HTTP/1.1") -> RequestHead {
        HeadReading.request("\(line)\r\nHost: a\r\n\(fields)\r\n").head
    }

    @Test
    func `A request for another protocol passes with its two fields, and what else concerns the hop does not`() {
        let text =
            "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, UPGRADE, X-Foo\r\nX-Foo: 1\r\nUpgrade: WebSocket\r\n"
            + "Sec-WebSocket-Key: x\r\n\r\n"
        #expect(
            HeadReading.forwarded(text)
                == "GET /ws HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: x\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n"
        )
        #expect(asked("Connection: Upgrade\r\nUpgrade: websocket\r\n").wantsUpgrade)
        #expect(asked("Upgrade: tls/1.2\r\nConnection: upgrade\r\n").wantsUpgrade)
    }

    @Test(arguments: [
        "Upgrade: websocket\r\n", "Connection: Upgrade\r\n", "Connection: Upgrade\r\nUpgrade: h2c\r\n",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: H2C\r\nHTTP2-Settings: x\r\n",
        "Connection: Upgrade\r\nUpgrade: HTTP/2.0\r\n", "Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n", "Connection: Upgrade\r\nUpgrade:\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n",
        "Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n",
    ])
    func `What is not asked for in full, or leads past the rules, is not passed on`(fields: String) {
        #expect(!asked(fields).wantsUpgrade)
        let forwarded = HeadReading.forwarded("GET /ws HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
        #expect(forwarded?.contains("pgrade") == false)
    }

    @Test
    func `HTTP 1_0 knows no other protocol, and a reused head forgets the one before`() {
        let fields = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
        #expect(!asked(fields, line: "GET /ws HTTP/1.0").wantsUpgrade)
        var head = RequestHead()
        let first = Array("GET /ws HTTP/1.1\r\nHost: a\r\n\(fields)\r\n".utf8)
        let second = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        _ = head.read(first.span)
        #expect(head.wantsUpgrade)
        _ = head.read(second.span)
        #expect(!head.wantsUpgrade)
    }

    @Test
    func `The server's consent passes with its two fields, and what follows is no HTTP`() {
        let text =
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade, x\r\nX: 1\r\n"
            + "Sec-WebSocket-Accept: y\r\n\r\n"
        let head = HeadReading.response(text, mayUpgrade: true).head
        #expect(head.switchesProtocol && !head.isInterim && head.framing == .untilClose && !head.keepsAlive)
        #expect(
            HeadReading.returned(text, mayUpgrade: true, sets: "SRV=A; path=/")
                == "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: y\r\nSet-Cookie: SRV=A; path=/\r\n"
                + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        )
    }

    @Test(arguments: [
        ("HTTP/1.1", "Upgrade: websocket\r\nConnection: Upgrade\r\n", false),
        ("HTTP/1.0", "Upgrade: websocket\r\nConnection: Upgrade\r\n", true),
        ("HTTP/1.1", "Upgrade: websocket\r\n", true), ("HTTP/1.1", "Connection: Upgrade\r\n", true),
        ("HTTP/1.1", "Upgrade: h2c\r\nConnection: Upgrade\r\n", true),
        ("HTTP/1.1", "Upgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 5\r\n", true),
        ("HTTP/1.1", "Upgrade: websocket\r\nConnection: Upgrade\r\nTransfer-Encoding: chunked\r\n", true),
    ])
    func `Consent that nobody asked for, or that is incomplete, is refused`(
        version: String,
        fields: String,
        mayUpgrade: Bool
    ) {
        let text = "\(version) 101 Switching Protocols\r\n\(fields)\r\n"
        #expect(HeadReading.response(text, mayUpgrade: mayUpgrade).progress == .refused(.connection))
    }
}
