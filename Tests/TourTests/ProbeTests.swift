import Testing

@testable import Tour

@Suite
struct ProbeTests {
    @Test(
        arguments: [
            .good(host: "ctl1"), .moved(from: "ctl1", to: "ctl2"), .none(reason: "no-answer"),
            .wrong(reason: "status-503"),
        ] as [ProbeRecord.Outcome]
    )
    func `A record is read back from its line`(outcome: ProbeRecord.Outcome) {
        let record = ProbeRecord(began: 17, ended: 29, outcome: outcome, session: 3)
        #expect(ProbeRecord(line: record.line[...]) == record)
    }

    @Test(arguments: ["", "1 2 0 good", "1 2 0 good ctl1 ctl2", "x 2 0 good ctl1", "1 2 arp -", "1 2 0 bad ctl1"])
    func `What is no record is none`(line: String) {
        #expect(ProbeRecord(line: line[...]) == nil)
    }

    private func read(_ text: String) -> ProbeAnswer.Reading {
        ProbeAnswer.read(Array(text.utf8), cookieName: "SERVERID")
    }

    @Test
    func `An answer names its host, repeats the question's number and may set the session's cookie`() {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nset-cookie: SERVERID=ctl2; path=/\r\n\r\nctl2 77\n"
        let answer = ProbeAnswer(status: 200, cookie: "ctl2", host: "ctl2", number: "77")
        #expect(read(text) == .complete(answer))
    }

    @Test
    func `Another cookie is none of ours`() {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nSet-Cookie: OTHER=x\r\n\r\nctl2 7\n"
        #expect(read(text) == .complete(ProbeAnswer(status: 200, cookie: nil, host: "ctl2", number: "7")))
    }

    @Test
    func `Every beginning of an answer waits for the rest`() {
        let text = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nfull"
        for length in 0..<text.utf8.count {
            #expect(read(String(decoding: Array(text.utf8.prefix(length)), as: UTF8.self)) == .incomplete)
        }
        #expect(read(text) == .complete(ProbeAnswer(status: 503, cookie: nil, host: "full", number: "")))
    }

    @Test(arguments: ["SSH-2.0-x\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"])
    func `What is no HTTP answer is told apart from one that is late`(text: String) {
        #expect(read(text) == .garbage)
    }
}
