/// What agents can say to each other and write into the log, counted in levels, so that a cluster can be upgraded node by
/// node (docs/upgrades.md).
///
/// Whatever is added to peer messages, to log entries or to the replicated state belongs to a new level. Two nodes talk at
/// the newest level that both speak. What goes into the log waits until the cluster's own level, which is a part of
/// ``ClusterState``, says that every node can read it.
///
/// Level 1 is what there was when levels began.
///
/// Level 2 added the list `gaveWay` to heartbeats, the entry ``Change/historyGaveWay(_:)``, the message by which a node
/// that was away learns who is part of the cluster by now (`PeerMessage.contacts`), and settings of listeners
/// (`ClusterConfiguration.level`).
public enum ProtocolLevel {
    /// The oldest level that this build speaks: the one before the newest, so that neighbouring versions work together.
    public static let oldest: UInt8 = 1
    /// The newest level that this build speaks.
    public static let newest: UInt8 = 2
    /// The level of a cluster whose log says nothing of it.
    public static let first: UInt8 = 1
}

/// What one node says of levels in each handshake.
public struct LevelOffer: Hashable, Sendable {
    /// The oldest level that it speaks.
    public let oldest: UInt8
    /// The newest level that it speaks.
    public let newest: UInt8
    /// The level of its cluster, as far as it has applied the log; it talks with nobody who is below that.
    public let cluster: UInt8

    /// What a node says; nil for a range that is none.
    ///
    /// - Parameters:
    ///   - oldest: At least 1.
    ///   - newest: Not below `oldest`.
    ///   - cluster: At least 1; above `newest` only for a moment, as such a node ends.
    public init?(oldest: UInt8, newest: UInt8, cluster: UInt8) {
        guard oldest >= ProtocolLevel.first, oldest <= newest, cluster >= ProtocolLevel.first else { return nil }
        self.oldest = oldest
        self.newest = newest
        self.cluster = cluster
    }

    /// What this build says, or an older one.
    ///
    /// - Parameters:
    ///   - newest: The newest level that is spoken.
    ///   - cluster: The cluster's level.
    public init(speaking newest: UInt8 = ProtocolLevel.newest, cluster: UInt8 = ProtocolLevel.first) {
        self.newest = max(newest, ProtocolLevel.first)
        oldest = min(ProtocolLevel.oldest, self.newest)
        self.cluster = max(cluster, ProtocolLevel.first)
    }

    /// The level of a session of two nodes: the newest that both speak, unless the cluster of one of them is above it.
    ///
    /// Both come to the same, as nothing in it depends on who asks.
    public func common(with other: LevelOffer) -> UInt8? {
        let level = min(newest, other.newest)
        return level >= max(oldest, other.oldest, cluster, other.cluster) ? level : nil
    }

    /// The range in words: "level 1", "levels 1 to 2".
    public var range: String { oldest == newest ? "level \(newest)" : "levels \(oldest) to \(newest)" }
}

extension LevelOffer {
    /// What an operator must know where a peer and this node have no level in common.
    ///
    /// - Parameters:
    ///   - other: What the peer says.
    ///   - peer: What operators call the peer.
    /// - Returns: Both ranges, and the way out.
    public func objection(to other: LevelOffer, of peer: String) -> String {
        if other.cluster > newest {
            return "\(peer) is in a cluster of level \(other.cluster), and \(tooOld(for: other.cluster))"
        }
        let ranges = "\(peer) speaks \(other.range) of the protocol and this node \(range)"
        if cluster > other.newest {
            return "\(ranges), and the cluster is at level \(cluster): \(peer) takes no part until a newer version of "
                + "Haven is installed there"
        }
        let place = other.newest < oldest ? "on \(peer)" : "on this node"
        return
            "\(ranges), so they do not understand each other: install a newer version of Haven \(place), and skip none"
    }

    /// Why a node takes no part in a cluster of that level.
    public func tooOld(for cluster: UInt8) -> String {
        "this node speaks level \(newest) of the protocol at most, while the cluster is at level \(cluster): "
            + "install the version of Haven that the other nodes have"
    }
}

extension Change {
    /// The lowest level of a cluster in whose log this entry may stand.
    public var level: UInt8 {
        switch self {
        case .historyGaveWay: 2
        case .configure(_, let configuration): configuration.level
        default: ProtocolLevel.first
        }
    }
}

/// Joining has no handshake: a machine says what it speaks with its token.
extension LevelOffer {
    /// What a machine says of itself when it asks to join: the oldest and the newest level that it speaks.
    public var joining: [UInt8] { [oldest, newest] }

    /// Why a machine cannot join whoever makes this offer; nil when it can.
    ///
    /// - Parameter payload: What it said of itself; a machine that says nothing is of the time before levels.
    /// - Returns: A sentence for its operator.
    public func objection(toJoiner payload: [UInt8]) -> String? {
        let said = payload.count == 2 ? payload : [ProtocolLevel.first, ProtocolLevel.first]
        guard let joiner = LevelOffer(oldest: said[0], newest: said[1], cluster: ProtocolLevel.first) else {
            return "the machine speaks no level of the protocol that there is"
        }
        guard common(with: joiner) == nil else { return nil }
        let nodes = "the cluster is at level \(cluster) and its nodes speak \(range)"
        return "the machine speaks \(joiner.range) of the protocol, while \(nodes): "
            + "install the version of Haven that they have"
    }
}
