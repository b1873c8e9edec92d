import AdminAPI
import ClusterModel
import Lab
import Processes
import Testing

extension IntegrationTests {
    /// Machines that join a running cluster, leave it, change their role, or come back with an empty disk.
    @Suite(.serialized, .lab("itnodes", hosts: 4), .timeLimit(.minutes(8)))
    struct NodeChangeTests {
        private static let three = ["ctl1", "ctl2", "ctl3"]

        @Test
        func `A machine is added, runs work, and is taken out again`() throws {
            let cluster = try TestCluster.current()
            try cluster.createAddress(TestCluster.virtualAddress)
            try cluster.haven("ctl1", "node", "add", "ctl4", "--start")
            try waitForVoters(Self.three + ["ctl4"], cluster)
            // Agents of one version agree on the newest level, and raise their cluster to it.
            try cluster.waitUntil("all are at the newest level", on: "ctl4") { view in
                view.level == ProtocolLevel.newest && view.nodes.allSatisfy { $0.level == ProtocolLevel.newest }
            }
            try cluster.haven("ctl2", "resource", "move", "VirtualIP", "ctl4")
            try cluster.waitUntil("the new node has the address", on: "ctl4") { $0.place(of: "VirtualIP") == "ctl4" }
            // It finds its peers again, and they find it, from what they wrote down.
            for host in ["ctl4", "ctl1"] {
                try cluster.haven(host, "cluster", "stop")
                try cluster.haven(host, "cluster", "start")
                try waitForVoters(Self.three + ["ctl4"], cluster)
            }
            let said = try cluster.refused(1, "ctl4", "node", "remove", "ctl9")
            #expect(said.contains("ctl4"), "\(said)")
            let leader = try #require(cluster.status("ctl4")?.quorum.leader)
            let place = leader == "ctl2" ? "ctl3" : "ctl2"
            try cluster.haven(place, "node", "remove", "ctl4")
            let left = try cluster.waitUntil("three are left", on: place) { $0.nodes.count == 3 }
            #expect(left.nodes.map(\.name) == Self.three)
            try cluster.waitUntil("the address is elsewhere", on: place) {
                $0.place(of: "VirtualIP").map { $0 != "ctl4" } == true
            }
            try waitForVoters(Self.three, cluster)
            let files = try cluster.run("ctl4", ["sh", "-c", "ls -A /var/lib/haven 2>/dev/null"]).output.text
            #expect(files.isEmpty, "\(files)")
            let status = try cluster.run("ctl4", ["haven", "status"])
            #expect(status.exit == .exited(code: 3), "\(status.errors.text)")
        }

        @Test
        func `A machine that cannot be reached is not left in the configuration`() throws {
            let cluster = try TestCluster.current()
            let said = try cluster.refused(
                1,
                "ctl1",
                "node",
                "add",
                "ctl9=10.99.1.99",
                "--start",
                "--rsh",
                "ssh",
                "-o",
                "ConnectTimeout=1",
                "-o",
                "BatchMode=yes",
                "-o",
                "HostName=10.99.1.99"
            )
            #expect(said.contains("ctl9"), "\(said)")
            #expect(cluster.status("ctl1")?.nodes.map(\.name) == Self.three)
        }

        @Test
        func `A node that lost its disk joins again by a token, and its vote counts after the others listed it`() throws
        {
            let cluster = try TestCluster.current()
            try waitForVoters(Self.three, cluster)
            let former = try #require(incarnation(of: "ctl3", cluster))
            try cluster.lab.power(.off, "ctl3")
            try cluster.waitUntil("the others miss it", on: "ctl1") { $0.state(of: "ctl3") == .lost }
            let refused = try cluster.refused(1, "ctl1", "node", "remove", "ctl3")
            #expect(refused.contains("may still run") && refused.contains("stonith confirm"), "\(refused)")
            try cluster.lab.power(.on, "ctl3")
            try cluster.waitUntil("it is back", on: "ctl1") { $0.state(of: "ctl3") == .online }
            try cluster.shell("ctl3", "pkill -9 -f 'haven[d] -[-]s' || true; pkill -9 -x havend || true")
            try cluster.shell("ctl3", "rm -rf /var/lib/haven/* /run/haven/*")
            try cluster.waitUntil("the others miss it again", on: "ctl1") { $0.state(of: "ctl3") == .lost }
            let token = try cluster.haven("ctl1", "cluster", "token", "ctl3")
            try cluster.shell("ctl3", "haven cluster join --start", input: token)
            try waitForVoters(Self.three, cluster)
            #expect(try #require(incarnation(of: "ctl3", cluster)) > former)
            // With its vote two are enough.
            let other = try #require(Self.three.first { $0 != "ctl3" && $0 != cluster.status("ctl3")?.quorum.leader })
            try cluster.lab.power(.off, other)
            let rest = Self.three.filter { $0 != other }
            try cluster.waitUntil("two go on", on: "ctl3") { view in
                view.state(of: other) == .lost && view.quorum.isQuorate
                    && rest.allSatisfy { view.state(of: $0) == .online }
            }
            try cluster.haven("ctl3", "stonith", "confirm", other, "--yes")
            #expect(cluster.status("ctl3")?.fence(of: other)?.outcome == .verified)
            try cluster.lab.power(.on, other)
            try waitForVoters(Self.three, cluster)
        }

        @Test
        func `A witness votes and runs nothing, a satellite runs work and does not vote`() throws {
            let cluster = try TestCluster.current()
            if cluster.status("ctl1")?.resource("VirtualIP") == nil {
                try cluster.createAddress(TestCluster.virtualAddress)
            }
            try cluster.haven("ctl1", "resource", "move", "VirtualIP", "ctl3")
            try cluster.waitUntil("the address is there", on: "ctl1") { $0.place(of: "VirtualIP") == "ctl3" }
            try cluster.haven("ctl2", "node", "role", "ctl3", "witness")
            try cluster.waitUntil("a witness runs nothing", on: "ctl1") {
                $0.place(of: "VirtualIP").map { $0 != "ctl3" } == true
            }
            let said = try cluster.refused(1, "ctl1", "resource", "move", "VirtualIP", "ctl3")
            #expect(said.contains("witness"), "\(said)")
            try waitForVoters(Self.three, cluster)
            try cluster.haven("ctl2", "node", "role", "ctl3", "satellite")
            try waitForVoters(["ctl1", "ctl2"], cluster)
            try cluster.haven("ctl1", "resource", "move", "VirtualIP", "ctl3")
            try cluster.waitUntil("a satellite runs work", on: "ctl2") { $0.place(of: "VirtualIP") == "ctl3" }
            try cluster.haven("ctl2", "node", "role", "ctl3", "member")
            try waitForVoters(Self.three, cluster)
        }

        @Test
        func `All are stopped at once, and any majority starts the cluster again`() throws {
            let cluster = try TestCluster.current()
            try waitForVoters(Self.three, cluster)
            try cluster.haven("ctl2", "cluster", "stop", "--all")
            for name in ["ctl3", "ctl1"] {
                let host = try cluster.lab.host(name)
                try cluster.wait("the agent of \(name) ends") { try !host.run(["pgrep", "-x", "havend"]).isSuccess }
            }
            for host in ["ctl3", "ctl1"] { try cluster.haven(host, "cluster", "start") }
            let view = try cluster.waitUntil("two start it", on: "ctl1") { $0.quorum.isQuorate }
            #expect(view.quorum.voters.map(\.node) == Self.three)
            #expect(view.fences.filter { $0.record.reason != "an operator confirmed it" }.isEmpty, "\(view.fences)")
            try cluster.haven("ctl2", "cluster", "start")
            try waitForVoters(Self.three, cluster)
        }

        /// All of them are online, and vote as they run.
        private func waitForVoters(_ names: [String], _ cluster: TestCluster) throws {
            try cluster.waitUntil("\(names.joined(separator: ", ")) vote", on: names[0]) { view in
                guard view.quorum.isQuorate, view.quorum.voters.map(\.node) == names else { return false }
                return view.quorum.voters.allSatisfy { voter in
                    let node = view.nodes.first { $0.name == voter.node }
                    return node?.state == .online && node?.incarnation == voter.incarnation
                }
            }
        }

        private func incarnation(of node: String, _ cluster: TestCluster) -> Incarnation? {
            cluster.status("ctl1")?.nodes.first { $0.name == node }?.incarnation
        }
    }
}
