import AdminAPI
import ClusterModel
import Lab
import LinuxIO
import Processes
import Testing

extension IntegrationTests {
    /// What was acknowledged stays, whatever is killed when.
    @Suite(.serialized, .lab("itdurable"))
    struct DurabilityTests {
        private static let rounds = 10
        private static let fewestAcknowledged = 3
        /// A change whose answer is lost with the agent takes this long, at most.
        private static let patience = Duration.seconds(40)

        @Test
        func `No acknowledged change is lost, whichever agents are killed while it is made`() throws {
            let cluster = try TestCluster.current()
            var acknowledged: [String] = []
            var refusals: [String] = []
            for round in 0..<Self.rounds {
                let name = "Address\(round)"
                let change = try cluster.lab.hosts[round % 3].start(
                    [
                        "haven", "resource", "create", name, "IPaddr2", "ip=10.99.0.\(120 + round)", "cidr_netmask=24",
                        "--disabled",
                    ]
                )
                // The agent that was asked, one that was not, and at last all at once.
                let victims = round == Self.rounds - 1 ? cluster.lab.hosts : [cluster.lab.hosts[round / 3 % 3]]
                for host in victims { try kill(host) }
                _ = try change.wait(until: Clock.monotonic() + Self.patience) { $0.exit != nil }
                if change.exit?.isSuccess == true {
                    acknowledged.append(name)
                } else {
                    // A change may be refused, or its answer get lost, but never without a word.
                    #expect(!change.errors.text.isEmpty)
                    refusals.append(change.errors.text)
                }
                for host in cluster.lab.hosts {
                    try cluster.waitUntil("all are back", on: host.name) { $0.online.count == 3 && $0.quorum.isQuorate }
                }
            }
            #expect(acknowledged.count >= Self.fewestAcknowledged, "\(refusals)")
            let status = try cluster.waitUntil("all nodes have the same digest", on: "ctl1") { view in
                view.online.count == 3 && view.nodes.allSatisfy { $0.digest == view.digest }
            }
            for host in cluster.lab.hosts {
                let view = try cluster.waitUntil("\(host.name) has the same digest", on: host.name) {
                    $0.digest == status.digest && $0.version == status.version
                }
                for name in acknowledged { #expect(view.resource(name) != nil, "\(name) on \(host.name)") }
            }
        }

        /// The agent alone; its supervisor starts it again.
        private func kill(_ host: LabHost) throws {
            let killed = try host.run(["pkill", "-KILL", "-f", "havend --state"])
            #expect(killed.isSuccess, "no agent runs on \(host.name)")
        }
    }
}
