import AdminAPI
import ClusterModel
import Foundation
import Lab
import Processes
import Testing

extension IntegrationTests {
    /// The cluster's secret is changed under a running cluster.
    @Suite(.serialized, .lab("itkey"))
    struct KeyTests {
        @Test
        func `A rotation interrupts nothing, survives restarts, and a node that missed it needs a token`() throws {
            let cluster = try TestCluster.current()
            let before = try cluster.waitUntil("all is well", on: "ctl1") {
                $0.online.count == 3 && $0.quorum.isQuorate
            }
            let lost = try lostLines(cluster)
            try cluster.haven("ctl2", "key", "rotate")
            try used(2, cluster)
            #expect(try keys(cluster, "ctl1").oldest == 1)
            try cluster.haven("ctl3", "key", "retire")
            for host in ["ctl1", "ctl2", "ctl3"] {
                try cluster.wait("\(host) has retired it") { try keys(cluster, host).oldest == 2 }
            }
            let after = try #require(cluster.status("ctl1"))
            #expect(after.online.count == 3 && after.quorum.term == before.quorum.term)
            #expect(try lostLines(cluster) == lost)
            try restart(cluster)
            try leaveOneBehind(cluster)
        }

        /// A restarted agent knows the newer secret from its own disk.
        private func restart(_ cluster: TestCluster) throws {
            for host in ["ctl1", "ctl3"] {
                try cluster.haven(host, "cluster", "stop")
                try cluster.haven(host, "cluster", "start")
                try cluster.waitUntil("\(host) is back", on: host) { $0.online.count == 3 && $0.quorum.isQuorate }
            }
        }

        private func leaveOneBehind(_ cluster: TestCluster) throws {
            try cluster.haven("ctl3", "cluster", "stop")
            try cluster.wait("it is refused while a node is away") {
                let result = try cluster.run("ctl1", ["haven", "key", "rotate"])
                return !result.isSuccess && result.errors.text.contains("ctl3")
            }
            try cluster.haven("ctl1", "key", "rotate", "--force")
            try used(3, cluster, on: ["ctl1", "ctl2"])
            try cluster.haven("ctl1", "key", "retire", "--force")
            try cluster.haven("ctl3", "cluster", "start")
            // It speaks, and is not understood.
            try cluster.wait("its agent runs") { try cluster.run("ctl3", ["haven", "key", "status"]).isSuccess }
            #expect(cluster.status("ctl1")?.online == ["ctl1", "ctl2"])
            try cluster.shell("ctl3", "pkill -f 'havend -[-]s'; while pgrep -f 'havend -[-]s'; do sleep 0.1; done")
            try cluster.shell("ctl3", "haven cluster destroy")
            let token = try cluster.haven("ctl1", "cluster", "token", "ctl3")
            try cluster.shell("ctl3", "haven cluster join --start", input: token)
            try cluster.waitUntil("it is a member again", on: "ctl3") { $0.online.count == 3 && $0.quorum.isQuorate }
            try cluster.wait("it has the secret") { try keys(cluster, "ctl3").current == 3 }
        }

        private func used(
            _ generation: UInt32,
            _ cluster: TestCluster,
            on hosts: [String] = ["ctl1", "ctl2", "ctl3"]
        )
            throws
        {
            for host in hosts {
                try cluster.wait("\(host) seals with it") { try keys(cluster, host).current == generation }
            }
        }

        private func keys(_ cluster: TestCluster, _ host: String) throws -> KeyView {
            let text = try cluster.haven(host, "key", "status", "--json")
            return try JSONDecoder().decode(KeyView.self, from: Data(text.utf8))
        }

        private func lostLines(_ cluster: TestCluster) throws -> [String] {
            try cluster.lab.hosts.map { host in
                try cluster.shell(host.name, "grep -E ' is (lost|suspect)' /var/log/haven/havend.log || true")
            }
        }
    }
}
