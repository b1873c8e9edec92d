import AdminAPI
import ClusterModel
import HavenCommands
import Testing

@Suite
struct GrammarTests {
    @Test(arguments: [
        ("resource move VIP", AdminRequest.move(resource: "VIP", to: nil)),
        ("resource move VIP controller2", .move(resource: "VIP", to: "controller2")),
        ("resource cleanup", .cleanup(resource: nil, node: nil)),
        ("resource cleanup VIP node=controller1", .cleanup(resource: "VIP", node: "controller1")),
        ("resource cleanup node=controller1", .cleanup(resource: nil, node: "controller1")),
        ("resource cleanup VIP --node controller1", .cleanup(resource: "VIP", node: "controller1")),
        ("stonith fence controller2", .fence(node: "controller2")),
        ("cluster stop", .stop(everyNode: false)),
        ("cluster stop --all", .stop(everyNode: true)),
        ("cluster token ctl2", .token(node: "ctl2")),
        ("status", .status),
        ("quorum status", .quorumStatus),
        ("lb status horizon", .loadBalancerStatus(listener: "horizon", everyNode: false)),
        ("lb status --all", .loadBalancerStatus(listener: nil, everyNode: true)),
        ("lb why", .exchanges(listener: nil, last: 20)),
        ("lb why horizon --last 5", .exchanges(listener: "horizon", last: 5)),
        ("resource enable A B", edit(.setEnabled(resources: ["A", "B"], enabled: true))),
        ("resource disable A", edit(.setEnabled(resources: ["A"], enabled: false))),
        ("resource delete A", edit(.deleteResource("A"))),
        ("stonith delete d", edit(.deleteFenceDevice("d"))),
        ("lb listener delete l", edit(.deleteListener("l"))),
        ("lb server remove l s", edit(.removeServer(listener: "l", server: "s"))),
        ("lb server drain l s", edit(.setServer(listener: "l", server: "s", weight: nil, state: .drain))),
        ("lb server maint l s", edit(.setServer(listener: "l", server: "s", weight: nil, state: .maint))),
        ("lb server ready l s", edit(.setServer(listener: "l", server: "s", weight: nil, state: .ready))),
        (
            "lb server set l s weight=0 state=drain",
            edit(.setServer(listener: "l", server: "s", weight: 0, state: .drain))
        ),
        ("node standby --all", edit(.setStandby(nodes: ["controller1", "controller2", "controller3"], standby: true))),
        ("node unstandby", edit(.setStandby(nodes: ["controller1"], standby: false))),
        ("property set maintenance-mode=true", edit(.setProperty(.maintenanceMode(true)))),
        ("node maintenance ctl1 ctl2", edit(.setMaintenance(nodes: ["ctl1", "ctl2"], maintenance: true))),
        ("node unmaintenance ctl1", edit(.setMaintenance(nodes: ["ctl1"], maintenance: false))),
        ("resource unmanage App", edit(.setManaged(resources: ["App"], managed: false))),
        ("resource manage App VirtualIP", edit(.setManaged(resources: ["App", "VirtualIP"], managed: true))),
        ("property set arbiter=", edit(.setProperty(.arbiter(nil)))),
        ("property set profile=fast", edit(.setProperty(.profile(.fast)))),
        ("property show --derived", .timing),
        ("link status", .linkStatus),
        ("key rotate", .rotateKey(force: false)),
        ("key retire --force", .retireKey(force: true)),
        ("property set stonith-timeout=2m", edit(.setProperty(.stonithTimeout(120_000)))),
        ("constraint location add A n score=5", edit(.addLocation(resource: "A", node: "n", score: Score(5), id: nil))),
        ("constraint location add id A n 5", edit(.addLocation(resource: "A", node: "n", score: Score(5), id: "id"))),
        (
            "constraint location add A n -INFINITY",
            edit(.addLocation(resource: "A", node: "n", score: .minusInfinity, id: nil))
        ),
        ("constraint location A prefers n=9", edit(.addLocation(resource: "A", node: "n", score: Score(9), id: nil))),
        (
            "constraint location A avoids n",
            edit(.addLocation(resource: "A", node: "n", score: .minusInfinity, id: nil))
        ),
        (
            "constraint colocation add A with B -INFINITY id=x",
            edit(.addColocation(resource: "A", with: "B", score: .minusInfinity, id: "x"))
        ),
        ("constraint colocation delete x", edit(.deleteConstraint(id: "x"))),
        ("constraint delete x", edit(.deleteConstraint(id: "x"))),
    ])
    func `Words become the request that they mean`(line: String, request: AdminRequest) {
        let cluster = CommandLineHarness()
        let status = exampleStatus()
        cluster.answer = { request throws(AdminClientError) in
            request == .status
                ? .status(status) : (request.isChange && !Self.isToken(request) ? .done(version: 1, notes: []) : nil)
        }
        let result = cluster.run(line)
        #expect(result.code == 0, "\(result.errors)")
        #expect(cluster.requests.last == request)
    }

    @Test(arguments: [
        ("", 0), ("--help", 0), ("lb server add --help", 0), ("nonsense", 2), ("resource create", 2),
        ("resource create A systemd:x", 2), ("property set a", 2), ("property set arbiter=gateway", 2),
        ("property set no-such=1", 2),
        ("lb server set l s weight=300", 2), ("lb why --last 0", 2), ("lb why --last 2000", 2),
        ("lb server set l s cookie=x", 2), ("constraint colocation add A B", 2),
        ("constraint location A likes n", 2), ("constraint location add A n", 2), ("plan", 2),
        ("stonith create d fence_x password=secret pcmk_host_list=n", 2), ("node standby a --all", 2),
        ("resource delete VIP", 1), ("resource config VIP", 1), ("apply -f missing", 1),
        ("cluster setup openstack", 2), ("cluster setup o a a", 2), ("cluster setup o a=1.2.3", 2),
        ("cluster setup o a=192.0.2.1 b=192.0.2.1", 2),
        ("cluster setup o a addr=10.0.0.1", 2), ("lab partition a", 2),
    ])
    func `Exit codes tell usage from failure`(line: String, code: Int32) {
        let result = CommandLineHarness().run(line)
        #expect(result.code == code, "\(result.output)\(result.errors)")
        #expect(code == 0 || !result.errors.isEmpty, "an error says what is wrong")
    }

    @Test
    func `No agent and no quorum are told apart from failures`() {
        let cluster = CommandLineHarness()
        cluster.answer = { _ throws(AdminClientError) in throw .agentDown(path: "/run/x") }
        let down = cluster.run("status")
        #expect(down.code == 3)
        #expect(
            down.errors.hasPrefix(
                "Error: the agent on this node does not run (/run/x); start it with haven cluster start"
            )
        )
        cluster.answer = { _ throws(AdminClientError) in .failed(AdminFailure(.noQuorum, "2 of 3 votes are needed")) }
        #expect(cluster.run("node standby controller1").code == 3)
        cluster.answer = { _ throws(AdminClientError) in throw .denied(path: "/run/x") }
        #expect(cluster.run("status").code == 1)
    }

    @Test
    func `Secrets come from files and are not shown again`() {
        let cluster = CommandLineHarness()
        cluster.files["/p"] = "hunter2"
        let line = "stonith create ipmi fence_ipmilan ip=10.0.0.1 password=@/p pcmk_host_list=controller1"
        #expect(cluster.run(line).code == 0)
        #expect(cluster.configuration.fenceDevices.first?.secrets["password"] == Secret("hunter2"))
        let shown = cluster.run("stonith config")
        #expect(
            shown.output == """
                Fence device: ipmi (fence_ipmilan)
                  Attributes: ip=10.0.0.1 password='****' pcmk_host_list=controller1
                """
        )
        #expect(!cluster.run("stonith config --json").output.contains("hunter2"))
    }

    @Test(arguments: [
        ("cluster setup", "name"), ("cluster setup openstack", "no nodes"), ("cluster setup o a=x", "no IP address"),
        ("cluster setup o a=10.0.0.1 a=10.0.0.2", "twice"),
        ("cluster setup o a=10.0.0.1 b=10.0.0.1", "already the address"),
        ("cluster setup o a=127.0.0.1 b=10.0.0.1", "loopback"), ("cluster setup --name o! a=10.0.0.1", "character"),
    ])
    func `A set-up that cannot be meant is refused before anything is done`(line: String, said: String) {
        let result = CommandLineHarness().run(line)
        #expect(result.code == 2)
        #expect(result.errors.contains(said), "\(result.errors)")
    }

    @Test
    func `Help names the commands`() {
        let help = CommandLineHarness().run("--help").output
        #expect(help.contains("stonith"))
        #expect(help.contains("failover"))
        #expect(help.contains("lab "))
    }
}

extension GrammarTests {
    static func isToken(_ request: AdminRequest) -> Bool {
        if case .token = request { return true }
        return false
    }
}

private func edit(_ edit: ConfigurationEdit) -> AdminRequest { .edit(edit, expected: nil) }
