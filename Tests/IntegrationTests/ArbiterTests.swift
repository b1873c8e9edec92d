import AdminAPI
import ClusterModel
import Foundation
import Lab
import Processes
import Testing

extension IntegrationTests {
    /// Two nodes without fence devices, and an address outside of the cluster that may veto: that of the client.
    @Suite(.serialized, .lab("itarb", hosts: 2, isSetUp: false), .timeLimit(.minutes(6)))
    struct ArbiterTests {
        private static let address = TestCluster.virtualAddress
        private static let hosts = ["ctl1", "ctl2"]

        @Test
        func `The node that loses all its links stays passive, and the other goes on alone`() throws {
            let cluster = try TestCluster.current()
            try setUp(cluster)
            let lost = try #require(cluster.status("ctl1")?.place(of: "VirtualIP"))
            let other = lost == "ctl1" ? "ctl2" : "ctl1"
            try cluster.lab.setLink(of: lost, up: false)
            try cluster.waitUntil("\(other) goes on alone", on: other) {
                $0.quorum.isQuorate && $0.quorum.voters.map(\.node) == [other] && $0.place(of: "VirtualIP") == other
            }
            try cluster.waitUntil("\(lost) is passive, and knows why", on: lost) { view in
                !view.quorum.isQuorate && view.quorum.arbiter?.isVetoing == true
                    && view.quorum.arbiter?.addresses.map(\.state) == [.silent]
                    && view.warnings.contains {
                        $0.hasPrefix("arbiter 10.99.0.") && $0.contains("does not answer \(lost)")
                    }
            }
            #expect(try cluster.owners(of: Self.address) == [other])
            let text = try cluster.haven(lost, "quorum", "status")
            #expect(text.contains("Quorate: NO") && text.contains(": SILENT for "), "\(text)")
            #expect(text.contains("This node does not go on alone: no arbiter answers it"), "\(text)")
            #expect(cluster.status(lost)?.quorum.voters.count == 2)
            try cluster.lab.setLink(of: lost, up: true)
            try expectBoth(cluster)
            #expect(try cluster.owners(of: Self.address) == [other])
        }

        @Test
        func `Cut apart while both reach the arbiter, both go on alone and become one again`() throws {
            let cluster = try TestCluster.current()
            try setUp(cluster)
            try cluster.lab.partition([["ctl1"], ["ctl2"]])
            for host in Self.hosts {
                try cluster.waitUntil("\(host) goes on alone", on: host) { view in
                    view.quorum.isQuorate && view.quorum.voters.map(\.node) == [host]
                        && view.place(of: "VirtualIP") == host
                        && view.quorum.arbiter?.addresses.map(\.state) == [.answers]
                }
            }
            try cluster.lab.heal()
            try expectBoth(cluster)
            try cluster.wait("one owner is left") { try cluster.owners(of: Self.address).count == 1 }
        }

        @Test
        func `An address that proves nothing is refused, and one without effect is taken with a word about it`() throws
        {
            let cluster = try TestCluster.current()
            try setUp(cluster)
            let own = try #require(cluster.status("ctl1")?.nodes.first?.addresses.first)
            let refusal = try cluster.refused(1, "ctl1", "property", "set", "arbiter=\(own)")
            #expect(refusal.contains("arbiter \(own) is an address of node \"ctl1\""), "\(refusal)")
            // An address of this machine that the cluster does not know of would answer itself.
            try cluster.shell("ctl1", "ip addr add 10.99.0.77/32 dev lo")
            try cluster.haven("ctl1", "property", "set", "arbiter=10.99.0.77,\(arbiter(cluster))")
            try cluster.wait("the other address answers, its own does not count") {
                let addresses = Self.arbiter("ctl1", cluster)?.addresses ?? []
                return addresses.map(\.state) == [.silent, .answers]
                    && addresses.first?.failure == "it is an address of this node itself"
            }
            try cluster.shell("ctl1", "ip addr del 10.99.0.77/32 dev lo")
            let six = cluster.lab.specification.address6(of: LabSpecification.client)
            try cluster.haven("ctl1", "property", "set", "arbiter=\(six)")
            for host in Self.hosts {
                try cluster.wait("it answers \(host) over IPv6") {
                    let addresses = Self.arbiter(host, cluster)?.addresses ?? []
                    return addresses.map(\.state) == [.answers] && addresses.map(\.address.family) == [.v6]
                }
            }
            try cluster.haven("ctl1", "property", "set", "stonith-enabled=true")
            try cluster.wait("nobody is asked any more") {
                Self.hosts.allSatisfy { Self.arbiter($0, cluster)?.addresses.map(\.state) == [.idle] }
            }
            let note = try cluster.haven("ctl1", "property", "set", "arbiter=\(arbiter(cluster))")
            #expect(note.contains("arbiter has no effect for now: stonith-enabled=true"), "\(note)")
            try cluster.haven("ctl1", "property", "set", "stonith-enabled=false")
            try expectBoth(cluster)
        }

        /// As a node itself knows it; its status may be that of the leader.
        private static func arbiter(_ host: String, _ cluster: TestCluster) -> ArbiterView? {
            guard let result = try? cluster.run(host, ["haven", "quorum", "status", "--json"]), result.isSuccess,
                let view = try? JSONDecoder().decode(QuorumView.self, from: Data(result.output.bytes))
            else { return nil }
            return view.arbiter
        }

        private func arbiter(_ cluster: TestCluster) -> String {
            cluster.lab.specification.address(of: LabSpecification.client, on: .service)
        }

        private func setUp(_ cluster: TestCluster) throws {
            if cluster.status("ctl1") != nil { return try expectBoth(cluster) }
            try cluster.haven("ctl1", "cluster", "setup", "--start", "pair", "ctl1", "ctl2")
            try cluster.waitUntil("both are online", on: "ctl1") { $0.online.count == 2 }
            try cluster.haven("ctl1", "property", "set", "stonith-enabled=false", "arbiter=\(arbiter(cluster))")
            try cluster.createAddress(Self.address)
            try expectBoth(cluster)
        }

        /// Both vote as they run, in one history, and the arbiter answers both.
        private func expectBoth(_ cluster: TestCluster) throws {
            for host in Self.hosts {
                try cluster.waitUntil("both vote, seen by \(host)", on: host) { view in
                    guard view.quorum.isQuorate, view.quorum.voters.map(\.node) == Self.hosts,
                        view.quorum.meetsOtherHistory != true, view.place(of: "VirtualIP") != nil,
                        Self.arbiter(host, cluster)?.addresses.map(\.state) == [.answers]
                    else { return false }
                    return view.quorum.voters.allSatisfy { voter in
                        let node = view.nodes.first { $0.name == voter.node }
                        return node?.state == .online && node?.incarnation == voter.incarnation
                    }
                }
            }
        }
    }
}
