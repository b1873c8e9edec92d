import AdminAPI
import ClusterModel
import Lab
import LinuxIO
import Processes
import Testing

extension IntegrationTests {
    /// Two clusters on one network, and everything that may come to an agent's port.
    @Suite(.serialized, LabScope(name: "ithost", hosts: ["ctl1", "ctl2", "ctl3", "ctl4"], isSetUp: false))
    struct HostileNetworkTests {
        @Test
        func `Two clusters share a network, and neither noise nor strangers nor old programs unsettle them`() throws {
            let cluster = try TestCluster.current()
            try cluster.haven("ctl1", "cluster", "setup", "--start", "--name", "left", "ctl1", "ctl2")
            try cluster.haven("ctl3", "cluster", "setup", "--start", "--name", "right", "ctl3", "ctl4")
            try together(cluster)
            let before = try #require(cluster.status("ctl1"))
            try flood(cluster)
            try otherVersion(cluster)
            try stranger(cluster)
            let after = try #require(cluster.status("ctl1"))
            #expect(after.quorum.term == before.quorum.term && after.online == ["ctl1", "ctl2"])
            try restoredImage(cluster)
        }

        private func together(_ cluster: TestCluster) throws {
            try cluster.waitUntil("one cluster is up", on: "ctl1") {
                $0.cluster == "left" && $0.online == ["ctl1", "ctl2"] && $0.quorum.isQuorate
            }
            try cluster.waitUntil("the other is up", on: "ctl4") {
                $0.cluster == "right" && $0.online == ["ctl3", "ctl4"] && $0.quorum.isQuorate
            }
        }

        /// As fast as the network takes it, from a stranger's address, for three seconds.
        private func flood(_ cluster: TestCluster) throws {
            let lost = try lostLines(cluster)
            let before = try agents(cluster)
            let usedBefore = try processorTime(cluster)
            let began = Clock.monotonic()
            try cluster.shell("client", "cat >/run/flood.py", input: Self.flood)
            let sent = try cluster.shell("client", "python3 /run/flood.py 10.99.0.11 10.99.0.12")
            #expect(Int(sent.prefix { $0 != "\n" }).map { $0 > 10_000 } == true, "\(sent)")
            #expect(cluster.status("ctl2")?.online == ["ctl1", "ctl2"])
            #expect(try lostLines(cluster) == lost)
            let after = try agents(cluster)
            for (one, other) in zip(before, after) {
                #expect(one.incarnation == other.incarnation && one.peersLost == other.peersLost)
                #expect(one.peersSuspected == other.peersSuspected && one.leasesEnded == other.leasesEnded)
            }
            // What an agent reads of strangers is bounded by pass: it never takes a processor for itself.
            let usedAfter = try processorTime(cluster)
            let elapsed = Int((Clock.monotonic() - began).milliseconds / 10)
            for (host, (used, earlier)) in zip(["ctl1", "ctl2"], zip(usedAfter, usedBefore)) {
                #expect(used - earlier < elapsed * 9 / 10, "\(host): \(used - earlier) of \(elapsed) ticks of 10 ms")
            }
        }

        private func agents(_ cluster: TestCluster) throws -> [AgentView] {
            try ["ctl1", "ctl2"].map { try #require(cluster.status($0)?.agent) }
        }

        /// What agents have taken since they started, in hundredths of a second.
        private func processorTime(_ cluster: TestCluster) throws -> [Int] {
            try ["ctl1", "ctl2"].map { host in
                let words = "pgrep -f 'havend --state' | while read pid; do cat /proc/$pid/stat; done"
                let lines = try cluster.shell(host, words).split(separator: "\n")
                return lines.reduce(0) { sum, line in
                    let fields = line[(line.lastIndex(of: ")") ?? line.startIndex)...].split(separator: " ")
                    return sum + (fields.count > 13 ? (Int(fields[12]) ?? 0) + (Int(fields[13]) ?? 0) : 0)
                }
            }
        }

        private func otherVersion(_ cluster: TestCluster) throws {
            // From a peer's own address, as an agent that was not upgraded would; the header of version 1 was as long.
            try cluster.shell(
                "ctl2",
                """
                python3 -c "
                import socket
                out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                out.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                out.bind(('10.99.0.12', 5480))
                out.sendto(bytes([1, 5, 2, 1]) + bytes(120), ('10.99.0.11', 5480))
                "
                """
            )
            let view = try cluster.waitUntil("it is told", on: "ctl1") {
                $0.warnings.contains { $0.contains("speaks version 1 of the protocol") }
            }
            #expect(view.online == ["ctl1", "ctl2"])
        }

        /// A node of another cluster that takes itself for a peer, with the right addresses and another secret.
        private func stranger(_ cluster: TestCluster) throws {
            try cluster.haven("ctl4", "cluster", "stop")
            try cluster.shell("ctl4", "cp /var/lib/haven/identity.json /run/identity.kept")
            try cluster.shell(
                "ctl4",
                "sed -i 's/10.99.0.13/10.99.0.11/' /var/lib/haven/identity.json; grep -q 10.99.0.11 /var/lib/haven/identity.json"
            )
            _ = try cluster.run("ctl4", ["haven", "cluster", "start"])
            try cluster.wait("its agent runs") { try cluster.run("ctl4", ["haven", "key", "status"]).isSuccess }
            #expect(cluster.status("ctl1")?.online == ["ctl1", "ctl2"])
            try cluster.shell("ctl4", "pkill -f 'havend -[-]s'; while pgrep -f 'havend -[-]s'; do sleep 0.1; done")
            try cluster.shell("ctl4", "cp /run/identity.kept /var/lib/haven/identity.json")
            try cluster.haven("ctl4", "cluster", "start")
            try together(cluster)
        }

        /// The disk of a node as it was before: it has forgotten what it promised since.
        private func restoredImage(_ cluster: TestCluster) throws {
            try cluster.haven("ctl4", "cluster", "stop")
            try cluster.shell("ctl4", "rm -rf /run/image; cp -a /var/lib/haven /run/image")
            for _ in 0..<2 {
                try cluster.haven("ctl4", "cluster", "start")
                try together(cluster)
                try cluster.haven("ctl4", "cluster", "stop")
            }
            try cluster.shell("ctl4", "rm -rf /var/lib/haven; cp -a /run/image /var/lib/haven")
            _ = try cluster.run("ctl4", ["haven", "cluster", "start"])
            try cluster.wait("it is refused, and says what to do") {
                try cluster.run("ctl4", ["grep", "-q", "join again", "/var/log/haven/havend.log"]).isSuccess
            }
            try cluster.haven("ctl4", "cluster", "destroy")
            let token = try cluster.haven("ctl3", "cluster", "token", "ctl4")
            try cluster.shell("ctl4", "haven cluster join --start", input: token)
            try together(cluster)
        }

        private func lostLines(_ cluster: TestCluster) throws -> [String] {
            try ["ctl1", "ctl2"].map { host in
                try cluster.shell(host, "grep -E ' is lost' /var/log/haven/havend.log || true")
            }
        }

        private static let flood = #"""
            import os, socket, sys, time
            noise = [os.urandom(size) for size in (1, 40, 76, 200, 1400)]
            noise += [bytes([2, kind]) + os.urandom(200) for kind in (1, 2, 5, 6, 8, 32)]
            out, sent, end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0, time.monotonic() + 3
            while time.monotonic() < end:
                for payload in noise:
                    for target in sys.argv[1:]:
                        out.sendto(payload, (target, 5480))
                        sent += 1
            print(sent)
            """#
    }
}
