import AdminAPI
import ClusterModel
import Lab
import Processes
import Testing

extension IntegrationTests {
    /// A node that goes on alone, and what becomes of the others when they are met again.
    @Suite(.serialized, .lab("itunblock"), .timeLimit(.minutes(6)))
    struct UnblockTests {
        private static let all = ["ctl1", "ctl2", "ctl3"]

        @Test
        func `The last node goes on when an operator says so, and the others join it with what it decided`() throws {
            let cluster = try TestCluster.current()
            try cluster.createAddress(TestCluster.virtualAddress)
            try cluster.waitUntil("the address is somewhere", on: "ctl1") { $0.place(of: "VirtualIP") != nil }
            for host in ["ctl2", "ctl3"] { try cluster.lab.power(.off, host) }
            try cluster.waitUntil("the quorum is lost", on: "ctl1") { view in
                !view.quorum.isQuorate && ["ctl2", "ctl3"].allSatisfy { view.state(of: $0) == .lost }
            }
            let told = try cluster.haven("ctl1", "quorum", "status")
            #expect(told.contains("haven quorum unblock"), "\(told)")
            let unnamed = try cluster.refused(1, "ctl1", "quorum", "unblock", "ctl2", "--yes")
            #expect(unnamed.contains("ctl3"), "\(unnamed)")
            let unsure = try cluster.refused(2, "ctl1", "quorum", "unblock", "ctl2", "ctl3")
            #expect(unsure.contains("--yes"), "\(unsure)")
            try cluster.haven("ctl1", "quorum", "unblock", "ctl2", "ctl3", "--yes")
            try cluster.waitUntil("it goes on alone", on: "ctl1") {
                $0.quorum.isQuorate && $0.quorum.voters.map(\.node) == ["ctl1"] && $0.place(of: "VirtualIP") == "ctl1"
            }
            try cluster.haven("ctl1", "property", "set", "stonith-timeout=77s")
            for host in ["ctl2", "ctl3"] { try cluster.lab.power(.on, host) }
            try expectAll(cluster, "stonith-timeout", "77s")
            #expect(try cluster.shell("ctl2", "ls /var/lib/haven/histories/*/state.db").contains("state.db"))
            #expect(try cluster.owners(of: TestCluster.virtualAddress) == ["ctl1"])
        }

        /// The operator was wrong: the others were only cut off, and worked on.
        @Test
        func `A node that went on alone for nothing gives its history up for one in which something was changed`()
            throws
        {
            let cluster = try TestCluster.current()
            if cluster.status("ctl1")?.resource("VirtualIP") == nil {
                try cluster.createAddress(TestCluster.virtualAddress)
            }
            try cluster.waitUntil("all are there", on: "ctl1") { $0.quorum.voters.count == 3 && $0.online.count == 3 }
            try cluster.lab.partition([["ctl3"], ["ctl1", "ctl2"]])
            try cluster.waitUntil("it is alone", on: "ctl3") { view in
                !view.quorum.isQuorate && ["ctl1", "ctl2"].allSatisfy { view.state(of: $0) == .lost }
            }
            try cluster.haven("ctl3", "quorum", "unblock", "ctl1", "ctl2", "--yes")
            try cluster.waitUntil("it goes on alone", on: "ctl3") { $0.quorum.isQuorate && $0.quorum.voters.count == 1 }
            try cluster.haven("ctl1", "property", "set", "stonith-timeout=88s")
            try cluster.lab.heal()
            try expectAll(cluster, "stonith-timeout", "88s")
            try cluster.wait("one owner is left") { try cluster.owners(of: TestCluster.virtualAddress).count == 1 }
        }

        /// All vote as they run, in one history, which says that.
        private func expectAll(_ cluster: TestCluster, _ property: String, _ value: String) throws {
            for host in Self.all {
                let view = try cluster.waitUntil("all vote, seen by \(host)", on: host) { view in
                    guard view.quorum.isQuorate, view.quorum.voters.map(\.node) == Self.all else { return false }
                    return view.quorum.voters.allSatisfy { voter in
                        let node = view.nodes.first { $0.name == voter.node }
                        return node?.state == .online && node?.incarnation == voter.incarnation
                    }
                }
                #expect(view.quorum.meetsOtherHistory != true)
                let shown = try cluster.haven(host, "property", "show")
                #expect(shown.contains("\(property)=\(value)") || shown.contains("\(property): \(value)"), "\(shown)")
            }
        }
    }
}
