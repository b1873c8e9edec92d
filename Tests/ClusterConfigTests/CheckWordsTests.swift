import ClusterConfig
import ClusterModel
import Testing

@Suite
struct CheckWordsTests {
    private func listener(_ words: String...) throws(WordProblems) -> Listener {
        try ListenerWords.parse(name: "l", words: ["bind=10.0.0.9:80"] + words)
    }

    private func problems(_ words: [String]) -> [String] {
        do throws(WordProblems) {
            _ = try ListenerWords.parse(name: "l", words: ["bind=10.0.0.9:80"] + words)
            return []
        } catch { return error.problems.map(\.description) }
    }

    /// What is printed is read back, also out of a file.
    private func expectRoundTrip(_ listener: Listener) throws {
        let written = ListenerWords.settings(listener)
        #expect(try ListenerWords.parse(name: "l", words: written.map { "\($0.name)=\($0.value)" }) == listener)
        var configuration = ClusterConfiguration(name: "c", nodes: [])
        configuration.listeners = [listener]
        let lines = ClusterYAML.text(configuration)
        #expect(try ClusterDocument(yaml: lines).configuration.listeners == [listener], "\(lines)")
    }

    @Test
    func `All rules of an HTTP check are read and written back`() throws {
        let rules = #"""
            send meth POST uri /check ver HTTP/1.1 hdr Host ks.test hdr X-A "b; c" body '{"a": 1}'
            expect status 200,300-302; expect ! rstatus ^5
            expect string "all\ is\r\nwell"; expect !rstring (?i)error\s\d+; disable-on-404
            """#
        let listener = try listener("httpchk=", "http-check=\(rules)")
        let check = try #require(listener.httpCheck)
        #expect(check.method == "POST" && check.uri == "/check" && check.version == .http11 && check.host == "ks.test")
        #expect(check.headers == [CheckHeader("X-A", "b; c")] && check.body == "{\"a\": 1}")
        #expect(
            check.expect == [
                HTTPExpectation(.status([StatusRange(200, 200), StatusRange(300, 302)])),
                HTTPExpectation(.statusPattern("^5"), isNegated: true), HTTPExpectation(.string("all is\r\nwell")),
                HTTPExpectation(.pattern("(?i)error\\s\\d+"), isNegated: true),
            ]
        )
        #expect(check.disableOn404 == true)
        try expectRoundTrip(listener)
    }

    @Test
    func `The old way to add headers is understood, as openstack-ansible writes it`() throws {
        let listener = try listener(#"httpchk=GET /healthcheck HTTP/1.1\r\nHost:\ ks\r\nUser-agent:\ osa-check"#)
        let check = try #require(listener.httpCheck)
        #expect(check.method == "GET" && check.uri == "/healthcheck" && check.version == .http11)
        #expect(check.host == "ks" && check.headers == [CheckHeader("User-agent", "osa-check")])
        try expectRoundTrip(listener)
    }

    @Test(
        arguments: [
            (
                #"connect port 6379; send PING\r\n; expect string +PONG; send "info replication\r\n"; expect string role:master"#,
                [
                    .connect(port: 6379), .send("PING\r\n"), .expect(TCPExpectation(.string("+PONG"))),
                    .send("info replication\r\n"), .expect(TCPExpectation(.string("role:master"))),
                ]
            ),
            (#"send info\ replication\r\n"#, [.send("info replication\r\n")]),
            (
                "send-binary 50494e470D0a\nexpect ! rstring ^-ERR\nexpect binary 2b",
                [
                    .sendBinary([0x50, 0x49, 0x4E, 0x47, 0x0D, 0x0A]),
                    .expect(TCPExpectation(.pattern("^-ERR"), isNegated: true)),
                    .expect(TCPExpectation(.binary([0x2B]))),
                ]
            ),
            ("send 'a;b\\n' ; expect string \\x01\\#", [.send("a;b\\n"), .expect(TCPExpectation(.string("\u{1}#")))]),
        ] as [(String, [TCPCheckRule])]
    )
    func `Scripts are read with HAProxy's quotes, and written back`(text: String, rules: [TCPCheckRule]) throws {
        let listener = try listener("tcp-check=\(text)")
        #expect(listener.serviceCheck == .script(rules))
        try expectRoundTrip(listener)
    }

    @Test(arguments: [
        ("redis-check=", ServiceCheck.redis(isMaster: false)), ("redis-check=master", .redis(isMaster: true)),
        ("mysql-check=", .mysql(user: nil)), ("mysql-check=user haven", .mysql(user: "haven")),
        ("mysql-check=user haven post-41", .mysql(user: "haven")), ("pgsql-check=user haven", .postgres(user: "haven")),
    ])
    func `Services have checks of their own`(word: String, check: ServiceCheck) throws {
        let listener = try listener(word, "passive-check-factor=5")
        #expect(listener.serviceCheck == check && listener.passiveCheckFactor == 5)
        try expectRoundTrip(listener)
    }

    @Test(arguments: [
        (["http-check=expect status 200"], "\"http-check\" is given, but not \"httpchk\""),
        (["httpchk=", "http-check=expect status 2xx"], "\"2xx\" is no status code"),
        (["httpchk=", "http-check=expect status"], "\"status\" needs a value; give it right after \"status\""),
        (["httpchk=", "http-check=expect hdr x"], "this version has no \"hdr\" in http-check"),
        (["httpchk=", "http-check=sned"], "this version has no \"sned\" in http-check; did you mean \"send\"?"),
        (["httpchk=", "http-check=expect string a b"], "\"b\" is too much in a rule of http-check; quote texts"),
        (["httpchk=", "http-check=expect string \"a"], "http-check has no closing \""),
        (["httpchk=", "http-check=send ver HTTP/2"], "\"HTTP/2\" is no version"),
        (["httpchk=", "expect-status=200", "http-check=expect string a"], "statuses are expected by expect-status"),
        (["httpchk=GET / HTTP/1.0\\r\\nHost"], "\"Host\" is no header"),
        (["tcp-check=send-binary 123"], "\"123\" are no bytes; give pairs"),
        (["tcp-check=send-binary +1"], "\"+1\" are no bytes"),
        (["tcp-check=connect ssl"], "this version has no \"ssl\""),
        (["tcp-check=connect port 0"], "tcp-check cannot be \"0\""),
        (["tcp-check=send \\xff"], "tcp-check has \"\\xff\""),
        (["tcp-check=send a", "redis-check="], "there are tcp-check and redis-check, but one check"),
        (["mysql-check=user u pre-41"], "mysql-check cannot be"), (["pgsql-check="], "pgsql-check cannot be \"\""),
        (["passive-check-factor=0"], "passive-check-factor cannot be \"0\"; give a number from 1 to 100"),
        (["smtpchk="], "this version has no \"smtpchk\""),
    ])
    func `What cannot be is told by name`(words: [String], start: String) {
        let found = problems(words)
        #expect(found.contains { $0.hasPrefix(start) }, "\(found)")
    }

    @Test
    func `A list of rules in a file is a rule a line`() throws {
        let file = """
            cluster: c
            listeners:
              - name: redis
                bind: 10.0.0.9:6379
                tcp-check:
                  - send PING\\r\\n
                  - expect string +PONG
                servers: [r1 10.0.0.1:6379 check]
            """
        let listener = try #require(try ClusterDocument(yaml: file).configuration.listeners.first)
        #expect(
            listener.serviceCheck == .script([.send("PING\r\n"), .expect(TCPExpectation(.string("+PONG")))])
        )
    }
}

@Suite
struct ServerHealthWordsTests {
    private func server(_ line: String) throws(WordProblems) -> Server {
        try ServerWords.parse(name: "s", words: line.split(separator: " ").map(String.init))
    }

    @Test
    func `All words are read and written back`() throws {
        let line = """
            10.0.0.1:3306 check inter 1s fastinter 500 downinter 5s rise 1 fall 2 port 9200 addr 10.0.1.1 agent-check \
            agent-port 9700 agent-inter 4s observe layer7 error-limit 5 on-error fastinter on-marked-down \
            shutdown-sessions on-marked-up shutdown-backup-sessions
            """
        let server = try server(line)
        let check = try #require(server.check)
        #expect(check.fastInter == 500 && check.downInter == 5000 && check.address == IPAddress("10.0.1.1"))
        #expect(server.agent == AgentCheck(port: 9700, inter: 4000))
        #expect(server.observe?.layer == .layer7 && server.observe?.errorLimit == 5)
        #expect(server.observe?.onError == .fastinter)
        #expect(server.onMarkedDown == .shutdownSessions && server.onMarkedUp == .shutdownBackupSessions)
        #expect(try ServerWords.parse(name: "s", words: ServerWords.words(server)) == server)
        let tracking = try self.server("10.0.0.1:80 track galera/ctl1 agent-check agent-port 1")
        #expect(tracking.track == TrackedServer(listener: "galera", server: "ctl1"))
        #expect(try ServerWords.parse(name: "s", words: ServerWords.words(tracking)) == tracking)
    }

    @Test(arguments: [
        ("fastinter 1s", "\"fastinter\" is given, but not \"check\""),
        ("check addr ctl1", "addr \"ctl1\" is no IP address"),
        ("agent-check", "\"agent-check\" needs a port; add agent-port PORT"),
        ("agent-port 1", "\"agent-port\" is given, but not \"agent-check\""),
        ("error-limit 5", "\"error-limit\" is given, but not \"observe\""),
        ("check observe layer5", "observe cannot be \"layer5\"; give one of layer4, layer7"),
        ("check observe layer4 on-error die", "on-error cannot be \"die\"; give one of fastinter, fail-check"),
        ("on-marked-down x", "on-marked-down cannot be \"x\"; give shutdown-sessions"),
        ("track s1", "track cannot be \"s1\"; give track LISTENER/SERVER"), ("track", "\"track\" needs a value"),
        ("agent-check agent-port 1 agent-send x", "this version has no \"agent-send\""),
    ])
    func `What cannot be is told by name`(words: String, start: String) {
        do throws(WordProblems) {
            _ = try server("10.0.0.1:80 \(words)")
            Issue.record("\(words) is read")
        } catch {
            #expect(error.problems.contains { $0.description.hasPrefix(start) }, "\(error)")
        }
    }
}
