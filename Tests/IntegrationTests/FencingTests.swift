import AdminAPI
import ClusterModel
import Lab
import Processes
import Testing

extension IntegrationTests {
    /// Power-offs by Debian's fence_ipmilan over IPMI and by the lab's own outlets.
    @Suite(.serialized, .lab("itfence"))
    struct FencingTests {
        private static let address = TestCluster.virtualAddress

        @Test
        func `A node that lost its power is fenced over IPMI, and what must not run twice starts only then`() throws {
            let cluster = try TestCluster.current()
            try createIPMIDevices(cluster)
            try createWork(cluster)
            let active = try placeTogether(cluster)
            let other = try #require(["ctl1", "ctl2", "ctl3"].first { $0 != active })
            try cluster.lab.power(.off, active)
            // The address is back while the fence is still under way: it requires a lease alone.
            // It may even be back before the fence is ordered, which waits until no other voter hears the node.
            let early = try cluster.waitUntil("the address is back", on: other) {
                $0.place(of: "VirtualIP").map { $0 != active } == true && $0.fence(of: active) != nil
            }
            let fence = try #require(early.fence(of: active))
            #expect(fence.outcome == .ordered, "\(fence)")
            #expect(early.place(of: "Database") == nil)
            #expect(early.resource("Database")?.reason.contains("powered off") == true)
            let late = try cluster.waitUntil("the rest is back", on: other) {
                $0.place(of: "Database").map { $0 != active } == true
            }
            #expect(late.fence(of: active)?.outcome == .verified)
            try cluster.waitUntil("the fenced node rejoins by itself", on: active) { $0.online.count == 3 }
            #expect(try cluster.owners(of: Self.address).count == 1)
            #expect(try processes(of: "Database", cluster) == 1)
        }

        @Test
        func `A node that hangs is fenced by its outlet`() throws {
            let cluster = try TestCluster.current()
            try deleteDevices(cluster)
            try cluster.haven(
                "ctl2",
                "stonith",
                "create",
                "outlets",
                "fence_lab_pdu",
                "ip=pdu",
                "password=@/etc/haven-lab/pdu.password",
                "pcmk_host_list=ctl1 ctl2 ctl3"
            )
            try createWork(cluster)
            let active = try placeTogether(cluster)
            let other = try #require(["ctl1", "ctl2", "ctl3"].first { $0 != active })
            let first = try #require(try cluster.lab.host(active).firstProcess)
            try cluster.shell(active, "pkill -STOP -f 'havend -[-]s'")
            let status = try cluster.waitUntil("everything runs elsewhere", on: other) {
                $0.place(of: "Database").map { $0 != active } == true && $0.place(of: "VirtualIP") != nil
            }
            #expect(status.fence(of: active)?.outcome == .verified)
            #expect(!first.isRunning)
            try cluster.waitUntil("the fenced node rejoins by itself", on: active) { $0.online.count == 3 }
            #expect(try processes(of: "Database", cluster) == 1)
        }

        @Test
        func `An operator fences a node, which comes back`() throws {
            let cluster = try TestCluster.current()
            try deleteDevices(cluster)
            try createIPMIDevices(cluster)
            let leader = try #require(cluster.status("ctl1")?.quorum.leader)
            let other = try #require(["ctl1", "ctl2", "ctl3"].first { $0 != leader })
            let first = try #require(try cluster.lab.host(other).firstProcess)
            try cluster.haven(leader, "stonith", "fence", other)
            #expect(!first.isRunning)
            let text = try cluster.haven(leader, "status")
            #expect(text.contains("off and verified") && text.contains("ordered by an operator"), "\(text)")
            try cluster.waitUntil("it is back", on: other) { $0.online.count == 3 }
            #expect(try cluster.refused(1, leader, "stonith", "fence", "nobody").contains("nobody"))
        }

        @Test
        func `A wrong password is told, and what requires the fence stays where it may still run`() throws {
            let cluster = try TestCluster.current()
            try deleteDevices(cluster)
            try createWork(cluster)
            let active = try placeTogether(cluster)
            let other = try #require(["ctl1", "ctl2", "ctl3"].first { $0 != active })
            for host in cluster.lab.hosts {
                try TestCluster.shell(host, "umask 077; printf wrongwrong >/etc/haven-lab/wrong.password")
            }
            try createIPMIDevices(cluster, passwordOf: { _ in "wrong" }, on: other)
            try cluster.lab.power(.off, active)
            let status = try cluster.waitUntil("the failure is told", on: other) {
                if case .failed = $0.fence(of: active)?.outcome { true } else { false }
            }
            #expect(status.place(of: "VirtualIP").map { $0 != active } == true)
            #expect(status.resource("Database")?.state == .blocked)
            #expect(status.resource("Database")?.reason.contains(active) == true)
            let text = try cluster.haven(other, "status")
            #expect(text.contains("ipmi-\(active)"), "\(text)")
            #expect(!text.contains("wrongwrong"))
            // With the right one the fence that is tried again succeeds, and then all runs.
            try deleteDevices(cluster, on: other)
            try createIPMIDevices(cluster, on: other)
            try cluster.waitUntil("the database runs", on: other) {
                $0.place(of: "Database").map { $0 != active } == true
            }
            try cluster.waitUntil("all are back", on: other) { $0.online.count == 3 }
        }

        @Test
        func `A BMC that does not answer holds up only what needs it, and is told`() throws {
            let cluster = try TestCluster.current()
            try deleteDevices(cluster)
            try createWork(cluster)
            let active = try placeTogether(cluster)
            let other = try #require(["ctl1", "ctl2", "ctl3"].first { $0 != active })
            // Nothing has this address: requests vanish.
            try createIPMIDevices(cluster, addressOf: { _ in "10.99.2.99" }, on: other)
            try cluster.haven(other, "property", "set", "stonith-timeout=5s")
            try cluster.lab.power(.off, active)
            let early = try cluster.waitUntil("the address is back", on: other) {
                $0.place(of: "VirtualIP").map { $0 != active } == true
            }
            #expect(early.place(of: "Database") == nil)
            let status = try cluster.waitUntil("the failure is told", on: other) {
                if case .failed = $0.fence(of: active)?.outcome { true } else { false }
            }
            #expect(status.quorum.isQuorate && status.online.count == 2)
            #expect(status.resource("Database")?.state == .blocked)
            #expect(try cluster.haven(other, "status").contains("ipmi-\(active)"))
            // The agents that wait for a BMC keep no agent of the cluster from its work.
            try cluster.haven(other, "property", "set", "stonith-timeout=30s")
            try deleteDevices(cluster, on: other)
            try createIPMIDevices(cluster, on: other)
            try cluster.waitUntil("the database runs", on: other) {
                $0.place(of: "Database").map { $0 != active } == true
            }
            try cluster.waitUntil("all are back", on: other) { $0.online.count == 3 }
        }

        private func createIPMIDevices(
            _ cluster: TestCluster,
            passwordOf file: (String) -> String = { $0 },
            addressOf controller: (String) -> String = { "\($0)-bmc" },
            on host: String = "ctl1"
        ) throws {
            for node in ["ctl1", "ctl2", "ctl3"] {
                try cluster.haven(
                    host,
                    "stonith",
                    "create",
                    "ipmi-\(node)",
                    "fence_ipmilan",
                    "ip=\(controller(node))",
                    "username=haven",
                    "lanplus=1",
                    "cipher=3",
                    "password=@/etc/haven-lab/\(file(node)).password",
                    "pcmk_host_list=\(node)"
                )
            }
        }

        private func deleteDevices(_ cluster: TestCluster, on host: String = "ctl1") throws {
            for device in try #require(cluster.status(host)).fenceDevices {
                try cluster.haven(host, "stonith", "delete", device.name)
            }
        }

        /// A virtual IP, which requires a lease, and a process, which requires the fence.
        private func createWork(_ cluster: TestCluster) throws {
            guard try #require(cluster.status("ctl1")).resource("Database") == nil else { return }
            try cluster.createAddress(Self.address)
            try cluster.haven(
                "ctl1",
                "resource",
                "create",
                "Database",
                "process",
                "command=/bin/tail -f /etc/passwd"
            )
        }

        /// Brings both to one node that does not lead and returns its name.
        private func placeTogether(_ cluster: TestCluster) throws -> String {
            let status = try cluster.waitUntil("all is well", on: "ctl1") {
                $0.online.count == 3 && $0.place(of: "VirtualIP") != nil && $0.place(of: "Database") != nil
            }
            let node = try #require(status.online.first { $0 != status.quorum.leader })
            for resource in ["VirtualIP", "Database"] { try cluster.haven("ctl1", "resource", "move", resource, node) }
            try cluster.waitUntil("both run on \(node)", on: "ctl1") {
                $0.place(of: "VirtualIP") == node && $0.place(of: "Database") == node
            }
            return node
        }

        private func processes(of resource: String, _ cluster: TestCluster) throws -> Int {
            try cluster.lab.hosts.reduce(0) { count, host in
                let found = try host.run(["pgrep", "-fc", "^/bin/tail -f /etc/passwd"]).output.text
                return count + (Int(found.prefix { $0 != "\n" }) ?? 0)
            }
        }
    }
}
