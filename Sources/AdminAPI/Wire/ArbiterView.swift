public import ClusterModel

/// The addresses that may veto that a node goes on alone, as the answering node reaches them.
public struct ArbiterView: Hashable, Codable, Sendable {
    /// The addresses, in the order of the property.
    public var addresses: [Address]
    /// Why the property has no effect, as a clause; nil where it has.
    public var idleness: String?
    /// Whether the answering node would go on alone now and does not, because no address answers it, or not for long
    /// enough yet.
    public var isVetoing: Bool

    /// One address.
    public struct Address: Hashable, Codable, Sendable {
        /// How it answers.
        public enum State: String, Codable, Sendable {
            /// It is not asked: the property has no effect, or the answering node has no vote.
            case idle
            /// It is asked only just now.
            case asked
            /// It does.
            case answers
            /// It does not.
            case silent
        }

        /// The address.
        public var address: IPAddress
        /// See `State`.
        public var state = State.idle
        /// How long ago it was asked what it answered last, or was asked first if it never answered; nil for never.
        public var since: Milliseconds?
        /// Whether it ever answered since this agent asks it.
        public var hasAnswered = false
        /// Why it could not be asked last; nil where it could.
        public var failure: String?

        /// An address that is not asked.
        public init(address: IPAddress) { self.address = address }
    }

    /// States everything.
    public init(addresses: [Address], idleness: String?, isVetoing: Bool) {
        self.addresses = addresses
        self.idleness = idleness
        self.isVetoing = isVetoing
    }
}
