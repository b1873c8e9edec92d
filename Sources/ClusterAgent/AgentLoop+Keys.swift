import AdminAPI
import Bytes
import ClusterModel
import ClusterSetup
import Consensus
import LinuxIO
import Logging
import NodeCore

/// Rotation of the cluster's secret (the log hands it out; this decides when a step may follow).
extension AgentLoop {
    /// How often the leader looks whether the next step may follow.
    static let keyInterval = Duration.milliseconds(500)

    /// What the disk knows of generations after the first.
    ///
    /// Entries behind the snapshot count although nobody has said yet that they are committed: without their secrets this
    /// node could not understand who would say so. A secret too many opens nothing that a member did not seal.
    static func keysOnDisk(_ applied: ClusterKeys?, _ durable: DurableState) -> ClusterKeys {
        var keys = applied ?? ClusterKeys()
        for entry in durable.log where entry.index > durable.snapshot?.lastIndex ?? 0 {
            guard case .command(let bytes) = entry.payload, let command = WireCodec.codec.decodeCommand(bytes) else {
                continue
            }
            switch command.change {
            case .installKey(let generation, let secret, _): keys.secrets[generation] = secret
            case .useKey(let generation) where keys.secrets[generation] != nil: keys.current = generation
            default: break
            }
        }
        return keys
    }

    /// Follows the log, once per pass in which the state changed.
    func followKeys() {
        guard let keys = core.state.keys, keys != followedKeys else { return }
        let before = followedKeys
        followedKeys = keys
        links.follow(keys)
        if let secret = keys.secrets[keys.current] { joins.hand(out: secret, generation: keys.current) }
        if keys.current != before?.current ?? 1 { log.notice("generation \(keys.current) of the secret seals now") }
        if keys.retired != before?.retired ?? 0 { log.notice("generations up to \(keys.retired) are retired") }
    }

    /// When the leader looks again.
    var keysDeadline: Instant? { nextKeyStep }

    /// The leader's part: begins a rotation that a removal demands, and takes the steps that follow.
    func advanceKeys(now: Instant) {
        guard let keys = core.state.keys, core.isLeading, keys.isRotating || keys.mustRotate || keys.retiresByItself
        else {
            nextKeyStep = nil
            return
        }
        if let nextKeyStep, now < nextKeyStep { return }
        nextKeyStep = now + Self.keyInterval
        let waiting = core.nodesBehind(absentCount: !keys.leavesAbsentBehind)
        if keys.isRotating {
            if waiting.isEmpty { propose(.useKey(generation: keys.newest)) }
        } else if keys.mustRotate {
            if let change = keys.nextInstallation(leavesAbsentBehind: false) { propose(change) }
        } else if keys.retiresByItself, waiting.isEmpty {
            propose(.retireKeys)
        }
    }

    private func propose(_ change: Change) {
        guard let id = try? SystemRandom.random128() else { return }
        feed(.change(change, RequestOrigin(id: id, node: core.id, uid: 0)))
    }

    /// For `haven key status`.
    func keyView() -> KeyView {
        let keys = core.state.keys ?? ClusterKeys()
        var view = KeyView(current: keys.current, newest: keys.newest, oldest: keys.retired + 1)
        view.waitsFor =
            keys.isRotating || keys.retiresByItself ? core.nodesBehind(absentCount: !keys.leavesAbsentBehind) : []
        view.mustRotate = keys.mustRotate
        return view
    }
}

extension NodeCore {
    /// Other nodes that have not applied what this one has; those that are not heard only where they count.
    func nodesBehind(absentCount: Bool) -> [NodeName] {
        state.configuration.nodes.filter { node in
            guard node.id != id else { return false }
            guard let peer = consensus.peer(node.id), case .alive = peer.state else { return absentCount }
            return peer.configurationDigest != consensus.configurationDigest
        }.map(\.name)
    }
}

extension ClusterKeys {
    /// The change that hands out the next generation; nil when the kernel gives no random bytes.
    func nextInstallation(leavesAbsentBehind: Bool) -> Change? {
        guard let bytes = try? SystemRandom.bytes(32) else { return nil }
        return .installKey(
            generation: newest + 1,
            secret: Secret(Hex.encode(bytes)),
            leavesAbsentBehind: leavesAbsentBehind
        )
    }
}
