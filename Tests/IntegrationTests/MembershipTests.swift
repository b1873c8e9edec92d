import AdminAPI
import ClusterModel
import Lab
import Processes
import Testing

extension IntegrationTests {
    /// How a cluster comes to be and how all of it stops, with nodes that cannot be reached.
    @Suite(.serialized, .lab("itmember", isSetUp: false))
    struct MembershipTests {
        @Test
        func `A set-up with a node that cannot be reached leaves nobody half configured`() throws {
            let cluster = try TestCluster.current()
            let said = try cluster.refused(
                1,
                "ctl1",
                "cluster",
                "setup",
                "--start",
                "openstack",
                "ctl1",
                "ctl2",
                "ctl3=10.99.0.99",
                "--rsh",
                "ssh",
                "-o",
                "BatchMode=yes",
                "-o",
                "ConnectTimeout=2",
                "-o",
                "HostName=10.99.0.99"
            )
            #expect(said.contains("ctl2") || said.contains("ctl3"), "\(said)")
            try expectNoMember(cluster)
            // Now the first of the others can be reached, and is undone when the second cannot.
            try cluster.lab.power(.off, "ctl3")
            let again = try cluster.refused(
                1,
                "ctl1",
                "cluster",
                "setup",
                "--start",
                "openstack",
                "ctl1",
                "ctl2",
                "ctl3",
                "--rsh",
                "ssh",
                "-o",
                "BatchMode=yes",
                "-o",
                "ConnectTimeout=2"
            )
            #expect(again.contains("ctl3"), "\(again)")
            try cluster.lab.power(.on, "ctl3")
            try expectNoMember(cluster)
            try cluster.setUp()
        }

        @Test
        func `Twins are refused, and a token for a node that runs is not given`() throws {
            let cluster = try TestCluster.current()
            try cluster.setUp()
            for words in [["ctl1", "ctl2", "ctl2=10.99.0.99"], ["ctl1", "ctl2", "ctl9=10.99.0.12"]] {
                let result = try cluster.run("client", ["haven", "cluster", "setup", "twins"] + words)
                #expect(result.exit == .exited(code: 2))
                #expect(result.errors.text.contains("ctl2"), "\(result.errors.text)")
            }
            let said = try cluster.refused(1, "ctl1", "cluster", "token", "ctl3")
            #expect(said.contains("ctl3 runs") && said.contains("haven cluster stop"), "\(said)")
            try cluster.waitUntil("all go on", on: "ctl1") { $0.online.count == 3 }
        }

        @Test
        func `Stopping all nodes stops all, though most of what they are told gets lost`() throws {
            let cluster = try TestCluster.current()
            try cluster.setUp()
            let filter = """
                table inet filter {
                  chain input {
                    type filter hook input priority 0
                    udp dport 5480 numgen random mod 100 < 60 drop
                  }
                }

                """
            for host in ["ctl2", "ctl3"] { try cluster.shell(host, "nft -f -", input: filter) }
            try cluster.haven("ctl1", "cluster", "stop", "--all")
            for host in cluster.lab.hosts {
                try cluster.wait("the agent of \(host.name) ends") { try !runsAgent(host) }
            }
            for host in ["ctl2", "ctl3"] { try cluster.shell(host, "nft delete table inet filter") }
            try cluster.haven("ctl1", "cluster", "start", "--all")
            try cluster.waitUntil("all are back", on: "ctl2") { $0.online.count == 3 && $0.quorum.isQuorate }
        }

        @Test
        func `Who did not answer is named when all are stopped, and the others stop`() throws {
            let cluster = try TestCluster.current()
            try cluster.setUp()
            try cluster.lab.setLink(of: "ctl3", up: false)
            let said = try cluster.refused(1, "ctl1", "cluster", "stop", "--all")
            #expect(said.contains("no answer from ctl3;") && said.contains("haven cluster stop"), "\(said)")
            for name in ["ctl1", "ctl2"] {
                let host = try cluster.lab.host(name)
                try cluster.wait("the agent of \(name) ends") { try !runsAgent(host) }
            }
            #expect(try runsAgent(cluster.lab.host("ctl3")))
            try cluster.lab.setLink(of: "ctl3", up: true)
            try cluster.haven("ctl1", "cluster", "start", "--all")
            try cluster.waitUntil("all are back", on: "ctl3") { $0.online.count == 3 && $0.quorum.isQuorate }
        }

        private func runsAgent(_ host: LabHost) throws -> Bool {
            try host.run(["pgrep", "-f", "havend -[-]s"]).isSuccess
        }

        private func expectNoMember(_ cluster: TestCluster) throws {
            for host in cluster.lab.hosts {
                #expect(try !runsAgent(host), "an agent runs on \(host.name)")
                let left = try host.run(["sh", "-c", "ls -A /var/lib/haven 2>/dev/null"]).output.text
                #expect(left.isEmpty, "\(host.name): \(left)")
            }
        }
    }
}
