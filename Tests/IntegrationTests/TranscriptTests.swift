import AdminAPI
import ClusterModel
import Lab
import Testing

extension IntegrationTests {
    /// What operators learned to type for two controllers, typed with `haven`, on two controllers and a third.
    @Suite(.serialized, .lab("itscript", isSetUp: false))
    struct TranscriptTests {
        private static let address = TestCluster.virtualAddress

        @Test
        func `The book's lab works as it is typed`() throws {
            let cluster = try TestCluster.current()
            try setUp(cluster)
            try balance(cluster)
            try failOver(cluster)
            try powerOff(cluster)
        }

        private func setUp(_ cluster: TestCluster) throws {
            try WebServers.start(on: cluster)
            let said = try cluster.haven(
                "ctl1",
                "cluster",
                "setup",
                "--start",
                "--name",
                "openstack",
                "ctl1",
                "ctl2",
                "ctl3"
            )
            for node in ["ctl1", "ctl2", "ctl3"] { #expect(said.contains("\(node): started")) }
            try cluster.waitUntil("all are online", on: "ctl2") { $0.online.count == 3 && $0.quorum.isQuorate }
            try cluster.haven("ctl1", "property", "set", "stonith-enabled=false")
            let text = try cluster.haven("ctl2", "status")
            #expect(text.contains("Cluster name: openstack\n"))
            #expect(text.contains("Online: [ ctl1 ctl2 ctl3 ]\n"))
            #expect(text.contains("partition with quorum"))
            #expect(text.contains("WARNINGS:\n  stonith-enabled=false"))
            let status = try #require(cluster.status("ctl2"))
            #expect(text.contains("Current DC: \(try #require(status.quorum.leader)) "))
        }

        private func balance(_ cluster: TestCluster) throws {
            try cluster.haven(
                "ctl1",
                "resource",
                "create",
                "VirtualIP",
                "IPaddr2",
                "ip=\(Self.address)",
                "cidr_netmask=24"
            )
            try cluster.haven("ctl2", "resource", "create", "HAProxy", "process", "command=/bin/tail -f /dev/null")
            try cluster.haven(
                "ctl1",
                "constraint",
                "colocation",
                "add",
                "VirtualIP",
                "with",
                "HAProxy",
                "score=INFINITY"
            )
            let status = try cluster.waitUntil("both run together", on: "ctl3") {
                $0.place(of: "VirtualIP") != nil && $0.place(of: "VirtualIP") == $0.place(of: "HAProxy")
            }
            #expect(try cluster.owners(of: Self.address) == [status.place(of: "VirtualIP")])
            let text = try cluster.haven("ctl3", "status")
            #expect(text.contains("VirtualIP (ocf::heartbeat:IPaddr2): Started \(status.place(of: "VirtualIP") ?? "")"))
            #expect(text.contains("3 nodes configured\n2 resources configured\n"))
            try addListeners(cluster)
            try checkCookies(cluster)
        }

        private func addListeners(_ cluster: TestCluster) throws {
            try cluster.haven(
                "ctl1",
                "lb",
                "listener",
                "create",
                "horizon",
                "bind=\(Self.address):80",
                "mode=http",
                "cookie=SERVERID insert indirect nocache",
                "timeout-client=180s"
            )
            try cluster.haven(
                "ctl1",
                "lb",
                "listener",
                "create",
                "keystone-public",
                "bind=\(Self.address):5000",
                "mode=tcp"
            )
            for (name, own) in [("ctl1", "10.99.0.11"), ("ctl2", "10.99.0.12")] {
                try cluster.haven(
                    "ctl1",
                    "lb",
                    "server",
                    "add",
                    "horizon",
                    name,
                    "\(own):80",
                    "cookie",
                    name,
                    "check",
                    "inter",
                    "1s"
                )
                try cluster.haven(
                    "ctl1",
                    "lb",
                    "server",
                    "add",
                    "keystone-public",
                    name,
                    "\(own):5000",
                    "check",
                    "inter",
                    "1s"
                )
            }
            try cluster.wait("the identity service answers") {
                try cluster.fetch("http://\(Self.address):5000")?.contains("versions") == true
            }
        }

        /// Round robin without a cookie, always the same server with one.
        private func checkCookies(_ cluster: TestCluster) throws {
            let url = "http://\(Self.address)/"
            var servers: Set<String> = []
            try cluster.wait("both servers take turns") {
                let answer = try cluster.fetch(url, ["--include"]) ?? ""
                for name in ["ctl1", "ctl2"] where answer.hasSuffix("dashboard of \(name)") {
                    #expect(answer.lowercased().contains("set-cookie: serverid=\(name);"))
                    servers.insert(name)
                }
                return servers.count == 2
            }
            for name in ["ctl1", "ctl2"] {
                for _ in 0..<4 {
                    let answer = try cluster.fetch(url, ["--include", "--cookie", "SERVERID=\(name)"]) ?? ""
                    #expect(answer.hasSuffix("dashboard of \(name)"))
                    #expect(!answer.lowercased().contains("set-cookie"))
                }
            }
        }

        private func failOver(_ cluster: TestCluster) throws {
            let before = try #require(cluster.status("ctl1")?.place(of: "VirtualIP"))
            let said = try cluster.haven("ctl1", "failover", "test")
            #expect(said.contains("VirtualIP: \(before) -> "))
            #expect(said.contains("away: ") && said.contains("back: "))
            let status = try #require(cluster.status("ctl1"))
            #expect(status.place(of: "VirtualIP") == before)
            #expect(status.nodes.allSatisfy { !$0.standby })
        }

        private func powerOff(_ cluster: TestCluster) throws {
            let active = try #require(cluster.status("ctl1")?.place(of: "VirtualIP"))
            let other = try #require(["ctl1", "ctl2", "ctl3"].first { $0 != active })
            try cluster.lab.power(.off, active)
            try cluster.wait("the virtual IP answers again", within: .seconds(20)) {
                try cluster.fetch("http://\(Self.address)/") != nil
            }
            let status = try cluster.waitUntil("the status tells", on: other) {
                $0.state(of: active) == .lost && $0.place(of: "HAProxy") != nil
            }
            #expect(status.place(of: "VirtualIP") == status.place(of: "HAProxy"))
            #expect(status.place(of: "VirtualIP") != active)
            #expect(try cluster.owners(of: Self.address) == [status.place(of: "VirtualIP")])
            #expect(try cluster.haven(other, "status").contains("OFFLINE: [ \(active) ]"))
            // A server on the lost node is out of rotation, whatever its cookie says.
            for _ in 0..<4 {
                let answer = try cluster.fetch("http://\(Self.address)/", ["--cookie", "SERVERID=\(active)"])
                #expect(answer != nil && answer?.contains("dashboard of \(active)") == false)
            }

            try cluster.lab.power(.on, active)
            let after = try cluster.waitUntil("the node is back", on: active) { $0.online.count == 3 }
            #expect(after.place(of: "VirtualIP") == status.place(of: "VirtualIP"))
            #expect(try cluster.owners(of: Self.address) == [status.place(of: "VirtualIP")])
        }
    }
}
