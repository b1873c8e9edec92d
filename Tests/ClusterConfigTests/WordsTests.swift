import ClusterConfig
import ClusterModel
import Testing

@Suite
struct ServerWordsTests {
    private func problems(_ line: String) -> [String] {
        do throws(WordProblems) {
            _ = try ServerWords.parse(name: "s", words: line.split(separator: " ").map(String.init))
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test
    func `A whole server line is read`() throws {
        let line = "192.168.0.10:80 cookie controller1 check inter 1s rise 2 fall 5 weight 10 port 9200 disabled"
        let server = try ServerWords.parse(name: "controller1", words: line.split(separator: " ").map(String.init))
        #expect(server.endpoint.description == "192.168.0.10:80")
        #expect(server.cookie == "controller1")
        #expect(server.weight == 10)
        #expect(server.state == .maint)
        #expect(server.check?.inter == 1000)
        #expect(server.check?.rise == 2)
        #expect(server.check?.fall == 5)
        #expect(server.check?.port == 9200)
        #expect(try ServerWords.parse(name: "controller1", words: ServerWords.words(server)) == server)
    }

    @Test
    func `HAProxy's defaults hold: two seconds, rise 2, fall 3, bare times in milliseconds`() throws {
        let server = try ServerWords.parse(name: "s", words: ["10.0.0.1:80", "inter", "500", "check"])
        #expect(server.check?.inter == 500)
        #expect(try ServerWords.parse(name: "s", words: ["10.0.0.1:80", "check"]).check == ServerCheck())
        #expect(try ServerWords.parse(name: "s", words: ["10.0.0.1:80"]).check == nil)
    }

    @Test(arguments: [
        ("web1:80", "\"web1:80\" is no address with a port"),
        ("10.0.0.1", "\"10.0.0.1\" is no address with a port"),
        ("10.0.0.1:80 cookie check", "\"cookie\" needs a value, but \"check\" follows"),
        ("10.0.0.1:80 inter 1s", "\"inter\" is given, but not \"check\"; add the word check"),
        ("10.0.0.1:80 check check", "\"check\" is given twice"),
        ("10.0.0.1:80 check inter soon", "inter \"soon\" is no time"),
        ("10.0.0.1:80 weight 257", "weight cannot be \"257\"; give a number from 0 to 256"),
        ("10.0.0.1:80 redir 10s", "this version has no \"redir\" for servers"),
        ("10.0.0.1:80 maxconn 30", "this version has no \"maxconn\" for servers; give the listener's maxconn"),
        ("10.0.0.1:80 chek", "\"chek\" is no word of a server; did you mean \"check\"?"),
    ])
    func `What cannot be is told by name`(line: String, start: String) {
        let found = problems(line)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.hasPrefix(start) == true, "\(found)")
    }

    @Test
    func `All problems of a line are told at once`() {
        #expect(problems("nowhere weight x redir 10s rise 0 check").count == 4)
    }
}

@Suite
struct ListenerWordsTests {
    private func problems(_ words: String...) -> [String] {
        do throws(WordProblems) {
            _ = try ListenerWords.parse(name: "l", words: words)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test
    func `Every option is read and written back`() throws {
        let words = [
            "bind=192.168.0.30:80,[2001:db8::30]:80", "mode=http", "balance=roundrobin",
            "cookie=SERVERID insert indirect nocache", "timeout-connect=1s", "timeout-client=180s",
            "timeout-server=3000", "timeout-http-request=5s", "timeout-tunnel=1h", "timeout-check=2s", "retries=2",
            "redispatch=false",
            "forwardfor=no", "maxconn=10000", "httpchk=GET /healthcheck", "httpchk-host=ks.example",
            "expect-status=200,300-302",
        ]
        let listener = try ListenerWords.parse(name: "l", words: words)
        #expect(listener.binds.count == 2)
        #expect(listener.cookie == CookiePersistence(name: "SERVERID"))
        #expect(listener.timeouts.client == 180_000)
        #expect(listener.timeouts.server == 3000)
        #expect(listener.httpCheck?.method == "GET")
        #expect(listener.httpCheck?.expectStatus == [StatusRange(200, 200), StatusRange(300, 302)])
        #expect(!listener.redispatch && !listener.forwardFor)
        let written = ListenerWords.settings(listener).map { "\($0.name)=\($0.value)" }
        #expect(try ListenerWords.parse(name: "l", words: written) == listener)
    }

    @Test(arguments: [
        ("roundrobin", BalanceAlgorithm.roundRobin), ("static-rr", .staticRoundRobin), ("first", .first),
        ("leastconn", .leastConnections), ("source", .source), ("uri", .uri), ("random", .random),
        ("random(2)", .random),
    ])
    func `Every balance is read and written back`(word: String, algorithm: BalanceAlgorithm) throws {
        let words = ["bind=:80", "mode=http", "balance=\(word)", "hash-type=consistent", "allbackups=true"]
        let listener = try ListenerWords.parse(name: "l", words: words)
        #expect(listener.balance == algorithm && listener.hashType == .consistent && listener.allBackups)
        let written = ListenerWords.settings(listener).map { "\($0.name)=\($0.value)" }
        #expect(try ListenerWords.parse(name: "l", words: written) == listener)
    }

    @Test
    func `Defaults are HAProxy's words with Haven's values`() throws {
        let listener = try ListenerWords.parse(name: "l", words: ["bind=:5000"])
        #expect(listener == Listener(name: "l", binds: listener.binds, mode: .tcp))
        #expect(listener.binds.map(\.description) == ["0.0.0.0:5000"])
        #expect(try ListenerWords.parse(name: "l", words: ["bind=*:80", "httpchk="]).httpCheck == HTTPCheck())
        let one = try ListenerWords.parse(name: "l", words: ["bind=*:80", "httpchk=/up"])
        #expect(one.httpCheck == HTTPCheck(uri: "/up"))
    }

    @Test(arguments: [
        ("balance=url_param", "this version has no balance \"url_param\"; give one of roundrobin, static-rr"),
        ("balance=random(3)", "this version has no balance \"random(3)\"; give one of roundrobin"),
        ("balance=rounrobin", "balance cannot be \"rounrobin\"; give one of roundrobin"),
        ("hash-type=consistent djb2", "hash-type cannot be \"consistent djb2\"; give map-based or consistent"),
        ("timeout-client=0", "timeout-client 0 would be for ever; give a long time, such as 1d"),
        ("timeout-clint=1s", "there is no option \"timeout-clint\"; did you mean \"timeout-client\"?"),
        ("mode=htttp", "mode cannot be \"htttp\"; give tcp or http"),
        ("mode", "\"mode\" is no option; give NAME=VALUE"),
        ("expect-status=200", "\"expect-status\" is given, but not \"httpchk\""),
        ("httpchk=GET / HTTP/1.5", "\"HTTP/1.5\" is no version"),
        ("retries=-1", "retries cannot be \"-1\"; give a number from 0 to 100"),
    ])
    func `What cannot be is told by name with what there is instead`(word: String, start: String) {
        let found = problems("bind=10.0.0.9:80", word)
        #expect(found.count >= 1)
        #expect(found.contains { $0.hasPrefix(start) }, "\(found)")
    }

    @Test
    func `A listener needs a place to listen`() {
        #expect(problems("mode=tcp") == ["listener \"l\" listens nowhere; give bind=ADDRESS:PORT"])
    }
}

@Suite
struct ResourceWordsTests {
    private func parse(_ agent: String, _ words: String...) throws(WordProblems) -> Resource {
        try ResourceWords.parse(name: "R", agent: agent, words: words)
    }

    private func problems(_ agent: String, _ words: [String]) -> [String] {
        do throws(WordProblems) {
            _ = try ResourceWords.parse(name: "R", agent: agent, words: words)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test(arguments: ["IPaddr2", "ocf:heartbeat:IPaddr2", "ocf::heartbeat:IPaddr2", "ip"])
    func `A virtual IP goes by several names`(agent: String) throws {
        let resource = try parse(agent, "ip=192.168.0.30", "cidr_netmask=255.255.255.0", "nic=eth1")
        let address = try #require(IPAddress("192.168.0.30"))
        #expect(resource.kind == .virtualIP(VirtualIP(address: address, prefixLength: 24, interface: "eth1")))
        #expect(resource.requires == nil)
    }

    @Test
    func `A process is cut into words without a shell`() throws {
        let command = #"command=/usr/bin/app --name 'a b' "c \"d\"" e\ f $HOME *"#
        let resource = try parse("process", command, "user=app", "directory=/srv", "env.MODE=prod")
        guard case .process(let specification) = resource.kind else {
            Issue.record("\(resource.kind)")
            return
        }
        #expect(specification.command == ["/usr/bin/app", "--name", "a b", "c \"d\"", "e f", "$HOME", "*"])
        #expect(specification.environment == ["MODE": "prod"])
        #expect(specification.user == "app")
        let again = ResourceWords.parameters(resource.kind).map { "\($0.name)=\($0.value)" }
        #expect(try ResourceWords.parse(name: "R", agent: "process", words: again) == resource)
    }

    @Test
    func `OCF parameters stay as they are, operations and attributes are understood`() throws {
        let resource = try parse(
            "ocf:heartbeat:nginx",
            "configfile=/etc/nginx/a.conf",
            "op",
            "start",
            "timeout=40",
            "interval=0s",
            "monitor",
            "interval=10s",
            "timeout=20s",
            "meta",
            "resource-stickiness=INFINITY",
            "requires=nothing",
            "target-role=Stopped"
        )
        let parameters = ["configfile": "/etc/nginx/a.conf"]
        #expect(resource.kind == .ocf(OCFSpecification(provider: "heartbeat", type: "nginx", parameters: parameters)))
        #expect(resource.operations.startTimeout == 40_000)
        #expect(resource.operations.monitorInterval == 10_000)
        #expect(resource.stickiness == .infinity)
        #expect(resource.requires == .nothing)
        #expect(!resource.enabled)
    }

    @Test(arguments: [
        ("IPaddr2", ["ip=10.0.0.1", "cidr_netmask=24", "iflabel=x"], "the virtual IP has no parameter \"iflabel\""),
        ("IPaddr2", ["cidr_netmask=24"], "the virtual IP has no address; give ip=ADDRESS"),
        ("IPaddr2", ["ip=10.0.0.1"], "the virtual IP has no cidr_netmask; give cidr_netmask=BITS, such as 24"),
        ("IPaddr2", ["ip=10.0.0.1", "cidr_netmask=255.0.255.0"], "cidr_netmask cannot be \"255.0.255.0\""),
        ("systemd:haproxy", [], "this version runs no systemd: resources (systemd:haproxy); use process command="),
        ("stonith:fence_x", [], "\"stonith:fence_x\" is a fence agent; use haven stonith create"),
        ("ocf:x", [], "there is no agent \"ocf:x\"; give IPaddr2, process or ocf:PROVIDER:TYPE"),
        ("process", [], "the process has no command"),
        ("process", ["command='x"], "the command has no closing '; close the quote"),
        ("process", ["command=/x", "comand=y"], "a process has no parameter \"comand\"; did you mean \"command\"?"),
        ("Dummy", ["op", "promote", "timeout=1s"], "this version has no operation \"promote\""),
        ("Dummy", ["op", "monitor", "on-fail=block"], "this version has no \"monitor on-fail\""),
        ("Dummy", ["op", "timeout=1s"], "\"timeout=1s\" follows no operation; give op monitor timeout=1s"),
        ("Dummy", ["meta", "migration-threshold=3"], "this version has no attribute \"migration-threshold\""),
        (
            "Dummy", ["meta", "requires=quorum"],
            "requires cannot be \"quorum\"; give nothing, lease or fencing; lease is"
        ),
        ("Dummy", ["clone"], "this version has no \"clone\" resources"),
        ("Dummy", ["a=1", "a=2"], "parameter \"a\" is given twice"),
    ])
    func `What cannot be is told by name`(agent: String, words: [String], start: String) {
        let found = problems(agent, words)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.hasPrefix(start) == true, "\(found)")
    }

    @Test(arguments: ["a b", "", "it's", "\\", "\"x\"", "$a `b` *", "plain"])
    func `A quoted word is cut to itself`(word: String) throws {
        #expect(try CommandWords.split(CommandWords.join(["/x", word])) == ["/x", word])
    }
}

@Suite
struct FenceDeviceWordsTests {
    private func parse(_ words: String...) throws(WordProblems) -> FenceDeviceDraft {
        try FenceDeviceWords.parse(name: "ipmi", agent: "fence_ipmilan", words: words)
    }

    @Test
    func `Hosts come from list and map, secrets from files`() throws {
        let draft = try parse(
            "ip=10.0.0.11",
            "lanplus=1",
            "password=@/etc/p",
            "pcmk_host_list=ctl1, ctl2",
            "pcmk_host_map=ctl2:2;ctl3:3"
        )
        #expect(draft.device.parameters == ["ip": "10.0.0.11", "lanplus": "1"])
        #expect(draft.device.targets == ["ctl1": "", "ctl2": "2", "ctl3": "3"])
        #expect(draft.secrets == ["password": .file("/etc/p")])
        #expect(draft.resolved { _, _ in Secret("x") }.secrets == ["password": Secret("x")])
        #expect(try parse("passwd=", "pcmk_host_list=a").secrets == ["passwd": .prompt])
    }

    @Test
    func `A secret on the command line is refused and not repeated`() {
        do throws(WordProblems) {
            _ = try parse("password=hunter2", "pcmk_host_list=a")
            Issue.record("accepted")
        } catch {
            #expect(error.problems.count == 1)
            #expect(
                "\(error)".hasPrefix("password is a secret, and a command line is not; write it into a file of mode")
            )
            #expect(!"\(error)".contains("hunter2"))
        }
    }

    @Test
    func `Other words of pcs are refused by name, and a device without nodes too`() {
        do throws(WordProblems) {
            _ = try parse("pcmk_reboot_action=off", "op", "monitor", "interval=60s")
            Issue.record("accepted")
        } catch {
            #expect(error.problems.count == 4, "\(error)")
            #expect(error.problems[0].text == "this version has no \"pcmk_reboot_action\"")
        }
    }
}
