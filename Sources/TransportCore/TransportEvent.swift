public import ClusterModel

/// One run of a peer's agent, proven to be alive now by a handshake.
public struct PeerSession: Hashable, Sendable {
    /// Who.
    public var node: NodeID
    /// Which start of its agent.
    public var incarnation: Incarnation
    /// What it drew at that start.
    public var session: SessionID

    /// Joins the parts.
    public init(node: NodeID, incarnation: Incarnation, session: SessionID) {
        self.node = node
        self.incarnation = incarnation
        self.session = session
    }
}

/// What the transport tells its agent.
public enum TransportEvent: Hashable, Sendable {
    /// A peer came into session; an earlier session of it is over, and so is all that it said or was told.
    ///
    /// The level is the one that both speak from now on.
    case session(PeerSession, level: UInt8)
    /// A message arrived whole, for the first time, from the peer's session, on one of its links.
    case message(from: PeerSession, link: Int, MessageClass, level: UInt8, bytes: [UInt8])
    /// An alarm: a peer that is alive and no level of the protocol in common with this node; there is no session with it.
    /// Told once for each offer.
    case noCommonLevel(NodeID, LevelOffer)
    /// An alarm: from a peer's address come datagrams of another version of the format; told once for each.
    ///
    /// Nothing of such a datagram is authentic, so this says no more than that somebody should look.
    case otherVersion(NodeID, version: UInt8)
    /// A link to a peer came up or went down.
    case link(NodeID, Int, isUp: Bool)
    /// An alarm: somebody with the cluster's secret runs as this peer from a copied or restored disk.
    case identityConflict(claimed: PeerSession, knownIncarnation: Incarnation, RefusalReason)
    /// An alarm: a peer refuses this node's own identity; it must stop voting until it has joined again.
    case refused(by: NodeID, RefusalReason)
}

/// A datagram that is decided but not sealed yet.
public struct OutgoingDatagram: Hashable, Sendable {
    /// Complete but for the salt.
    public var header: DatagramHeader
    /// To be sealed.
    public var content: [UInt8]
    /// Which of the peer's links.
    public var link: Int
    /// Its address.
    public var endpoint: Endpoint
}

/// What one input brought about, appended to a buffer that is reused.
public struct TransportEffects: Sendable {
    /// To be sealed and sent, in order.
    public var datagrams: [OutgoingDatagram] = []
    /// To be told, in order.
    public var events: [TransportEvent] = []

    /// Empty.
    public init() {}

    /// Forgets everything and keeps the room.
    public mutating func removeAll() {
        datagrams.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
    }
}

/// What became of a message to be sent.
public enum SendResult: Hashable, Sendable {
    /// Sealed, or waiting to be sent in parts.
    case taken
    /// The peer is in no session.
    case noSession
    /// Too many messages wait for the peer already.
    case queueFull
    /// Larger than its class allows.
    case tooLarge
}
