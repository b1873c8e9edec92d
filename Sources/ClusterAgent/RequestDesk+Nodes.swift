import AdminAPI
import ClusterModel
import Consensus
import LinuxIO
import NodeCore

/// Machines that come and go.
extension RequestDesk {
    /// The edit with a number for a new node: one that no node ever had, as long as there are any, because what is known of
    /// the dead is known by their numbers.
    static func numbered(_ edit: ConfigurationEdit, _ core: NodeCore) -> ConfigurationEdit {
        guard case .addNode(var node) = edit, node.id == NodeID(0) else { return edit }
        let present = Set(core.state.configuration.nodes.map(\.id))
        let former = Set(core.state.incarnations.keys).union(core.consensus.deathFacts.list.map(\.node))
        let newest = present.union(former).max()?.rawValue ?? 0
        if newest < .max {
            node.id = NodeID(newest + 1)
        } else {
            let free = (1...UInt8.max).map { NodeID($0) }.filter { !present.contains($0) }
            node.id = free.first { !former.contains($0) } ?? free.first ?? NodeID(0)
        }
        return .addNode(node)
    }

    /// Gives a key to every cookie that is computed and has none yet; what it fails on.
    static func giveKeys(to configuration: inout ClusterConfiguration) -> Refusal? {
        for index in configuration.listenersWithoutKey {
            guard let key = try? SystemRandom.random128() else { return Refusal("the kernel gives no random numbers") }
            configuration.listeners[index].cookie?.dynamicKey = Secret("\(key)")
        }
        return nil
    }

    /// What speaks against another list of nodes.
    static func objection(to changed: ClusterConfiguration, _ core: NodeCore) -> Refusal? {
        for node in core.state.configuration.nodes {
            guard let after = changed.node(node.id) else {
                if node.id == core.id || isAlive(node.id, core) {
                    return Refusal("\(node.name) runs", remedy: "haven node remove \(node.name) stops it first")
                }
                if core.state.mayRun(node.id) {
                    let remedy =
                        "bring it back and stop it, power it off (haven stonith fence \(node.name)), "
                        + "or say that it is off (haven stonith confirm \(node.name))"
                    return Refusal("\(node.name) may still run resources", remedy: remedy)
                }
                continue
            }
            if after.name != node.name || after.addresses != node.addresses {
                return Refusal(
                    "name and addresses of \(node.name) cannot be changed while it is a node",
                    remedy: "take it out with haven node remove, and add it anew"
                )
            }
        }
        return nil
    }

    private static func isAlive(_ node: NodeID, _ core: NodeCore) -> Bool {
        switch core.consensus.peer(node)?.state {
        case .alive: true
        // Never heard since this agent started.
        case .suspect: core.consensus.peer(node)?.lastHeard != nil
        case .lost, .left, nil: false
        }
    }

    /// An operator is the fence device, but only for a node that is silent.
    func confirmOff(_ name: NodeName, core: NodeCore) -> Result<Beginning, Refusal> {
        let target: NodeID
        switch node(name, core.state) {
        case .success(let id): target = id
        case .failure(let refusal): return .failure(refusal)
        }
        guard target != id, !Self.isAlive(target, core) else {
            let remedy = "stop it in order: haven cluster stop on \(name)"
            return .failure(Refusal("\(name) is heard, so it is not off", remedy: remedy))
        }
        let incarnation = core.newestIncarnation(of: target)
        guard incarnation > 0 else { return .failure(Refusal("\(name) has never been seen running")) }
        return .success(.changes([.fenceConfirmed(node: target, incarnation: incarnation)]))
    }
}
