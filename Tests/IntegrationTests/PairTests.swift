import AdminAPI
import ClusterModel
import Lab
import Processes
import Testing

extension IntegrationTests {
    /// Two nodes without fence devices.
    @Suite(.serialized, .lab("itpair", hosts: 2, isSetUp: false), .timeLimit(.minutes(5)))
    struct PairTests {
        private static let address = TestCluster.virtualAddress

        @Test
        func `The survivor of two goes on alone, and the other joins it again`() throws {
            let cluster = try TestCluster.current()
            try setUp(cluster)
            let active = try #require(cluster.status("ctl1")?.place(of: "VirtualIP"))
            let other = active == "ctl1" ? "ctl2" : "ctl1"
            try cluster.lab.power(.off, active)
            try cluster.waitUntil("the survivor has the address", on: other) { $0.place(of: "VirtualIP") == other }
            try cluster.lab.power(.on, active)
            try expectBoth(cluster)
            #expect(try cluster.owners(of: Self.address) == [other])
        }

        @Test
        func `Two that were cut apart become one again, with one owner of the address`() throws {
            let cluster = try TestCluster.current()
            try setUp(cluster)
            try cluster.lab.partition([["ctl1"], ["ctl2"]])
            for host in ["ctl1", "ctl2"] {
                try cluster.waitUntil("\(host) goes on alone", on: host) {
                    $0.quorum.isQuorate && $0.quorum.voters.map(\.node) == [host] && $0.place(of: "VirtualIP") == host
                }
            }
            // What an operator changes on one side makes that one go on.
            try cluster.haven("ctl2", "property", "set", "stonith-timeout=66s")
            try cluster.lab.heal()
            try expectBoth(cluster)
            #expect(try cluster.haven("ctl1", "property", "show").contains("66s"))
            try cluster.wait("one owner is left") { try cluster.owners(of: Self.address) == ["ctl2"] }
        }

        private func setUp(_ cluster: TestCluster) throws {
            if cluster.status("ctl1") != nil { return try expectBoth(cluster) }
            try cluster.haven("ctl1", "cluster", "setup", "--start", "pair", "ctl1", "ctl2")
            try cluster.waitUntil("both are online", on: "ctl1") { $0.online.count == 2 }
            try cluster.haven("ctl1", "property", "set", "stonith-enabled=false")
            try cluster.createAddress(Self.address)
            try expectBoth(cluster)
        }

        /// Both vote as they run, in one history.
        private func expectBoth(_ cluster: TestCluster) throws {
            for host in ["ctl1", "ctl2"] {
                try cluster.waitUntil("both vote, seen by \(host)", on: host) { view in
                    guard view.quorum.isQuorate, view.quorum.voters.map(\.node) == ["ctl1", "ctl2"],
                        view.quorum.meetsOtherHistory != true, view.place(of: "VirtualIP") != nil
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
