import AdminAPI
import ClusterModel
import Lab
import Processes
import Testing

extension IntegrationTests {
    /// What agents and their operators' interface do with what they should never get.
    @Suite(.serialized, .lab("itbad"))
    struct BadInputTests {
        @Test
        func `What is not of the cluster changes nothing`() throws {
            let cluster = try TestCluster.current()
            let before = try cluster.waitUntil("all is well", on: "ctl1") { $0.online.count == 3 }
            let lines = try logLines(cluster)
            // Real datagrams of a peer, as a thief on the network has them: sent again, cut off, with a bit turned.
            try cluster.shell(
                "ctl2",
                """
                tcpdump -i any -n -c 60 -w /run/stolen 'udp port 5480' 2>/dev/null
                """
            )
            try cluster.shell("ctl2", "cat >/run/thief.py", input: Self.thief)
            for host in ["ctl2", "client"] {
                if host == "client" {
                    let stolen = try cluster.shell("ctl2", "base64 -w0 /run/stolen")
                    try cluster.shell("client", "base64 -d >/run/stolen", input: stolen)
                    try cluster.shell("client", "cat >/run/thief.py", input: Self.thief)
                }
                let sent = try cluster.shell(host, "python3 /run/thief.py 10.99.0.11 10.99.0.13")
                #expect(Int(sent.prefix { $0 != "\n" }).map { $0 > 4000 } == true, "\(sent)")
            }
            // The cluster still decides, with the same leader in the same term.
            try cluster.haven("ctl3", "property", "set", "stonith-enabled=false")
            for host in cluster.lab.hosts {
                let view = try #require(cluster.status(host.name))
                #expect(view.online.count == 3)
                #expect(view.quorum.term == before.quorum.term && view.quorum.leader == before.quorum.leader)
            }
            let news = try zip(logLines(cluster), lines).flatMap { $0.dropFirst($1.count) }
            #expect(!news.contains { $0.contains("is lost") || $0.contains("is suspect") || $0.contains("claims") })
        }

        @Test
        func `What does not exist is named, and nothing changes`() throws {
            let cluster = try TestCluster.current()
            let before = try #require(cluster.status("ctl2"))
            for words in [
                ["constraint", "colocation", "add", "Nothing", "with", "Nowhere", "score=INFINITY"],
                ["constraint", "location", "add", "Nothing", "ctl1", "score=5"],
                ["resource", "move", "Nothing", "ctl1"], ["resource", "delete", "Nothing"],
                ["lb", "server", "add", "Nothing", "web", "10.99.0.11:80"], ["stonith", "delete", "Nothing"],
                ["node", "standby", "Nothing"], ["cluster", "token", "Nothing"], ["lb", "status", "Nothing"],
            ] {
                let result = try cluster.run("ctl2", ["haven"] + words)
                #expect(result.exit == .exited(code: 1), "\(words): \(result.output.text)\(result.errors.text)")
                #expect(result.errors.text.contains("Nothing"), "\(words): \(result.errors.text)")
                #expect(result.errors.text.hasPrefix("Error: "), "\(words): \(result.errors.text)")
            }
            #expect(cluster.status("ctl2")?.version == before.version)
            #expect(try !cluster.refused(2, "ctl2", "resource", "create", "X").isEmpty)
            #expect(try cluster.refused(2, "ctl2", "resource", "create", "X", "IPaddr2", "ipp=1.2.3.4").contains("ipp"))
        }

        @Test
        func `A file that names what is not there is refused with line and column`() throws {
            let cluster = try TestCluster.current()
            let before = try #require(cluster.status("ctl2"))
            try cluster.shell(
                "ctl2",
                "cat >/run/cluster.yaml",
                input: """
                    cluster: openstack
                    resources:
                      - {name: VIP, agent: IPaddr2, parameters: {ip: 10.99.0.90, cidr_netmask: 24}}
                    constraints:
                      location:
                        - {resource: VIP, node: nowhere}
                        - {resource: nothing, node: ctl1}

                    """
            )
            let said = try cluster.refused(1, "ctl2", "apply", "-f", "/run/cluster.yaml")
            #expect(said.contains("/run/cluster.yaml:6:") && said.contains("nowhere"), "\(said)")
            #expect(said.contains("/run/cluster.yaml:7:") && said.contains("nothing"), "\(said)")
            #expect(cluster.status("ctl2")?.version == before.version)
        }

        @Test
        func `An agent of another cluster with a member's own address changes nothing`() throws {
            let cluster = try TestCluster.current()
            try cluster.haven("ctl3", "cluster", "stop")
            let before = try cluster.waitUntil("two are left", on: "ctl1") { $0.online == ["ctl1", "ctl2"] }
            let lines = try logLines(cluster)
            try cluster.shell(
                "ctl3",
                """
                cp -a /var/lib/haven /run/foreign
                python3 - <<'end'
                import json
                identity = json.load(open('/run/foreign/identity.json'))
                identity['cluster'] = {'high': 1, 'low': 2} if isinstance(identity['cluster'], dict) else '0' * 31 + '1'
                identity['secret'] = 'ab' * 32
                identity['clusterName'] = 'foreign'
                json.dump(identity, open('/run/foreign/identity.json', 'w'))
                end
                havend --state /run/foreign --run /run/foreign-run >/run/foreign.log 2>&1 &
                echo $! >/run/foreign.pid
                """
            )
            try cluster.wait("the foreign agent has stood for election") {
                try cluster.run(
                    "ctl3",
                    ["env", "HAVEN_SOCKET=/run/foreign-run/agent.sock", "haven", "quorum", "status"]
                )
                .output.text.contains("Quorate: NO")
            }
            // The cluster still decides, without it, and nobody took it for the member whose address it has.
            try cluster.haven("ctl2", "property", "set", "stonith-enabled=false")
            for name in ["ctl1", "ctl2"] {
                let view = try #require(cluster.status(name))
                #expect(view.online == ["ctl1", "ctl2"])
                #expect(view.quorum.term == before.quorum.term && view.quorum.leader == before.quorum.leader)
                #expect(view.warnings.allSatisfy { !$0.contains("claims") }, "\(view.warnings)")
            }
            let news = try zip(logLines(cluster), lines).prefix(2).flatMap { $0.dropFirst($1.count) }
            #expect(!news.contains { $0.contains("started again") || $0.contains("claims") }, "\(news)")
            try cluster.shell("ctl3", "kill -9 $(cat /run/foreign.pid)")
            try cluster.haven("ctl3", "cluster", "start")
            try cluster.waitUntil("the member is back", on: "ctl3") { $0.online.count == 3 && $0.quorum.isQuorate }
        }

        @Test
        func `A member is not set up a second time`() throws {
            let cluster = try TestCluster.current()
            let before = try cluster.shell("ctl1", "sha256sum /var/lib/haven/identity.json")
            #expect(try cluster.refused(1, "ctl1", "cluster", "setup", "other", "ctl1", "ctl2").contains("openstack"))
            #expect(try cluster.shell("ctl1", "sha256sum /var/lib/haven/identity.json") == before)
            #expect(
                try cluster.shell("ctl3", "echo nonsense | haven cluster join 2>&1 || test $? = 1").contains(
                    "openstack"
                )
            )
            try cluster.waitUntil("all is well", on: "ctl1") { $0.online.count == 3 && $0.cluster == "openstack" }
        }

        @Test
        func `Without an agent the exit code is 3`() throws {
            let cluster = try TestCluster.current()
            #expect(try cluster.refused(3, "client", "status").contains("haven cluster start"))
            try cluster.haven("ctl3", "cluster", "stop")
            #expect(try cluster.refused(3, "ctl3", "status").contains("haven cluster start"))
            try cluster.haven("ctl3", "cluster", "start")
            try cluster.waitUntil("it is back", on: "ctl3") { $0.online.count == 3 }
        }

        @Test
        func `Without a quorum nothing is changed and the exit code is 3`() throws {
            let cluster = try TestCluster.current()
            try cluster.lab.partition([["ctl1", "ctl2"], ["ctl3"]])
            defer { try? cluster.lab.heal() }
            try cluster.waitUntil("the minority knows", on: "ctl3") { !$0.quorum.isQuorate }
            let said = try cluster.refused(
                3,
                "ctl3",
                "resource",
                "create",
                "Lone",
                "IPaddr2",
                "ip=10.99.0.77",
                "cidr_netmask=24"
            )
            #expect(said.contains("quorum") || said.contains("leader"), "\(said)")
            try cluster.haven("ctl1", "property", "set", "stonith-enabled=false")
            try cluster.lab.heal()
            let view = try cluster.waitUntil("they are one again", on: "ctl3") {
                $0.online.count == 3 && !$0.stonithEnabled
            }
            #expect(view.resource("Lone") == nil)
        }

        @Test
        func `A damaged database is refused by name, and its node joins again as told`() throws {
            let cluster = try TestCluster.current()
            try cluster.haven("ctl3", "cluster", "stop")
            // All pages but the first, so that it still looks like a database.
            try cluster.shell(
                "ctl3",
                "cd /var/lib/haven; size=$(stat -c %s state.db); rm -f state.db-*; "
                    + "head -c $((size - 4096)) /dev/urandom | dd of=state.db bs=4096 seek=1 conv=notrunc status=none"
            )
            let said = try cluster.refused(1, "ctl3", "cluster", "start")
            #expect(said.contains("/var/lib/haven/state.db") && said.contains("haven cluster token"), "\(said)")
            #expect(try !cluster.run("ctl3", ["pgrep", "-f", "havend -[-]s"]).isSuccess, "an agent is left")
            try cluster.haven("ctl3", "cluster", "destroy")
            let token = try cluster.haven("ctl1", "cluster", "token", "ctl3")
            try cluster.shell("ctl3", "haven cluster join --start", input: token)
            try cluster.waitUntil("it is a member again", on: "ctl3") { $0.online.count == 3 && $0.quorum.isQuorate }
        }

        @Test
        func `A copy of a node is refused and alarmed, and the node goes on`() throws {
            let cluster = try TestCluster.current()
            let before = try cluster.waitUntil("all is well", on: "ctl1") { $0.online.count == 3 }
            try cluster.haven("ctl3", "cluster", "stop")
            let image = try cluster.shell("ctl3", "tar -C / -cz var/lib/haven | base64 -w0")
            try cluster.haven("ctl3", "cluster", "start")
            try cluster.waitUntil("the node is back", on: "ctl1") { $0.online.count == 3 }
            try cluster.shell("client", "base64 -d | tar -C / -xz", input: image)
            // The copy takes the address, too, as a cloned machine does; its agent is older by one start.
            try cluster.shell(
                "client",
                "ip address add 10.99.0.13/24 dev eth0; arping -c 3 -U -I eth0 10.99.0.13 || true"
            )
            defer {
                _ = try? cluster.run(
                    "client",
                    ["sh", "-c", "haven cluster stop; ip address del 10.99.0.13/24 dev eth0"]
                )
            }
            _ = try cluster.run("client", ["haven", "cluster", "start"])
            try cluster.wait("the copy ends and says why") {
                try cluster.run("client", ["grep", "-q", "join again", "/var/log/haven/havend.log"]).isSuccess
            }
            let said = try cluster.run("client", ["haven", "cluster", "start"]).errors.text
            #expect(said.contains("must join again"), "\(said)")
            try cluster.shell("client", "ip address del 10.99.0.13/24 dev eth0")
            try cluster.shell("ctl3", "arping -c 3 -U -I eth0 10.99.0.13 || true")
            let after = try cluster.waitUntil("the node goes on", on: "ctl1") { $0.online.count == 3 }
            // The copy was met by one of the others at least, and that one says so.
            let told = ["ctl1", "ctl2"].flatMap { cluster.status($0)?.warnings ?? [] }
            #expect(told.contains { $0.contains("old disk image") || $0.contains("copied") }, "\(told)")
            #expect(after.quorum.isQuorate && after.quorum.term >= before.quorum.term)
        }

        @Test
        func `A node whose disk is full steps aside, and takes part again when there is room`() throws {
            let cluster = try TestCluster.current()
            try cluster.haven("ctl2", "cluster", "stop")
            try cluster.shell(
                "ctl2",
                """
                cp -a /var/lib/haven /run/kept
                mount -t tmpfs -o size=1m,mode=700 tmpfs /var/lib/haven
                cp -a /run/kept/. /var/lib/haven/
                """
            )
            try cluster.haven("ctl2", "cluster", "start")
            try cluster.waitUntil("it is back", on: "ctl1") { $0.online.count == 3 }
            try cluster.shell("ctl2", "cat /dev/zero >/var/lib/haven/filler 2>/dev/null || true")
            for number in 0..<30 {
                try cluster.haven(
                    "ctl1",
                    "resource",
                    "create",
                    "Full\(number)",
                    "IPaddr2",
                    "ip=10.99.0.\(150 + number)",
                    "cidr_netmask=24",
                    "--disabled"
                )
            }
            try cluster.wait("the node says that it steps aside") {
                try cluster.run("ctl2", ["grep", "-q", "takes no part", "/var/log/haven/havend.log"]).isSuccess
            }
            try cluster.shell("ctl2", "rm /var/lib/haven/filler")
            try cluster.waitUntil("it has everything", on: "ctl2") {
                $0.resource("Full29") != nil && $0.online.count == 3 && $0.quorum.isQuorate
            }
            // The node's own word: it holds a lease again, and votes.
            try cluster.wait("it takes part again") {
                try cluster.run("ctl2", ["haven", "quorum", "status"]).output.text.contains("Quorate: yes")
            }
        }

        private func logLines(_ cluster: TestCluster) throws -> [[Substring]] {
            try cluster.lab.hosts.map { host in
                try cluster.shell(host.name, "tail -c 60000 /var/log/haven/havend.log").split(separator: "\n")
            }
        }

        /// Sends what it finds in a capture, changed in every way, and noise; prints how many datagrams.
        private static let thief = #"""
            import random, socket, struct, sys
            data = open('/run/stolen', 'rb').read()
            order = '<' if data[:4] == b'\xd4\xc3\xb2\xa1' else '>'
            link = struct.unpack(order + 'I', data[20:24])[0]
            head = {1: 14, 113: 16, 276: 20}[link]
            stolen, at = [], 24
            while at + 16 <= len(data):
                size = struct.unpack(order + 'I', data[at + 8:at + 12])[0]
                packet = data[at + 16 + head:at + 16 + size]
                stolen.append(packet[(packet[0] & 15) * 4 + 8:])
                at += 16 + size
            random.seed(1)
            out, sent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0
            def send(payload):
                global sent
                for target in sys.argv[1:]:
                    out.sendto(payload, (target, 5480))
                    sent += 1
            for payload in stolen:
                send(payload)
                for length in (0, 1, 2, 40, 75, 76, 77, len(payload) - 1):
                    send(payload[:length])
                for _ in range(24):
                    changed = bytearray(payload)
                    changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
                    send(bytes(changed))
            for _ in range(500):
                send(random.randbytes(random.choice((1, 30, 76, 200, 1400, 9000))))
                send(bytes([1, random.choice((1, 2, 3, 4, 5, 6, 7, 32, 33, 99))]) + random.randbytes(200))
            print(sent)
            """#
    }
}
