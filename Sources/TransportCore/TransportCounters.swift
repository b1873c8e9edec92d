/// Why a datagram or a message went nowhere.
public enum DropReason: Int, Sendable, CaseIterable {
    /// Too short, too long, of no known kind, or with content that its kind does not allow.
    case malformed
    /// Of another version of the format.
    case version
    /// Of another cluster.
    case foreignCluster
    /// For another node.
    case notForMe
    /// From this node's own number: a loop, or a copy of this node.
    case ownIdentity
    /// From a number that is no peer.
    case unknownSender
    /// From an address that is not the sender's.
    case unknownAddress
    /// Sealed under a generation of the secret that is not accepted.
    case unknownGeneration
    /// Made for another session of this node: recorded before a restart, or late.
    case foreignSession
    /// From a session of the peer that is not accepted.
    case unknownSession
    /// Not sealed by a holder of the cluster's secret.
    case forged
    /// Seen already, or too old to tell.
    case replayed
    /// Echoes a challenge that is not open.
    case staleEcho
    /// From a peer that speaks no level which this node speaks.
    case noCommonLevel
    /// One more than allowed in this second.
    case rateLimited
    /// From a session of an outdated or copied identity.
    case refusedIdentity
    /// A part that fits no message in assembly.
    case strayPart
    /// An incomplete message, given up.
    case abandonedMessage
    /// A message not sent, because too many wait or it is too large.
    case queueFull
    /// A message not sent, because the peer is in no session.
    case noSession
}

/// How often each thing happened since the start of the agent.
public struct TransportCounters: Hashable, Sendable {
    private var drops = [UInt64](repeating: 0, count: DropReason.allCases.count)
    /// Datagrams sealed.
    public internal(set) var sent: UInt64 = 0
    /// Datagrams opened and used.
    public internal(set) var received: UInt64 = 0

    /// What went nowhere for a reason.
    public subscript(reason: DropReason) -> UInt64 { drops[reason.rawValue] }

    /// Everything that went nowhere.
    public var dropped: UInt64 { drops.reduce(0, +) }

    mutating func drop(_ reason: DropReason) { drops[reason.rawValue] &+= 1 }
}
