import Bytes
public import ClusterModel
import Consensus
import NodeCore

/// Machines with neighbouring versions of Haven, which operators upgrade one after the other, or take back.
extension ClusterSimulator {
    /// The level of the protocol that two machines speak, as their handshake finds it; nil where they do not understand
    /// each other.
    ///
    /// The machine that asks learns the level of the other's cluster from it.
    mutating func levelOfSession(_ index: Int, _ from: NodeID) -> UInt8? {
        guard let own = offer(of: index), let sender = self.index(of: from), let other = offer(of: sender) else {
            return nil
        }
        if let level = own.common(with: other) { return level }
        feed(index, .clusterLevel(other.cluster))
        return nil
    }

    private func offer(of index: Int) -> LevelOffer? {
        let host = hosts[index]
        guard let agent = host.agent else { return nil }
        return LevelOffer(speaking: host.level, cluster: agent.core.observedLevel())
    }

    /// What of a message arrives on a machine that may be of another version: it goes through the bytes of their level.
    func carried(_ message: PeerMessage, from index: Int, to target: Int) -> PeerMessage? {
        let level = min(hosts[index].level, hosts[target].level)
        guard level < ProtocolLevel.newest else { return message }
        guard message.level <= level else { return nil }
        guard case .consensus(let content) = message else { return message }
        var writer = ByteWriter(capacity: 256)
        content.encode(into: &writer, level: level)
        let bytes = writer.bytes
        // SAFETY: the bytes outlive the reader, which does not leave this function.
        var reader = unsafe ByteReader(bytes.span.bytes)
        guard let read = try? Message(parsing: &reader, level: level), (try? reader.finish()) != nil else { return nil }
        return .consensus(read)
    }

    /// An agent ends because its cluster's level is above its own: only an upgrade of the machine brings it back.
    ///
    /// Where no history is above it, and it never was of a newer version, somebody wrote what it cannot read.
    mutating func endTooOld(_ index: Int, _ reason: String) {
        let host = hosts[index]
        let level = observer.histories.map(\.state.protocolLevel).max() ?? ProtocolLevel.first
        if level <= host.level, host.newestLevel <= host.level {
            return observer.fail("S9: \(host.id) ends although no cluster is above level \(host.level): \(reason)")
        }
        note(index, "is too old: \(reason)")
        host.isTooOld = true
        endAgent(index)
    }

    /// Installs another version on a machine and starts its agent anew.
    public mutating func install(level: UInt8, on node: NodeID) {
        guard let index = index(of: node) else { return }
        setLevel(index, level)
        queue.insert(.start(index), at: now)
    }

    /// Whether the agent of a machine has ended because the cluster is above its level.
    public func isTooOld(_ node: NodeID) -> Bool { index(of: node).map { hosts[$0].isTooOld } ?? false }

    /// The agent ends and comes back as the other version: mostly as the newer one.
    mutating func install(_ fault: Fault, _ index: Int, until: TrueTime) -> Bool {
        let host = hosts[index]
        guard host.isMember, host.isPowered else { return false }
        let isUpgrade = host.level < ProtocolLevel.newest
        guard isUpgrade || fault.amount % Self.upgradesToDowngrade == 0 else { return false }
        setLevel(index, isUpgrade ? host.level + 1 : host.level - 1)
        queue.insert(.start(index), at: until)
        return true
    }

    /// How many faults of the kind find a machine of the newest version until one of them takes it back.
    private static let upgradesToDowngrade = 4

    /// Ends a machine's agent and installs another version.
    mutating func setLevel(_ index: Int, _ level: UInt8) {
        let host = hosts[index]
        guard level != host.level, level >= ProtocolLevel.first, level <= ProtocolLevel.newest else { return }
        if host.agent != nil { endAgent(index) }
        note(index, "is \(level > host.level ? "upgraded" : "taken back") to level \(level)")
        host.level = level
        host.newestLevel = max(host.newestLevel, level)
        host.isTooOld = false
    }

    /// Operators upgrade what waits for it: everything, or what cannot take part otherwise.
    mutating func upgrade(all: Bool, without away: Set<NodeID>) {
        for index in hosts.indices where !away.contains(hosts[index].id) && (all || hosts[index].isTooOld) {
            setLevel(index, ProtocolLevel.newest)
        }
    }
}
