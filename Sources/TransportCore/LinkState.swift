public import ClusterModel

/// One network path to a peer.
struct LinkState: Sendable {
    let endpoint: Endpoint
    var quality = LinkQuality()
    var path = PathProbe()
    var damping = FlapDamping()
    /// When anything of the peer's session came on it.
    var heard: Instant?
    /// Whether it was heard lately.
    var isUp = false

    init(_ endpoint: Endpoint) { self.endpoint = endpoint }

    /// Another session has other sequences; what was learned of the path itself stays.
    mutating func beginSession(now: Instant) {
        quality = LinkQuality()
        path.beginSession(now: now)
    }

    /// Lower is better: links that are up before others, then by loss, coarsely, then by time.
    func rank(now: Instant) -> (Int, Int, Int64) {
        let state = !isUp ? 2 : damping.holds(now: now) ? 1 : 0
        let time = quality.roundTrip?.nanoseconds ?? Int64.max
        return (state, max(quality.lossIn, quality.lossOut) / 50, time)
    }
}

/// A link as operators see it.
public struct LinkFacts: Hashable, Sendable {
    /// Which of the peer's links.
    public var link: Int
    /// The peer's address on it.
    public var endpoint: Endpoint
    /// Whether it was heard lately.
    public var isUp: Bool
    /// Until when it is not chosen although it is up, because it came and went too often.
    public var heldUntil: Instant?
    /// Whether what is not a heartbeat goes over it.
    public var isChosen: Bool
    /// When it was heard last; nil for never in this run.
    public var heard: Instant?
    /// What came of the peer's newest 64 heartbeats is missing, in thousandths.
    public var lossIn: Int
    /// The same of this node's, by the peer's word.
    public var lossOut: Int
    /// Smoothed; nil before the first measurement.
    public var roundTrip: Duration?
    /// Bytes of the largest IP packet that is known to pass.
    public var mtu: Int
}

extension TransportMachine {
    /// The links to a peer; empty for an unknown one.
    public func links(to node: NodeID, now: Instant) -> [LinkFacts] {
        guard let peer = peers[node] else { return [] }
        return peer.links.enumerated().map { index, link in
            let overhead = link.endpoint.address.family == .v4 ? 28 : 48
            return LinkFacts(
                link: index,
                endpoint: link.endpoint,
                isUp: link.isUp,
                heldUntil: link.damping.holds(now: now) ? link.damping.heldUntil : nil,
                isChosen: peer.current?.link == index,
                heard: link.heard,
                lossIn: link.quality.lossIn,
                lossOut: link.quality.lossOut,
                roundTrip: link.quality.roundTrip,
                mtu: PathProbe.sizes[link.path.confirmed] + overhead
            )
        }
    }
}
