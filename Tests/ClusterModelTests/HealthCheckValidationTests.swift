import ClusterModel
import Foundation
import Testing

@Suite
struct HealthCheckValidationTests {
    private func problems(_ change: (inout ClusterConfiguration) -> Void) -> [String] {
        var configuration = exampleConfiguration()
        change(&configuration)
        return configuration.validate().map(\.description)
    }

    @Test
    func `All settings together are valid`() {
        let found = problems { configuration in
            var check = HTTPCheck(method: "POST", uri: "/x", host: "h")
            check.version = .http11
            check.headers = [CheckHeader("X-A", "b c")]
            check.body = "text"
            check.expect = [HTTPExpectation(.pattern("a+")), HTTPExpectation(.status([StatusRange(200, 299)]))]
            check.disableOn404 = true
            configuration.listeners[0].httpCheck = check
            configuration.listeners[0].passiveCheckFactor = 10
            configuration.listeners[0].servers[0].agent = AgentCheck(port: 9000)
            configuration.listeners[0].servers[0].observe = Observation(.layer7)
            configuration.listeners[0].servers[1].check = nil
            configuration.listeners[0].servers[1].track = TrackedServer(listener: "horizon", server: "ctl1")
        }
        #expect(found.isEmpty, "\(found)")
    }

    private static var httpCases: [(change: (inout HTTPCheck) -> Void, text: String)] {
        [
            ({ $0.version = .http11 }, "a check by HTTP/1.1 needs a Host; give httpchk-host=NAME"),
            ({ $0.headers = [CheckHeader("a b", "c")] }, "\"a b\" is no header's name"),
            ({ $0.headers = [CheckHeader("a", "c\r\nd")] }, "the value of header \"a\" holds more than visible ASCII"),
            ({ $0.headers = [CheckHeader("Content-Length", "5")] }, "is written by the check itself; leave it out"),
            ({ $0.headers = Array(repeating: CheckHeader("a", "b"), count: 17) }, "17 are more than the limit of 16"),
            ({ $0.body = "\0" }, "the body holds a NUL byte"),
            ({ $0.expect = [HTTPExpectation(.pattern("a("))] }, "the regular expression \"a(\" has a \"(\" without"),
            ({ $0.expect = [HTTPExpectation(.statusPattern("\\b"))] }, "the regular expression \"\\b\" has \\b"),
            ({ $0.expect = [HTTPExpectation(.string(""))] }, "an empty text is in every answer"),
            ({ $0.expect = [HTTPExpectation(.status([StatusRange(1, 2)]))] }, "1-2 are no status codes"),
            (
                {
                    $0.method = "HEAD"
                    $0.expect = [HTTPExpectation(.string("x"))]
                }, "an answer to HEAD has no body to look at; give httpchk='GET /'"
            ),
            ({ $0.method = "DELETE" }, "a check cannot use DELETE; use GET, HEAD, OPTIONS, POST or PUT"),
        ]
    }

    @Test
    func `An HTTP check that cannot be is told`() {
        for (change, text) in Self.httpCases {
            let found = problems { configuration in
                var check = HTTPCheck()
                change(&check)
                configuration.listeners[0].httpCheck = check
            }
            #expect(found.count == 1 && found[0].contains(text), "\(text): \(found)")
        }
    }

    @Test(arguments: [
        (ServiceCheck.script([]), "the script is empty"),
        (.script([.send("")]), "nothing would be sent"),
        (.script([.connect(port: 0)]), "port 0 is not within 1 to 65535"),
        (.script([.expect(TCPExpectation(.pattern("*")))]), "the regular expression \"*\" repeats nothing"),
        (.script([.expect(TCPExpectation(.binary([])))]), "an empty text is in every answer"),
        (.script(Array(repeating: .send("x"), count: 33)), "33 are more than the limit of 32"),
        (.mysql(user: "a b"), "\"a b\" is no user's name"), (.postgres(user: ""), "\"\" is no user's name"),
    ])
    func `A service's check that cannot be is told`(check: ServiceCheck, text: String) {
        let found = problems { $0.listeners[0].serviceCheck = check }
        #expect(found.count == 1 && found[0].contains(text), "\(found)")
    }

    private static var listenerCases: [(change: (inout Listener) -> Void, text: String)] {
        [
            (
                {
                    $0.serviceCheck = .redis(isMaster: false)
                    $0.httpCheck = HTTPCheck()
                }, "by httpchk or by redis-check"
            ),
            ({ $0.passiveCheckFactor = 0 }, "passive-check-factor 0 is not within 1 to 100"),
            ({ $0.servers[0].check?.fastInter = 1 }, "fastinter 1ms is not within 10ms to 1d"),
            ({ $0.servers[0].check?.downInter = 1 }, "downinter 1ms is not within 10ms to 1d"),
            ({ $0.servers[0].check?.address = IPAddress("0.0.0.0") }, "0.0.0.0 is the unspecified address"),
            ({ $0.servers[0].agent = AgentCheck(port: 0) }, "port 0 is not within"),
            ({ $0.servers[0].agent = AgentCheck(port: 1, inter: 1) }, "agent-inter 1ms is not within"),
            (
                {
                    $0.servers[0].observe = Observation(.layer4)
                    $0.servers[0].check = nil
                }, "observed, but not checked"
            ),
            (
                {
                    $0.mode = .tcp
                    $0.cookie = nil
                    $0.forwardFor = false
                    for index in $0.servers.indices { $0.servers[index].cookie = nil }
                    $0.servers[0].observe = Observation(.layer7)
                }, "observe layer7 needs mode http"
            ),
            ({ $0.servers[0].track = TrackedServer(listener: "horizon", server: "ctl2") }, "it has a check and tracks"),
            (
                {
                    $0.servers[0].check = nil
                    $0.servers[0].track = TrackedServer(listener: "x", server: "y")
                },
                "it tracks x/y, which there is not; give track LISTENER/SERVER"
            ),
            (
                {
                    $0.servers[0].check = nil
                    $0.servers[1].check = nil
                    $0.servers[0].track = TrackedServer(listener: "horizon", server: "ctl2")
                },
                "it tracks horizon/ctl2, which is not checked itself"
            ),
        ]
    }

    @Test
    func `What servers and listeners cannot have is told`() {
        for (change, text) in Self.listenerCases {
            let found = problems { change(&$0.listeners[0]) }
            #expect(found.count == 1 && found[0].contains(text), "\(text): \(found)")
        }
    }

    @Test
    func `A listener without any of it is written as older versions write it, and read as they wrote it`() throws {
        let listener = exampleConfiguration().listeners[0]
        let written = try JSONEncoder().encode(listener)
        let keys = String(decoding: written, as: UTF8.self)
        for key in [
            "serviceCheck", "passiveCheckFactor", "observe", "agent", "track", "onMarked", "Inter\"", "address\":null",
        ] {
            #expect(!keys.contains(key), "\(key)")
        }
        #expect(try JSONDecoder().decode(Listener.self, from: written) == listener)
        var full = listener
        full.serviceCheck = .script([.connect(port: 1), .sendBinary([1]), .expect(TCPExpectation(.pattern("a")))])
        full.servers[0].track = TrackedServer(listener: "a", server: "b")
        full.servers[1].observe = Observation(.layer4)
        let again = try JSONDecoder().decode(Listener.self, from: try JSONEncoder().encode(full))
        #expect(again == full)
    }

    @Test
    func `A server that others track cannot be removed`() throws {
        var configuration = exampleConfiguration()
        configuration.listeners[0].servers[1].check = nil
        configuration.listeners[0].servers[1].track = TrackedServer(listener: "horizon", server: "ctl1")
        #expect(throws: EditError.self) {
            try configuration.applying(.removeServer(listener: "horizon", server: "ctl1"))
        }
    }
}
