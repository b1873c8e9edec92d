import Balancing
import ClusterModel
import Testing

@Suite
struct HTTPCheckTests {
    private func check(_ change: (inout HTTPCheck) -> Void = { _ in }) -> CheckRecipe {
        var check = HTTPCheck(method: "GET", uri: "/up")
        change(&check)
        return .http(check)
    }

    @Test
    func `Requests are what HAProxy sends`() {
        #expect(Dialogue(.http(HTTPCheck())).sentText == "OPTIONS / HTTP/1.0\r\n\r\n")
        let withHost = check { $0.host = "ks.test" }
        #expect(Dialogue(withHost).sentText == "GET /up HTTP/1.1\r\nHost: ks.test\r\nConnection: close\r\n\r\n")
        let old = check {
            $0.version = .http10
            $0.headers = [CheckHeader("User-agent", "haven check")]
        }
        #expect(Dialogue(old).sentText == "GET /up HTTP/1.0\r\nUser-agent: haven check\r\n\r\n")
        let post = check {
            $0.method = "POST"
            $0.body = "{}"
        }
        #expect(Dialogue(post).sentText == "POST /up HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}")
    }

    @Test(
        arguments: [
            ("HTTP/1.1 200 OK\r\n", CheckResult.passed, 200), ("HTTP/1.0 302\r\n", .passed, 302),
            ("HTTP/1.1 404 No\r\n", .wrongStatus, 404), ("HTTP/1.1 503 X\r\n", .wrongStatus, 503),
            ("HTTP/1.1 2000\r\n", .invalidResponse, nil), ("HTTP/1.1 abc X\r\n", .invalidResponse, nil),
            ("HTTP/2.0 200 OK\r\n", .invalidResponse, nil), ("SSH-2.0-x\r\n", .invalidResponse, nil),
            ("", .invalidResponse, nil), ("HTTP/1.1 20", .invalidResponse, nil),
            ("HTTP/1.1\r\n", .invalidResponse, nil),
        ] as [(String, CheckResult, Int?)]
    )
    func `The status line decides where nothing else is expected`(answer: String, result: CheckResult, status: Int?) {
        let verdict = Dialogue.verdict(check(), answer)
        #expect(verdict?.result == result && verdict?.status == status)
    }

    @Test
    func `A status is enough, nothing more is waited for`() {
        var dialogue = Dialogue(check())
        dialogue.hear("HTTP/1.1 20")
        #expect(dialogue.verdict == nil)
        dialogue.hear("4 ")
        #expect(dialogue.verdict?.result == .passed)
    }

    @Test(arguments: [
        (HTTPExpectation(.status([StatusRange(200, 204)])), 204, CheckResult.passed),
        (HTTPExpectation(.status([StatusRange(200, 204)])), 205, .wrongStatus),
        (HTTPExpectation(.status([StatusRange(500, 599)]), isNegated: true), 404, .passed),
        (HTTPExpectation(.status([StatusRange(500, 599)]), isNegated: true), 500, .wrongStatus),
        (HTTPExpectation(.statusPattern("^(2|3)..$")), 301, .passed),
        (HTTPExpectation(.statusPattern("^(2|3)..$")), 401, .wrongStatus),
        (HTTPExpectation(.statusPattern("^5"), isNegated: true), 500, .wrongStatus),
        (HTTPExpectation(.string("database is up")), 500, .passed),
        (HTTPExpectation(.string("database is down")), 200, .invalidResponse),
        (HTTPExpectation(.string("database"), isNegated: true), 200, .invalidResponse),
        (HTTPExpectation(.pattern("^the .* up$")), 200, .passed),
        (HTTPExpectation(.pattern("up.+")), 200, .invalidResponse),
        (HTTPExpectation(.pattern("(?i)ERROR"), isNegated: true), 200, .passed),
    ])
    func `Expectations look at status or body, and can be negated`(
        rule: HTTPExpectation,
        status: Int,
        result: CheckResult
    ) {
        let recipe = check { $0.expect = [rule] }
        let answer = "HTTP/1.1 \(status) X\r\nX: database is down\r\nContent-Length: 18\r\n\r\nthe database is up"
        #expect(Dialogue.verdict(recipe, answer)?.result == result)
    }

    @Test
    func `All expectations must hold`() {
        let recipe = check {
            $0.expect = [HTTPExpectation(.status([StatusRange(200, 200)])), HTTPExpectation(.string("ok"))]
        }
        #expect(Dialogue.verdict(recipe, "HTTP/1.0 200 X\r\n\r\nok")?.result == .passed)
        #expect(Dialogue.verdict(recipe, "HTTP/1.0 201 X\r\n\r\nok")?.result == .wrongStatus)
        #expect(Dialogue.verdict(recipe, "HTTP/1.0 200 X\r\n\r\nno")?.result == .invalidResponse)
    }

    @Test(arguments: [
        "HTTP/1.1 200 X\r\nContent-Length: 5\r\n\r\nready", "HTTP/1.1 200 X\ncontent-length:5\n\nready",
        "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nrea\r\n2;x=y\r\ndy\r\n0\r\n\r\n",
    ])
    func `A body is judged when it is whole, however it is framed`(answer: String) {
        let recipe = check { $0.expect = [HTTPExpectation(.string("ready"))] }
        let bytes = Array(answer.utf8)
        var dialogue = Dialogue(recipe)
        for byte in bytes.dropLast() {
            dialogue.hear([byte])
            #expect(dialogue.verdict == nil || answer.contains("chunked"))
        }
        dialogue.hear([bytes[bytes.count - 1]])
        #expect(dialogue.verdict?.result == .passed)
    }

    @Test
    func `Only so much of a body is looked at`() {
        let recipe = check { $0.expect = [HTTPExpectation(.string("ready"))] }
        var dialogue = Dialogue(recipe)
        dialogue.hear("HTTP/1.0 200 X\r\n\r\n")
        for _ in 0..<4 { dialogue.hear([UInt8](repeating: 0x2E, count: 4096)) }
        #expect(dialogue.verdict?.result == .invalidResponse)
        #expect(dialogue.verdict?.info == "does not hold \"ready\"")
    }

    @Test
    func `With disable-on-404 a 404 passes on condition`() {
        let recipe = check {
            $0.disableOn404 = true
            $0.expect = [HTTPExpectation(.string("ready"))]
        }
        #expect(Dialogue.verdict(recipe, "HTTP/1.0 404 X\r\n\r\n")?.result == .conditionallyPassed)
        #expect(Dialogue.verdict(recipe, "HTTP/1.0 200 X\r\n\r\nready")?.result == .passed)
        #expect(Dialogue.verdict(check(), "HTTP/1.0 404 X\r\n\r\n")?.result == .wrongStatus)
    }
}
