public import Bytes
public import ClusterModel

/// A node that votes, in the start of its agent that is on record.
public struct Voter: Hashable, Sendable {
    /// The node.
    public let node: NodeID
    /// The start that is listed; 0 until a leader has listed one.
    public let incarnation: Incarnation

    /// Pairs both.
    public init(node: NodeID, incarnation: Incarnation) {
        self.node = node
        self.incarnation = incarnation
    }
}

/// Whose votes count: what a configuration entry of the log says.
///
/// The incarnation is what makes half of a set able to decide (RULE 4.2-b): only a start that is listed counts a half,
/// and only what proves a listed start dead takes a voter out of the other half. Two complementary halves can then never
/// both decide. A majority asks for no incarnation.
public struct VoterSet: Hashable, Sendable {
    /// In ascending order of nodes, each once.
    public let voters: [Voter]
    /// The same nodes without their incarnations.
    public let nodes: NodeSet

    /// Takes voters in any order; of two entries for a node the newer incarnation stays.
    public init(_ voters: [Voter]) {
        var newest: [NodeID: Incarnation] = [:]
        for voter in voters { newest[voter.node] = max(newest[voter.node] ?? 0, voter.incarnation) }
        self.voters = newest.sorted { $0.key < $1.key }.map { Voter(node: $0.key, incarnation: $0.value) }
        nodes = NodeSet(newest.keys)
    }

    /// Nodes that no leader has listed yet.
    public init(unlisted nodes: some Sequence<NodeID>) {
        self.init(nodes.map { Voter(node: $0, incarnation: 0) })
    }

    /// How many.
    public var count: Int { voters.count }

    /// Which start of a node is listed; nil for a node that does not vote.
    public func incarnation(of node: NodeID) -> Incarnation? {
        voters.first { $0.node == node }?.incarnation
    }

    /// The set with a start listed, whether its node was in the set or not.
    func listing(_ voter: Voter) -> VoterSet { VoterSet(voters.filter { $0.node != voter.node } + [voter]) }

    /// The set without a node.
    func removing(_ node: NodeID) -> VoterSet { VoterSet(voters.filter { $0.node != node }) }

    /// Reads a count and that many voters in ascending order.
    public init(parsing reader: inout ByteReader) throws(WireError) {
        let count = Int(try reader.readUInt8())
        guard (1...ConsensusLimits.voters).contains(count) else { throw .invalid("voter count") }
        var voters: [Voter] = []
        for _ in 0..<count {
            let node = NodeID(try reader.readUInt8())
            guard node > voters.last?.node ?? NodeID(0) else { throw .invalid("voter order") }
            voters.append(Voter(node: node, incarnation: try reader.readOrdinal("listed incarnation")))
        }
        self.init(voters)
    }

    /// Writes a count and the voters.
    public func encode(into writer: inout ByteWriter) {
        writer.write(UInt8(voters.count))
        for voter in voters {
            writer.write(voter.node.rawValue)
            writer.write(voter.incarnation)
        }
    }
}

/// A voter set with the entry that made it; entry 0 stands for the set with which the cluster began.
public struct ListedVoters: Hashable, Sendable {
    /// The configuration entry.
    public let index: LogIndex
    /// What it says.
    public let set: VoterSet

    /// Pairs both.
    public init(index: LogIndex, set: VoterSet) {
        self.index = index
        self.set = set
    }

    /// Reads both.
    public init(parsing reader: inout ByteReader) throws(WireError) {
        index = try reader.readOrdinal("voters index")
        set = try VoterSet(parsing: &reader)
    }

    /// Writes both.
    public func encode(into writer: inout ByteWriter) {
        writer.write(index)
        set.encode(into: &writer)
    }
}
