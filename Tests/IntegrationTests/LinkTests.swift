import AdminAPI
import ClusterModel
import Foundation
import Lab
import Processes
import Testing

extension IntegrationTests {
    /// Two links between each pair of nodes: the heartbeat network and the service network.
    @Suite(.serialized, .lab("itlink", isSetUp: false))
    struct LinkTests {
        /// All in one story: each part begins where the one before ended.
        @Test
        func `One link may fail, two may not, and a change of the profile loses nobody`() throws {
            let cluster = try TestCluster.current()
            let nodes = ["1", "2", "3"].map { "ctl" + $0 + "=10.99.1.1" + $0 + ",10.99.0.1" + $0 }
            let setup = try cluster.run("ctl1", ["haven", "cluster", "setup", "--start", "--name", "two"] + nodes)
            try #require(setup.isSuccess, "\(setup.errors.text)")
            try cluster.waitUntil("all nodes are online", on: "ctl1") { $0.online.count == 3 }
            try measured(cluster)
            try oneLinkDown(cluster)
            try bothLinksDown(cluster)
            try stalled(cluster)
            try anotherProfile(cluster)
        }

        /// Half of the time after which a node is lost: nobody is, and everybody is told why it was silent.
        private func stalled(_ cluster: TestCluster) throws {
            let all = try cluster.waitUntil("all is well", on: "ctl1") { $0.online.count == 3 && $0.quorum.isQuorate }
            let leader = try #require(all.quorum.leader)
            let follower = try #require(["ctl1", "ctl2", "ctl3"].first { $0 != leader })
            try cluster.shell(follower, "pkill -STOP -f 'havend -[-]s'; sleep 0.4; pkill -CONT -f 'havend -[-]s'")
            for host in ["ctl1", "ctl2", "ctl3"] {
                try cluster.wait("\(host) knows of the stall") {
                    cluster.status(host)?.warnings.contains { $0.hasPrefix("\(follower) stalled 0.") } == true
                }
            }
        }

        private func measured(_ cluster: TestCluster) throws {
            try cluster.wait("every link is up, with its time and size") {
                try links(cluster, "ctl1").allSatisfy(isMeasured)
            }
            let found = try links(cluster, "ctl1")
            #expect(found.map(\.node) == ["ctl2", "ctl2", "ctl3", "ctl3"])
            #expect(found.map(\.remote).map(\.description) == ["10.99.1.12", "10.99.0.12", "10.99.1.13", "10.99.0.13"])
            #expect(try cluster.haven("ctl1", "status").contains("Links of"))
        }

        private func isMeasured(_ link: LinkView) -> Bool {
            link.state == .up && link.roundTripMicroseconds != nil && link.mtu == 1500
        }

        private func oneLinkDown(_ cluster: TestCluster) throws {
            let before = try #require(cluster.status("ctl2"))
            let lostBefore = try lost(cluster)
            try cut(cluster, "10.99.1.0/24")
            try cluster.wait("the link is told to be down") {
                try links(cluster, "ctl1").filter { $0.state == .down }.map(\.link) == [0, 0]
            }
            // What is large still arrives everywhere: by the other link.
            for number in 0..<5 {
                try cluster.haven(
                    "ctl1",
                    "resource",
                    "create",
                    "IP\(number)",
                    "IPaddr2",
                    "ip=10.99.0.\(100 + number)",
                    "cidr_netmask=24",
                    "--disabled"
                )
            }
            let after = try cluster.waitUntil("everybody has it", on: "ctl3") { $0.resource("IP4") != nil }
            #expect(after.online.count == 3)
            #expect(after.quorum.term == before.quorum.term && after.quorum.leader == before.quorum.leader)
            #expect(try lost(cluster) == lostBefore)
            let warned = try #require(cluster.status("ctl1")).warnings
            #expect(warned.contains { $0.contains("link 0") && $0.contains("down") }, "\(warned)")
        }

        private func bothLinksDown(_ cluster: TestCluster) throws {
            try cut(cluster, "10.99.0.0/24")
            try cluster.waitUntil("the node is lost", on: "ctl2") { $0.state(of: "ctl1") == .lost }
            try cluster.shell("ctl1", "nft delete table inet cut")
            try cluster.waitUntil("the node is back", on: "ctl2") { $0.online.count == 3 }
            try cluster.wait("its links are up") { try links(cluster, "ctl1").allSatisfy { $0.state != .down } }
        }

        private func anotherProfile(_ cluster: TestCluster) throws {
            try cluster.waitUntil("all is well", on: "ctl1") { $0.online.count == 3 && $0.quorum.isQuorate }
            let lostBefore = try lost(cluster).count
            for profile in ["wan", "lan", "wan"] {
                try cluster.wait("the change is taken") {
                    try cluster.run("ctl2", ["haven", "property", "set", "profile=\(profile)"]).isSuccess
                }
                try cluster.wait("every node uses it") {
                    let text = try cluster.haven("ctl3", "property", "show", "--derived")
                    return text.contains(profile) && !text.contains("not on this profile")
                }
            }
            #expect(try cluster.haven("ctl1", "property", "show", "--derived").contains("6s, at most 10s"))
            #expect(try lost(cluster).count == lostBefore)
        }

        private func links(_ cluster: TestCluster, _ host: String) throws -> [LinkView] {
            let text = try cluster.haven(host, "link", "status", "--json")
            return try JSONDecoder().decode([LinkView].self, from: Data(text.utf8))
        }

        /// Drops everything between the first host's agent and the others on one network, both ways.
        private func cut(_ cluster: TestCluster, _ network: String) throws {
            try cluster.shell(
                "ctl1",
                """
                nft add table inet cut
                nft 'add chain inet cut in { type filter hook input priority 0; }'
                nft 'add chain inet cut out { type filter hook output priority 0; }'
                nft add rule inet cut in ip saddr \(network) udp dport 5480 drop
                nft add rule inet cut out ip daddr \(network) udp dport 5480 drop
                """
            )
        }

        /// What the logs say of lost nodes.
        private func lost(_ cluster: TestCluster) throws -> [Substring] {
            try cluster.lab.hosts.flatMap { host in
                try cluster.shell(host.name, "grep -E ' is lost' /var/log/haven/havend.log || true").split(
                    separator: "\n"
                )
            }
        }
    }
}
