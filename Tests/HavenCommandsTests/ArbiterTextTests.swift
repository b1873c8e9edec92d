import AdminAPI
import ClusterModel
import Testing

@testable import HavenCommands

/// What commands tell of an arbiter.
@Suite
struct ArbiterTextTests {
    private func view(_ state: ArbiterView.Address.State, isVetoing: Bool = false) -> QuorumView {
        let voters = [
            QuorumView.Voter(node: "controller1", incarnation: 4, isHeard: true, lastHeard: nil),
            QuorumView.Voter(node: "controller2", incarnation: 2, isHeard: false, lastHeard: 65_000),
        ]
        var view = QuorumView(isQuorate: false, leader: nil, term: 5, needed: 2, voters: voters)
        let addresses = ["192.0.2.1", "2001:db8::1"].compactMap { IPAddress($0) }.map { address in
            var view = ArbiterView.Address(address: address)
            view.state = state
            return view
        }
        view.arbiter = ArbiterView(addresses: addresses, idleness: nil, isVetoing: isVetoing)
        return view
    }

    @Test
    func `The quorum's status says how each address answers, and why the node stays passive`() {
        var quorum = view(.silent, isVetoing: true)
        quorum.arbiter?.addresses[0].since = 12_300
        quorum.arbiter?.addresses[0].hasAnswered = true
        quorum.arbiter?.addresses[0].failure = "Network is unreachable"
        quorum.arbiter?.addresses[1].since = 65_000
        #expect(
            QuorumText.text(quorum) == """
                Quorate: NO
                Leader: none (term 5)
                Votes: 1 of 2 heard, 2 needed
                  controller1: heard, incarnation 4
                  controller2: MISSING, last heard 1m 5s ago, incarnation 2
                Arbiter 192.0.2.1: SILENT for 12.3s (Network is unreachable)
                Arbiter 2001:db8::1: SILENT, no answer in 1m 5s
                1 more of these must be heard for a quorum: controller2 (last heard 1m 5s ago)
                If they are gone for ever: haven quorum unblock NODE …
                This node does not go on alone: no arbiter answers it, so it may be the one that is cut off. \
                The other node, or an answer of the arbiter, restores the quorum.
                Or these must be proven dead, by power-off or clean leave: controller2
                """
        )
    }

    @Test
    func `An arbiter that is back, one that answers, one that has no effect`() {
        let back = QuorumText.text(view(.answers, isVetoing: true))
        #expect(back.contains("the arbiter was silent and has to answer for some seconds first"))
        var quorum = view(.answers)
        quorum.isQuorate = true
        #expect(QuorumText.text(quorum).hasSuffix("Arbiter 192.0.2.1: answers\nArbiter 2001:db8::1: answers"))
        #expect(QuorumText.text(view(.asked)).contains("Arbiter 192.0.2.1: asked, no answer yet"))
        quorum = view(.idle)
        quorum.isQuorate = true
        quorum.arbiter?.idleness = "3 nodes vote"
        let idle = QuorumText.text(quorum)
        #expect(idle.contains("Arbiter 192.0.2.1: not asked by this node"))
        #expect(idle.hasSuffix("The arbiter has no effect: 3 nodes vote."))
    }

    @Test
    func `The property is set, shown and described, with a word where it has no effect`() {
        let cluster = CommandLineHarness()
        let set = cluster.run("property set arbiter=192.0.2.1,2001:db8::1")
        #expect(set.code == 0 && set.output.hasPrefix("arbiter has no effect for now: stonith-enabled=true"))
        #expect(cluster.run("property show arbiter").output.hasPrefix("arbiter=192.0.2.1,2001:db8::1 (no effect: "))
        cluster.run("property set stonith-enabled=false")
        #expect(cluster.run("property show arbiter").output == "arbiter=192.0.2.1,2001:db8::1")
        #expect(cluster.run("property set arbiter=192.0.2.9").output == "")
        #expect(cluster.run("property set arbiter=").output == "")
        #expect(cluster.run("property show arbiter").output == "arbiter= (default)")
        #expect(cluster.run("property set --help").output.contains("a silent arbiter") == false)
        #expect(cluster.run("property set --help").output.contains("arbiter=ADDRESS"))
        #expect(cluster.run("property set arbiter=192.168.0.10").errors.contains("is an address of node"))
    }
}
