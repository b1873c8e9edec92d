public import ClusterModel

/// A network path from the answering node to another.
public struct LinkView: Hashable, Codable, Sendable {
    /// How a link is.
    public enum State: String, Codable, Sendable {
        /// Heard lately.
        case up
        /// Heard lately, but not chosen for a while: it came and went too often.
        case held
        /// Silent.
        case down
    }

    /// The other node.
    public var node: NodeName
    /// The number of the link, from 0, in the order of the nodes' addresses.
    public var link: Int
    /// The answering node's address on it.
    public var local: IPAddress
    /// The other node's.
    public var remote: IPAddress
    /// How it is.
    public var state: State
    /// Whether everything but heartbeats goes over it.
    public var isChosen = false
    /// How many of the other's newest 64 heartbeats are missing here, in thousandths.
    public var lossInPerMille = 0
    /// How many of this node's are missing there, in thousandths.
    public var lossOutPerMille = 0
    /// The smoothed round-trip time; nil before the first measurement.
    public var roundTripMicroseconds: Int64?
    /// Bytes of the largest IP packet that is known to pass.
    public var mtu = 0
    /// How long ago anything came on it; nil for never since this agent started.
    public var lastHeard: Milliseconds?
    /// For how long it is not chosen; nil where it is not held.
    public var heldFor: Milliseconds?

    /// Names a link; the measurements are filled in afterwards.
    public init(node: NodeName, link: Int, local: IPAddress, remote: IPAddress, state: State) {
        self.node = node
        self.link = link
        self.local = local
        self.remote = remote
        self.state = state
    }
}
