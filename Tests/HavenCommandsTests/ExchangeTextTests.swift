import AdminAPI
import ClusterModel
import HavenCommands
import Testing

@Suite
struct ExchangeTextTests {
    @Test
    func `What was done and why is one line each`() {
        let result = CommandLineHarness().run("lb why horizon")
        #expect(result.code == 0)
        #expect(
            result.output == """
                Seen by controller1
                  horizon: cookies V 12, N 3; in responses N 12, I 3
                    controller1: cookie 12, noCookie 3, 2 sent again
                    controller2: never picked
                  2026-11-22 18:04:05 UTC controller1 192.0.2.7:4711 200 cookie VN 0/11/12 ms
                  2026-11-22 18:04:05 UTC controller1 192.0.2.7:4711 200 cut redispatch DI +2 retries 0/11/12 ms
                  2026-11-22 18:04:06 UTC - [2001:db8::7]:4711 503 no-server - NN -/-/0 ms
                """
        )
    }

    @Test
    func `Nothing yet is said so, and JSON has everything`() {
        let cluster = CommandLineHarness()
        cluster.answer = { request throws(AdminClientError) in
            guard case .exchanges(let listener, _) = request else { return nil }
            let listeners =
                listener == nil
                ? [] : [ListenerReasonsView(name: "l", clientCookies: [:], serverCookies: [:], servers: [])]
            return .exchanges(ExchangesView(node: "controller1", listeners: listeners, exchanges: []))
        }
        #expect(cluster.run("lb why l").output == "Seen by controller1\n  l\n  no requests yet")
        #expect(cluster.run("lb why").output.hasSuffix("no listeners; haven lb listener create adds one"))
        cluster.answer = nil
        let json = cluster.run("lb why --json").output
        #expect(json.contains("\"pick\" : \"redispatch\"") && json.contains("\"answer\" : \"no-server\""))
    }
}
