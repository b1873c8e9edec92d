import ClusterConfig
import ClusterModel
import Testing

@Suite
struct PersistenceWordsTests {
    private func parse(_ words: String...) throws -> Listener {
        try ListenerWords.parse(name: "l", words: ["bind=:80", "mode=http"] + words)
    }

    private func problems(_ word: String) -> [String] {
        do throws(WordProblems) {
            _ = try ListenerWords.parse(name: "l", words: ["bind=:80", "mode=http", word])
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test(arguments: [
        "SRV", "SRV indirect", "SRV insert", "SRV insert indirect nocache", "SRV rewrite", "SRV prefix",
        "SRV insert indirect nocache postonly preserve httponly secure domain .ex.test domain b.test maxidle 30m "
            + "maxlife 8h dynamic attr SameSite=Lax attr Partitioned",
    ])
    func `Every word of a cookie is read and written back`(text: String) throws {
        let listener = try parse("cookie=\(text)")
        let written = ListenerWords.settings(listener).first { $0.name == "cookie" }
        #expect(written?.value == text)
        #expect(try parse("cookie=\(written?.value ?? "")") == listener)
    }

    @Test
    func `Words mean what they mean in HAProxy`() throws {
        #expect(try parse("cookie=S insert indirect nocache").cookie == CookiePersistence(name: "S"))
        let cookie = try #require(try parse("cookie=S insert maxidle 30m attr A=1 attr B domain x.y").cookie)
        #expect(cookie.maxIdle == 1_800_000 && cookie.attributes == ["A=1", "B"] && cookie.domains == ["x.y"])
        #expect(cookie.mode == nil && !cookie.indirect && !cookie.noCache)
        #expect(try parse("cookie=S").cookie?.mode == .passive)
    }

    @Test(
        arguments: [
            ("true", true, nil), ("false", false, nil), ("on", true, nil), ("0", false, nil), ("-1", true, nil),
            ("1", true, 1), ("3", true, 3), ("-2", true, -2),
        ] as [(String, Bool, Int?)]
    )
    func `Redispatch takes HAProxy's interval`(text: String, isOn: Bool, interval: Int?) throws {
        let listener = try parse("redispatch=\(text)")
        #expect(listener.redispatch == isOn && listener.redispatchInterval == interval)
        let written = ListenerWords.settings(listener).map { "\($0.name)=\($0.value)" }
        #expect(try ListenerWords.parse(name: "l", words: written) == listener)
    }

    @Test
    func `Retry causes, persistence and reuse are read and written back`() throws {
        let causes = "retry-on=conn-failure empty-response,503 non-idempotent"
        let listener = try parse(causes, "persist=true", "http-reuse=safe")
        #expect(listener.retryOn == [.connectionFailure, .emptyResponse, .status503, .nonIdempotent])
        #expect(listener.persist == true && listener.reuse == .safe)
        let written = ListenerWords.settings(listener).map { "\($0.name)=\($0.value)" }
        #expect(written.contains("retry-on=conn-failure empty-response 503 non-idempotent"))
        #expect(try ListenerWords.parse(name: "l", words: written) == listener)
        #expect(try parse("retry-on=none").retryOn == [])
        #expect(ListenerWords.settings(try parse("retry-on=none")).contains(Setting(name: "retry-on", value: "none")))
        #expect(try parse("retry-on=all-retryable-errors").retryOn == RetryWord.allRetryableErrors)
        // What is the default anyway is stored as such.
        #expect(try parse("retry-on=conn-failure", "http-reuse=always", "persist=false") == parse())
    }

    @Test(arguments: [
        ("cookie=", "the cookie has no name"), ("cookie=S insert insert", "\"insert\" is given twice"),
        ("cookie=S insert rewrite", "cookie modes insert and rewrite exclude each other"),
        ("cookie=S insert maxidle 30", "maxidle \"30\" has no unit"),
        ("cookie=S insert maxlife soon", "maxlife \"soon\""),
        ("cookie=S insert domain", "\"domain\" of the cookie needs a value"),
        ("cookie=S insert indirekt", "\"indirekt\" is no word of a cookie; did you mean \"indirect\"?"),
        ("redispatch=101", "redispatch cannot be \"101\""), ("redispatch=maybe", "redispatch cannot be \"maybe\""),
        ("retry-on=", "retry-on names nothing"), ("retry-on=503 none", "retry-on has \"none\" beside other words"),
        ("retry-on=0rtt-rejected", "this version has no \"0rtt-rejected\""),
        ("retry-on=emty-response", "\"emty-response\" is no word of retry-on; did you mean \"empty-response\"?"),
        ("http-reuse=sometimes", "http-reuse cannot be \"sometimes\"; give one of never, safe, aggressive, always"),
        ("dynamic-cookie-key=x", "this version has no \"dynamic-cookie-key\" for listeners; give cookie='NAME insert"),
    ])
    func `What cannot be is told by name`(word: String, start: String) {
        let found = problems(word)
        #expect(found.contains { $0.hasPrefix(start) }, "\(found)")
    }

    @Test
    func `A server's slow start is read and written back`() throws {
        let server = try ServerWords.parse(name: "s", words: ["10.0.0.1:80", "check", "slowstart", "60s", "backup"])
        #expect(server.slowStart == 60_000)
        #expect(try ServerWords.parse(name: "s", words: ServerWords.words(server)) == server)
        #expect(try ServerWords.parse(name: "s", words: ["10.0.0.1:80", "slowstart", "0"]).slowStart == nil)
        #expect(try ServerWords.parse(name: "s", words: ["10.0.0.1:80", "slowstart", "500"]).slowStart == 500)
    }

    @Test
    func `All of it is in files, but for the key`() throws {
        var configuration = ClusterConfiguration(name: "c", nodes: [])
        var listener = try parse(
            "cookie=S insert indirect dynamic maxidle 30m attr SameSite=Lax",
            "redispatch=2",
            "retry-on=503",
            "persist=true",
            "http-reuse=never"
        )
        listener.servers = [try ServerWords.parse(name: "s", words: ["10.0.0.1:80", "slowstart", "60s"])]
        configuration.listeners = [listener]
        configuration.listeners[0].cookie?.dynamicKey = Secret("hidden")
        let text = ClusterYAML.text(configuration)
        #expect(!text.contains("hidden"))
        #expect(try ClusterDocument(yaml: text).configuration.listeners == [listener])
    }
}
