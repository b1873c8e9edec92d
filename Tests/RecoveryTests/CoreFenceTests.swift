import ClusterModel
import Recovery
import Testing

/// Whom a leader fences, when, and how often (architecture S5, RULE F10).
@Suite
struct CoreFenceTests {
    private static let two = NodeID(2)
    private static let ordered = Change.fenceOrdered(node: two, incarnation: 1, reason: "the node is lost")

    private static func settled(after change: Change? = nil) -> CoreScript {
        var script = CoreScript(Clusters.three().with(Clusters.process("app")))
        if let change { script.apply(change) }
        script.settle()
        return script
    }

    @Test
    func `A lost node is fenced after the order was applied, once`() {
        var script = Self.settled()
        script.lost(2)
        #expect(script.proposed.contains(Self.ordered) && script.fenced.isEmpty)
        #expect(script.effects.contains(.denyLease([Self.two])))
        script.apply(Self.ordered)
        #expect(script.fenced == [Self.two])
        script.wait(60_000)
        #expect(script.fenced.isEmpty)
        script.give(.fenceResult(node: Self.two, incarnation: 1, failure: nil))
        #expect(script.proposed.contains(.fenceEnded(node: Self.two, incarnation: 1, failure: nil)))
        script.commit()
        script.wait(60_000)
        #expect(!script.proposed.contains(Self.ordered) && script.fenced.isEmpty)
    }

    @Test
    func `A node that left, was fenced or never started is not fenced`() {
        var left = Self.settled(after: .left(node: Self.two, incarnation: 1))
        left.lost(2)
        #expect(!left.proposed.contains(Self.ordered))
        var fenced = Self.settled()
        fenced.apply(Self.ordered, .fenceEnded(node: Self.two, incarnation: 1, failure: nil))
        fenced.lost(2)
        #expect(!fenced.proposed.contains(Self.ordered))
        var fresh = CoreScript(Clusters.three())
        fresh.state.incarnations = [:]
        fresh.core = RecoveryCore(term: 8, leader: NodeID(1), recoverByLeaseAt: .zero, grace: .zero, now: .zero)
        fresh.lost(2)
        fresh.give(.applied(fresh.state))
        #expect(fresh.proposed.isEmpty)
    }

    @Test
    func `A lost node that a voter hears is not fenced until that ends or leadership has failed to move`() {
        var script = Self.settled()
        script.give(.heardElsewhere([Self.two]))
        script.lost(2)
        #expect(!script.proposed.contains(Self.ordered))
        #expect(script.core.conditions.contains(.fencePostponed(Self.two)))
        script.wait(4999)
        #expect(!script.proposed.contains(Self.ordered))
        var unheard = script
        unheard.give(.heardElsewhere([]))
        #expect(unheard.proposed.contains(Self.ordered))
        // However often it is told again, the time counts from the loss.
        script.lost(2, leaseOverIn: 3)
        script.wait(1)
        #expect(script.proposed.contains(Self.ordered))
        #expect(!script.core.conditions.contains(.fencePostponed(Self.two)))
    }

    @Test
    func `What needs only a lease does not wait for a postponed fence, and a failed stop is fenced at once`() {
        let configuration = Clusters.three().with(Clusters.address("vip"))
        var script = CoreScript(configuration, after: .give("vip", to: 2))
        script.report(1)
        script.report(3)
        script.report(2, [.running("vip", 1)])
        script.give(.heardElsewhere([Self.two]))
        script.lost(2)
        script.wait(100)
        #expect(script.proposed.contains(.release(resource: "vip", epoch: 1)))
        #expect(!script.proposed.contains(Self.ordered))
        var stopped = CoreScript(Clusters.three().with(Clusters.process("app")), after: .give("app", to: 2))
        stopped.report(1)
        stopped.report(3)
        stopped.give(.heardElsewhere([Self.two]))
        stopped.report(2, [.down("app", 1, .unknown)])
        #expect(stopped.proposed.contains { if case .fenceOrdered(Self.two, _, _) = $0 { true } else { false } })
    }

    @Test
    func `A fence that nobody has begun is called off when the node is back; one that has is carried through`() {
        var back = Self.settled()
        back.lost(2)
        back.alive(2)
        back.apply(Self.ordered)
        #expect(back.fenced.isEmpty)
        #expect(back.effects.contains(.notice(.fenceCalledOff(Self.two))))
        var begun = Self.settled()
        begun.lost(2)
        begun.apply(Self.ordered)
        begun.alive(2, lease: false)
        #expect(!begun.proposed.contains { if case .fenceEnded = $0 { true } else { false } })
        #expect(!begun.effects.contains(.denyLease([])))
    }

    @Test
    func `A new leader carries on a fence that its predecessor ordered, unless the node has started anew`() {
        let open = CoreScript(Clusters.three(), after: Self.ordered)
        #expect(open.fenced == [Self.two])
        var anew = CoreScript(Clusters.three())
        anew.alive(2, incarnation: 2)
        anew.report(2, [], incarnation: 2)
        anew.apply(.announce(node: Self.two, incarnation: 2), Self.ordered)
        #expect(anew.fenced.isEmpty)
        #expect(anew.proposed.contains { if case .fenceEnded(_, 1, .some) = $0 { true } else { false } })
    }

    @Test
    func `A fence that failed is tried again after a pause, while the node is lost`() {
        var script = Self.settled()
        script.lost(2)
        script.commit()
        script.give(.fenceResult(node: Self.two, incarnation: 1, failure: "BMC"))
        script.commit()
        #expect(script.core.conditions.contains(.fenceFailing(Self.two, reason: "BMC")))
        script.wait(4999)
        #expect(!script.proposed.contains(Self.ordered))
        script.wait(1)
        #expect(script.proposed.contains(Self.ordered))
        script.commit()
        #expect(script.fenced == [Self.two])
        script.give(.fenceResult(node: Self.two, incarnation: 1, failure: "BMC"))
        script.commit()
        script.alive(2)
        script.wait(60_000)
        #expect(!script.proposed.contains(Self.ordered))
    }

    @Test
    func `Without fencing there is a standing warning and nobody is fenced`() {
        var script = CoreScript(Clusters.three(fencing: false))
        script.settle()
        script.lost(2)
        #expect(script.proposed.isEmpty)
        #expect(script.core.conditions == [.fencingDisabled])
    }

    @Test
    func `Without a device a lost node is a standing warning`() {
        var configuration = Clusters.three()
        configuration.fenceDevices.remove(at: 1)
        var script = CoreScript(configuration)
        script.settle()
        script.lost(2)
        #expect(script.proposed.isEmpty)
        #expect(script.core.conditions == [.noFenceDevice(Self.two)])
    }

    @Test
    func `A verified fence frees what required it in the same breath`() {
        var script = CoreScript(Clusters.three().with(Clusters.process("app")), after: .give("app", to: 2))
        script.report(1)
        script.report(3)
        script.report(2, [.running("app", 1)])
        script.lost(2)
        script.commit()
        #expect(script.core.conditions.contains(.blocked("app", .waitsForFence(Self.two))))
        script.give(.fenceResult(node: Self.two, incarnation: 1, failure: nil))
        #expect(
            script.proposed == [
                .fenceEnded(node: Self.two, incarnation: 1, failure: nil), .give("app", to: 1),
            ]
        )
        script.commit()
        #expect(script.orders(1) == ["app@2"])
    }

    @Test
    func `A node that is to be powered off may answer for addresses until it is verified off, left, or speaks again`() {
        let own = NodeID(1)
        var state = Self.settled(after: Self.ordered).state
        func isContended(_ answering: Set<NodeID> = []) -> Bool {
            state.hasContender(of: own, isAnswering: answering.contains)
        }
        #expect(isContended())
        // The fenced node itself contends with nobody.
        #expect(!state.hasContender(of: Self.two) { _ in false })
        #expect(!isContended([Self.two]))
        func apply(_ change: Change) { _ = state.apply(Command(change: change, proposedAt: 0)) }
        apply(.fenceEnded(node: Self.two, incarnation: 1, failure: "the BMC is silent"))
        #expect(isContended())
        let failed = state
        apply(Self.ordered)
        apply(.fenceEnded(node: Self.two, incarnation: 1, failure: nil))
        #expect(!isContended())
        state = failed
        apply(.left(node: Self.two, incarnation: 1))
        #expect(!isContended())
        state = failed
        apply(.announce(node: Self.two, incarnation: 2))
        #expect(!isContended())
    }
}
