import AdminAPI
import ClusterModel
import Lab
import Processes
import Testing

extension IntegrationTests {
    /// Nodes that go on without their agent, in a cluster that powers nobody off: nothing but the lease ends what they do.
    @Suite(.serialized, .lab("ithang"))
    struct HangTests {
        private static let address = TestCluster.virtualAddress
        private static let address6 = "fd00:99::30"
        private static let log = "/tmp/owners.log"

        private func createAddresses(_ cluster: TestCluster) throws {
            try cluster.haven("ctl1", "property", "set", "stonith-enabled=false")
            try cluster.haven("ctl1", "resource", "create", "VIP", "IPaddr2", "ip=\(Self.address)", "cidr_netmask=24")
            let interface = try cluster.shell("ctl1", "ip -o addr show to 10.99.0.0/24 | awk '{print $2; exit}'")
            try cluster.haven(
                "ctl1",
                "resource",
                "create",
                "VIP6",
                "IPaddr2",
                "ip=\(Self.address6)",
                "cidr_netmask=64",
                "nic=\(interface.trimmed)"
            )
            try cluster.haven("ctl1", "constraint", "colocation", "add", "VIP6", "with", "VIP", "score=INFINITY")
            try TestCluster.shell(
                cluster.lab.client,
                "ip -6 addr add fd00:99::1/64 dev $(ip -o addr show to 10.99.0.0/24 | awk '{print $2; exit}') nodad"
            )
        }

        /// Asks from the client who has the address, for as long as the client lives.
        private func watchOwners(_ cluster: TestCluster) throws {
            try TestCluster.shell(
                cluster.lab.client,
                "setsid haven lab owners \(Self.address) >\(Self.log) 2>&1 </dev/null &"
            )
        }

        /// What was answered so far: the hardware addresses of every answer that named any, oldest first.
        private func answers(_ cluster: TestCluster) throws -> [String] {
            try TestCluster.shell(cluster.lab.client, "cat \(Self.log)").split(separator: "\n").compactMap { line in
                let words = line.split(separator: " ")
                return words.count == 4 && words[3] != "-" ? String(words[3]) : nil
            }
        }

        private func hardwareAddress(_ host: String, _ cluster: TestCluster) throws -> String {
            try cluster.shell(
                host,
                "cat /sys/class/net/$(ip -o addr show to 10.99.0.0/24 | awk '{print $2; exit}')/address"
            ).trimmed
        }

        private func neighbour6(_ cluster: TestCluster) throws -> String {
            try TestCluster.shell(cluster.lab.client, "ip -6 neigh show \(Self.address6)")
        }

        @Test
        func `A node whose processes all stop falls silent by itself, and never speaks up again`() throws {
            let cluster = try TestCluster.current()
            try createAddresses(cluster)
            let status = try cluster.waitUntil("both addresses are started", on: "ctl1") {
                $0.place(of: "VIP") != nil && $0.place(of: "VIP6") != nil
            }
            let active = try #require(status.place(of: "VIP"))
            let other = try #require(["ctl1", "ctl2", "ctl3"].first { $0 != active })
            let former = try hardwareAddress(active, cluster)
            try cluster.wait("the client reaches the IPv6 address") {
                try cluster.lab.client.run(["ping", "-6", "-c", "1", "-W", "1", Self.address6]).isSuccess
            }
            #expect(try neighbour6(cluster).contains(former))
            try watchOwners(cluster)
            try cluster.wait("the owner answers") { try answers(cluster).last == former }
            try cluster.shell(active, "pkill -STOP -f 'haven[d-]'")
            try cluster.waitUntil("the addresses are elsewhere", on: other) {
                $0.place(of: "VIP").map { $0 != active } == true && $0.place(of: "VIP6").map { $0 != active } == true
            }
            // Nobody has taken them from the node; it is silent all the same.
            #expect(try cluster.owners(of: Self.address).contains(active))
            try cluster.wait("another owner answers") { try answers(cluster).last.map { $0 != former } == true }
            try TestCluster.shell(cluster.lab.client, "ip -6 neigh flush to \(Self.address6)")
            try cluster.wait("the client reaches the IPv6 address again") {
                try cluster.lab.client.run(["ping", "-6", "-c", "1", "-W", "1", Self.address6]).isSuccess
            }
            #expect(try !neighbour6(cluster).contains(former))
            // The node goes on in the middle of what it was doing, believing what it believed then.
            try cluster.shell(active, "pkill -CONT -f 'haven[d-]'")
            try cluster.waitUntil("the node is back", on: other) { $0.online.count == 3 }
            try cluster.wait("it has given the addresses up") { try !cluster.owners(of: Self.address).contains(active) }
            let heard = try answers(cluster)
            #expect(heard.allSatisfy { !$0.contains(",") }, "two owners: \(Set(heard))")
            let firstOfOther = try #require(heard.firstIndex { $0 != former })
            #expect(heard[firstOfOther...].allSatisfy { $0 != former }, "\(former) spoke up again")
        }

        @Test
        func `The guard clears a node whose agent hangs, and what it cleared does not come back twice`() throws {
            let cluster = try TestCluster.current()
            try createApplication(cluster)
            let (active, other) = try place(cluster)
            try cluster.shell(active, "pkill -STOP -x havend")
            try waitUntilClear(active, cluster)
            try cluster.waitUntil("all is elsewhere", on: other) { status in
                ["VIP", "App"].allSatisfy { status.place(of: $0).map { $0 != active } == true }
            }
            // Still nothing is there, and still the agent has done nothing.
            #expect(try isClear(active, cluster))
            try cluster.shell(active, "pkill -CONT -x havend")
            try cluster.waitUntil("the node is back", on: other) { $0.online.count == 3 }
            #expect(try cluster.owners(of: Self.address).count == 1)
            #expect(try ["ctl1", "ctl2", "ctl3"].filter { try !isClear($0, cluster) }.count == 1)
        }

        @Test
        func `The guard clears a node whose agent is dead, and ends`() throws {
            let cluster = try TestCluster.current()
            try createApplication(cluster)
            let (active, other) = try place(cluster)
            try cluster.shell(active, "pkill -KILL -x havend")
            try waitUntilClear(active, cluster)
            try cluster.waitUntil("all is elsewhere", on: other) { status in
                ["VIP", "App"].allSatisfy { status.place(of: $0).map { $0 != active } == true }
            }
            try cluster.wait("the guard has ended") {
                try !cluster.run(active, ["pgrep", "-x", "haven-guard"]).isSuccess
            }
            try cluster.haven(active, "cluster", "start")
            try cluster.waitUntil("the node is back", on: other) { $0.online.count == 3 }
            // One agent, one guard.
            #expect(try cluster.shell(active, "pgrep -c -x haven-guard").hasPrefix("1"))
            #expect(try ["ctl1", "ctl2", "ctl3"].filter { try !isClear($0, cluster) }.count == 1)
        }

        private static let work = "/bin/sleep 4711"

        /// A process where the address is; nobody is powered off, so it runs under the lease.
        private func createApplication(_ cluster: TestCluster) throws {
            guard try #require(cluster.status("ctl1")).resource("App") == nil else { return }
            if try #require(cluster.status("ctl1")).resource("VIP") == nil { try createAddresses(cluster) }
            try cluster.haven("ctl1", "resource", "create", "App", "process", "command=\(Self.work)")
            try cluster.haven("ctl1", "constraint", "colocation", "add", "App", "with", "VIP", "score=INFINITY")
        }

        private func place(_ cluster: TestCluster) throws -> (active: String, other: String) {
            let status = try cluster.waitUntil("all runs", on: "ctl1") { status in
                ["VIP", "App"].allSatisfy { status.place(of: $0) != nil } && status.online.count == 3
            }
            let active = try #require(status.place(of: "App"))
            #expect(try !isClear(active, cluster))
            return (active, try #require(["ctl1", "ctl2", "ctl3"].first { $0 != active }))
        }

        private func isClear(_ host: String, _ cluster: TestCluster) throws -> Bool {
            let processes = try cluster.run(host, ["pgrep", "-x", "-f", Self.work])
            return try !processes.isSuccess && !cluster.owners(of: Self.address).contains(host)
        }

        private func waitUntilClear(_ host: String, _ cluster: TestCluster) throws {
            try cluster.wait("\(host) is cleared") { try isClear(host, cluster) }
        }

        @Test
        func `A node that leaves the cluster leaves no tables behind, and those of others as they are`() throws {
            let cluster = try TestCluster.current()
            let leaving = try #require(["ctl2", "ctl3"].first { cluster.status("ctl1")?.state(of: $0) == .online })
            try cluster.shell(leaving, "nft 'table inet mine { chain c { type filter hook input priority 0; }; }'")
            let mine = try cluster.shell(leaving, "nft list table inet mine")
            #expect(try cluster.shell(leaving, "nft list tables").contains("table arp haven"))
            try cluster.haven(leaving, "cluster", "stop")
            #expect(try cluster.shell(leaving, "nft list ruleset") == mine)
        }
    }
}

extension String {
    /// Without white space around it.
    fileprivate var trimmed: String { String(trimmingPrefix(while: \.isWhitespace).prefix { !$0.isNewline }) }
}
