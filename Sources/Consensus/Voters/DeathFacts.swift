public import Bytes
public import ClusterModel

/// How it is known that a start of an agent can never act again.
public enum ProofOfDeath: UInt8, Hashable, Sendable {
    /// Its node was verified off.
    case poweredOff = 1
    /// It ended itself durably and said so (RULE 4.2-c). It proves that it votes no more, not what still runs there.
    case left = 2
}

/// A start of a node's agent, and with it every earlier one, can never act again.
///
/// True for ever, so it may be stored, passed on and used late.
public struct DeathFact: Hashable, Sendable {
    /// The node.
    public let node: NodeID
    /// The newest start that is proven dead.
    public let incarnation: Incarnation
    /// How it is known.
    public let proof: ProofOfDeath

    /// States a fact.
    public init(node: NodeID, incarnation: Incarnation, proof: ProofOfDeath) {
        self.node = node
        self.incarnation = incarnation
        self.proof = proof
    }
}

/// Everything that is known to be dead for ever: the newest fact of each kind about each node.
public struct DeathFacts: Hashable, Sendable {
    /// In ascending order of node and kind.
    public private(set) var list: [DeathFact] = []

    /// Nothing is known.
    public init() {}

    /// Whether a start of a node is known to be dead.
    public func cover(_ voter: Voter) -> Bool {
        list.contains { $0.node == voter.node && $0.incarnation >= voter.incarnation }
    }

    /// The newest start of a node that is known to be dead; nil when none is.
    public func newest(of node: NodeID) -> Incarnation? {
        list.lazy.filter { $0.node == node }.map(\.incarnation).max()
    }

    /// Adds a fact.
    ///
    /// - Returns: Whether it was news; facts beyond `ConsensusLimits.deathFacts` are left to others to remember.
    mutating func learn(_ fact: DeathFact) -> Bool {
        if let known = list.firstIndex(where: { $0.node == fact.node && $0.proof == fact.proof }) {
            guard list[known].incarnation < fact.incarnation else { return false }
            list[known] = fact
            return true
        }
        guard list.count < ConsensusLimits.deathFacts else { return false }
        let place = list.firstIndex { ($0.node, $0.proof.rawValue) > (fact.node, fact.proof.rawValue) }
        list.insert(fact, at: place ?? list.count)
        return true
    }

    /// Reads a count and that many facts in ascending order.
    public init(parsing reader: inout ByteReader) throws(WireError) {
        let count = Int(try reader.readUInt8())
        guard count <= ConsensusLimits.deathFacts else { throw .invalid("death fact count") }
        for _ in 0..<count {
            let node = NodeID(try reader.readUInt8())
            guard let proof = ProofOfDeath(rawValue: try reader.readUInt8()), node != NodeID(0) else {
                throw .invalid("death fact")
            }
            if let last = list.last, (last.node, last.proof.rawValue) >= (node, proof.rawValue) {
                throw .invalid("death fact order")
            }
            let incarnation = try reader.readOrdinal("dead incarnation")
            list.append(DeathFact(node: node, incarnation: incarnation, proof: proof))
        }
    }

    /// Writes a count and the facts.
    public func encode(into writer: inout ByteWriter) {
        writer.write(UInt8(list.count))
        for fact in list {
            writer.write(fact.node.rawValue)
            writer.write(fact.proof.rawValue)
            writer.write(fact.incarnation)
        }
    }
}
