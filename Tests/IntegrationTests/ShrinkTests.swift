import AdminAPI
import ClusterModel
import Lab
import Processes
import Testing

extension IntegrationTests {
    /// Three nodes with real fence devices that fail one after the other (RULE 4.2-d).
    @Suite(.serialized, .lab("itshrink"))
    struct ShrinkTests {
        @Test
        func `Three nodes with fence devices lose one after the other, the last goes on, and all come back`() throws {
            let cluster = try TestCluster.current()
            for node in ["ctl1", "ctl2", "ctl3"] { try createDevice(node, cluster) }
            try cluster.createAddress(TestCluster.virtualAddress)
            let ready = try cluster.waitUntil("every node has asked the others' devices", on: "ctl1") { status in
                status.place(of: "VirtualIP") != nil && status.fenceDevices.count == 3
                    && status.fenceDevices.allSatisfy { $0.checks?.count == 2 && $0.failure == nil }
            }
            #expect(ready.quorum.voters.count == 3)
            let line = "ipmi-ctl1 (fence_ipmilan) for ctl1: ok from ctl2 ctl3"
            #expect(try cluster.haven("ctl1", "status").contains(line))
            try cutOnePath(cluster)
            // A fenced machine is switched on again; here its agent does not start by itself, so that three become one.
            for node in ["ctl1", "ctl2", "ctl3"] { try cluster.shell(node, "chmod a-x /etc/haven/boot.d/havend") }
            let last = try shrink(cluster, ["ctl1", "ctl2", "ctl3"])
            try cluster.waitUntil("the last serves alone", on: last) {
                $0.place(of: "VirtualIP") == last && $0.quorum.isQuorate
            }
            #expect(try cluster.owners(of: TestCluster.virtualAddress) == [last])
            for node in ["ctl1", "ctl2", "ctl3"] where node != last {
                try cluster.haven(node, "cluster", "start")
            }
            try cluster.waitUntil("all are back and listed", on: last) {
                $0.online.count == 3 && $0.quorum.voters.count == 3 && $0.quorum.voters.allSatisfy(\.isHeard)
            }
            try brokenDevice(cluster, from: last)
        }

        /// The leader and one other node do not reach each other, and the third reaches both: it leads, nobody is fenced.
        private func cutOnePath(_ cluster: TestCluster) throws {
            let leader = try #require(cluster.status("ctl1")?.quorum.leader)
            let others = ["ctl1", "ctl2", "ctl3"].filter { $0 != leader }
            let (cut, middle) = (others[0], others[1])
            for (host, other) in [(leader, cut), (cut, leader)] {
                let peer = try cluster.lab.host(other)
                let addresses = "\(peer.address(on: .service)), \(peer.address(on: .heartbeat))"
                let rule = "ip saddr { \(addresses) } drop"
                let table = "table inet cut { chain input { type filter hook input priority 0; \(rule); }; }"
                try cluster.shell(host, "nft -f -", input: table)
            }
            try cluster.waitUntil("the one in the middle leads, and hears both", on: middle) {
                $0.quorum.leader == middle && $0.quorum.isQuorate && $0.online.count == 3
            }
            let status = try cluster.waitUntil("the address is served", on: middle) { $0.place(of: "VirtualIP") != nil }
            #expect(status.fences.isEmpty, "\(status.fences)")
            for host in [leader, cut] { try cluster.shell(host, "nft delete table inet cut") }
            for host in [leader, cut] {
                try cluster.waitUntil("\(host) hears all again", on: host) { $0.online.count == 3 }
            }
        }

        /// Cuts the power of all but one, always of the leader, each after the fence before has made the voters fewer.
        private func shrink(_ cluster: TestCluster, _ hosts: [String]) throws -> String {
            var left = hosts
            while left.count > 1 {
                let victim = try #require(cluster.status(left[0])?.quorum.leader)
                left.removeAll { $0 == victim }
                try cluster.lab.power(.off, victim)
                let count = left.count
                try cluster.waitUntil("the voters are \(left)", on: left[0]) { status in
                    status.fence(of: victim)?.outcome == .verified && status.quorum.isQuorate
                        && status.quorum.voters.count == count
                }
                // Whoever shot it switches it on again, and may be the next.
                try cluster.wait("its BMC has switched \(victim) on") { try cluster.lab.host(victim).isOn }
            }
            return left[0]
        }

        /// A device that would not work is told before anybody needs it, and so is that it works again.
        private func brokenDevice(_ cluster: TestCluster, from node: String) throws {
            try cluster.haven(node, "stonith", "delete", "ipmi-ctl3")
            try cluster.shell(node, "umask 077; printf wrongwrong >/etc/haven-lab/wrong.password")
            try createDevice("ctl3", password: "wrong", cluster, on: node)
            let told = try cluster.waitUntil("it is told", on: node) { status in
                status.warnings.contains { $0.contains("fence device ipmi-ctl3 failed its last check from ctl1, ctl2") }
            }
            let text = try cluster.haven(node, "status")
            #expect(text.contains("ipmi-ctl3 (fence_ipmilan) for ctl3: FAILED from ctl1 ctl2"), "\(text)")
            #expect(!text.contains("wrongwrong") && told.quorum.isQuorate && told.online.count == 3)
        }

        private func createDevice(
            _ target: String,
            password: String? = nil,
            _ cluster: TestCluster,
            on host: String = "ctl1"
        ) throws {
            try cluster.haven(
                host,
                "stonith",
                "create",
                "ipmi-\(target)",
                "fence_ipmilan",
                "ip=\(target)-bmc",
                "username=haven",
                "lanplus=1",
                "cipher=3",
                "password=@/etc/haven-lab/\(password ?? target).password",
                "pcmk_host_list=\(target)"
            )
        }
    }
}
