import AdminAPI
import ClusterModel
import Testing

@testable import HavenCommands

@Suite
struct RenderingTests {
    @Test
    func `The status tells everything in the words of pcs`() {
        #expect(
            StatusText.text(exampleStatus()) == """
                Cluster name: openstack
                Current DC: controller2 (term 5) - partition with quorum
                Configuration: version 12, digest 1a2b3c4d, seen by controller1
                3 nodes configured
                3 resources configured

                WARNINGS:
                  stonith-enabled is false: what must not run twice waits for lost nodes

                Online: [ controller1 ]
                Standby: [ controller2 ]
                Being fenced: [ controller3 ]
                  controller1: lease for 430ms
                  controller2: has another configuration (ffff0000)
                  controller3: last heard 1m 5s ago

                Full list of resources:
                  VirtualIP (ocf::heartbeat:IPaddr2): Started controller1 192.168.0.30
                  App (process): Stopped (blocked) - waits for the fence
                  Job (ocf::heartbeat:Dummy): Stopped (disabled)

                Failed actions (haven resource cleanup forgets them):
                  App on controller2: 2 failures, the newest: exit code 1

                Fence devices:
                  ipmi1 (fence_ipmilan) for controller1: ok from controller2 controller3, 12.3s ago
                  ipmi2 (fence_ipmilan) for controller2: not checked yet
                  ipmi3 (fence_ipmilan) for controller3: FAILED from controller1 2.0s ago - no answer
                Fencing history:
                  controller3 at 2026-11-22 18:04:05 UTC: off and verified after 4.2s (lost)

                Listeners, as controller1 sees them:
                  horizon 192.168.0.30:80 http: 1 of 3 servers serve, 12 connections
                    controller1 192.168.0.10:80: UP for 1h 1m, L7OK 200, 1 connection
                    controller2 192.168.0.11:80: UP (drain), weight 5, 0 connections
                    controller3 192.168.0.12:80: DOWN, node lost, 0 connections
                """
        )
    }

    @Test
    func `Each node's proxy has a section, and who gave no answer is named`() {
        let server = exampleStatus().listeners[0].servers[0]
        let listener = ListenerView(name: "web", binds: [], mode: .tcp, servers: [server])
        let report = LoadBalancerReport(
            nodes: [
                LoadBalancerView(node: "controller1", proxyRuns: true, listeners: [listener]),
                LoadBalancerView(node: "controller2", proxyRuns: false, listeners: []),
            ],
            silent: ["controller3"]
        )
        #expect(
            LoadBalancerText.text(report) == """
                Seen by controller1
                  web  tcp: 1 of 1 server serve, 0 connections
                    controller1 192.168.0.10:80: UP for 1h 1m, L7OK 200, 1 connection
                Seen by controller2, whose proxy does NOT run
                  no listeners; haven lb listener create adds one
                controller3 gave no answer; see haven status
                """
        )
    }

    @Test
    func `A server that wants no new clients serves none`() {
        var server = exampleStatus().listeners[0].servers[0]
        server.health = .stopping
        server.reason = "L7OKC 404"
        let lines = LoadBalancerText.lines(ListenerView(name: "web", binds: [], mode: .http, servers: [server]))
        #expect(lines[0] == "  web  http: 0 of 1 server serve, 0 connections")
        #expect(lines[1] == "    controller1 192.168.0.10:80: stopping for 1h 1m, L7OKC 404, 1 connection")
    }

    @Test
    func `A lost quorum is told loudly, with who is missing`() {
        var quorum = exampleStatus().quorum
        quorum.isQuorate = false
        quorum.leader = nil
        quorum.voters[1].isHeard = false
        quorum.voters[2].lastHeard = nil
        #expect(
            QuorumText.text(quorum) == """
                Quorate: NO
                Leader: none (term 5)
                Votes: 1 of 3 heard, 2 needed
                  controller1: heard, incarnation 4
                  controller2: MISSING, last heard 0.0s ago, incarnation 2
                  controller3: MISSING, never heard, incarnation 7
                1 more of these must be heard for a quorum: controller2 (last heard 0.0s ago), controller3 (never heard)
                If they are gone for ever: haven quorum unblock NODE …
                """
        )
        quorum.voters.removeLast()
        quorum.isHalf = true
        quorum.isListed = true
        quorum.wantedDead = ["controller2"]
        quorum.fencingFailure = "no fence device for controller2"
        let half = QuorumText.text(quorum)
        #expect(half.contains("Half of the voters answers: what runs keeps running, nothing is started or moved."))
        #expect(half.contains("Or these must be proven dead, by power-off or clean leave: controller2"))
        #expect(half.contains("They cannot be powered off: no fence device for controller2"))
        quorum.isListed = false
        #expect(QuorumText.text(quorum).contains("is not listed as it runs"))
        quorum.voters.append(QuorumView.Voter(node: "controller3", incarnation: 7, isHeard: false, lastHeard: nil))
        var view = exampleStatus()
        view.quorum = quorum
        view.nodes[0].leaseRemaining = nil
        let text = StatusText.text(view)
        #expect(text.contains("Current DC: NONE (term 5) - partition WITHOUT quorum"))
        #expect(text.contains("  controller1: NO LEASE: may run nothing"))
    }

    @Test
    func `Voters that lost their disks are named, and what helps when too few are left`() {
        var quorum = QuorumView(
            isQuorate: false,
            leader: nil,
            term: 5,
            needed: 2,
            voters: [
                QuorumView.Voter(node: "controller1", incarnation: 4, isHeard: true, lastHeard: nil),
                QuorumView.Voter(node: "controller2", incarnation: 2, isHeard: true, lastHeard: 40),
            ]
        )
        quorum.voters[1].isForgetful = true
        let text = QuorumText.text(quorum)
        #expect(text.contains("  controller2: heard, incarnation 2, lost its disk: its vote does not count yet"))
        #expect(text.contains("What controller2 had promised went with its disk: the others decide without it."))
        #expect(text.contains("too few of them have their disks: haven quorum unblock"))
        #expect(!text.contains("they have not elected a leader yet"))
    }

    @Test
    func `An empty cluster has a short status`() {
        let quorum = QuorumView(isQuorate: true, leader: "a", term: 1, needed: 1, voters: [])
        var view = StatusView(cluster: "c", answeredBy: "a", version: 0, digest: "0", quorum: quorum)
        view.nodes = [NodeView(name: "a", id: NodeID(1), addresses: [], state: .online)]
        view.nodes[0].leaseRemaining = 480
        #expect(
            StatusText.text(view) == """
                Cluster name: c
                Current DC: a (term 1) - partition with quorum
                Configuration: version 0, digest 0, seen by a
                1 node configured
                0 resources configured

                Online: [ a ]
                  a: lease for 480ms
                """
        )
    }

    @Test
    func `The configuration is shown in the words that make it`() {
        let cluster = CommandLineHarness()
        cluster.run(
            "resource create A process command='/bin/a -x' env.K='a b' op start timeout=5s meta requires=nothing"
        )
        cluster.run("lb listener create l bind=192.168.0.9:80 mode=http cookie='S insert indirect'")
        cluster.run("lb server add l s 192.168.0.10:80 cookie s check inter 1s weight 3")
        cluster.run("lb server drain l s")
        cluster.run("constraint location add A controller1 score=-5")
        #expect(
            cluster.run("resource config A").output == """
                Resource: A (process)
                  Attributes: command='/bin/a -x' env.K='a b'
                  Meta: requires=nothing
                  Operations:
                    start: timeout=5s
                    stop: timeout=10s
                    monitor: interval=10s timeout=20s
                """
        )
        #expect(
            cluster.run("lb listener config").output == """
                Listener: l
                  Options: bind=192.168.0.9:80 mode=http balance=roundrobin cookie='S insert indirect'
                  Servers:
                    s 192.168.0.10:80 cookie s check inter 1s weight 3 (drain)
                """
        )
        #expect(
            cluster.run("constraint location config").output == """
                Location Constraints:
                  A avoids controller1 (score:-5) (id:location-A-controller1--5)
                """
        )
        #expect(cluster.run("property show stonith-enabled").output == "stonith-enabled=true (default)")
        #expect(cluster.run("property show --json").output.contains("\"stonith-timeout\" : \"1m\""))
    }

    @Test
    func `Links are shown with loss, time and size`() {
        let text = """
            controller2 link 0 10.0.0.1 -> 10.0.0.2: up (used), loss 0.0% in 1.5% out, rtt 0.21ms, mtu 1500
            controller2 link 1 10.0.0.1 -> 10.1.0.2: HELD for 10.0s: it went down too often, \
            loss 0.0% in 0.0% out, rtt 12.05ms, mtu 9000
            controller3 link 0 10.0.0.1 -> 10.0.0.2: DOWN, last heard 1m 5s ago
            """
        #expect(CommandLineHarness().run("link status").output == text)
        #expect(CommandLineHarness().run("link status --json").output.contains("\"roundTripMicroseconds\" : 214"))
        var status = exampleStatus()
        status.links = exampleLinks()
        #expect(StatusText.text(status).contains("Links of controller1:\n  controller2 link 0"))
    }

    @Test
    func `A rotation under way is told with whom it waits for`() {
        #expect(
            CommandLineHarness().run("key status").output == """
                generation 2 seals
                generations from 1 are still opened: haven key retire ends that
                generation 3 is being handed out
                waiting for controller2
                """
        )
    }

    @Test
    func `Derived times are shown with the failover that they promise`() {
        #expect(
            CommandLineHarness().run("property show --derived").output == """
                profile             lan
                heartbeat-interval  100ms
                suspect-after       300ms
                lost-after          600ms
                election-timeout    600ms
                lease               480ms
                grace               100ms
                clock-rate-error    10%
                failover            1200ms, at most 2s
                not on this profile yet, or not heard: controller3
                """
        )
        #expect(CommandLineHarness().run("property show --derived profile").code == 2)
    }

    @Test(arguments: [
        (0, "1970-01-01 00:00:00 UTC"), (951_782_400_000, "2000-02-29 00:00:00 UTC"),
        (1_709_251_199_999, "2024-02-29 23:59:59 UTC"), (-1000, "1969-12-31 23:59:59 UTC"),
        (4_102_444_800_000, "2100-01-01 00:00:00 UTC"),
    ])
    func `Dates are right`(milliseconds: Int64, text: String) {
        #expect(TimeText.date(milliseconds) == text)
    }

    @Test(
        arguments: [
            (0, "0.0s"), (1249, "1.2s"), (59_999, "60.0s"), (60_000, "1m"), (3_605_000, "1h"), (90_061_000, "1d 1h"),
        ] as [(Milliseconds, String)]
    )
    func `Durations are short`(time: Milliseconds, text: String) {
        #expect(TimeText.duration(time) == text)
    }
}
