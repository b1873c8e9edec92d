public import Bytes
public import ClusterModel

/// A set of nodes in 256 bits: no allocation, and the same bytes whatever the voter set is.
public struct NodeSet: Hashable, Sendable, CustomStringConvertible {
    private var words: (UInt64, UInt64, UInt64, UInt64)

    /// The empty set.
    public init() { words = (0, 0, 0, 0) }

    /// The set of the given nodes.
    public init(_ nodes: some Sequence<NodeID>) {
        self.init()
        for node in nodes { insert(node) }
    }

    /// How many.
    public var count: Int {
        // Nearly always: counting bits is no single instruction on every processor.
        if words.1 | words.2 | words.3 == 0 { return words.0.nonzeroBitCount }
        return words.0.nonzeroBitCount + words.1.nonzeroBitCount + words.2.nonzeroBitCount + words.3.nonzeroBitCount
    }

    /// Whether nobody is in it.
    public var isEmpty: Bool { words.0 | words.1 | words.2 | words.3 == 0 }

    /// The node with the lowest number.
    public var lowest: NodeID? {
        if words.0 != 0 { return NodeID(UInt8(words.0.trailingZeroBitCount)) }
        if words.1 != 0 { return NodeID(UInt8(64 + words.1.trailingZeroBitCount)) }
        if words.2 != 0 { return NodeID(UInt8(128 + words.2.trailingZeroBitCount)) }
        return words.3 == 0 ? nil : NodeID(UInt8(192 + words.3.trailingZeroBitCount))
    }

    /// Whether a node is in it.
    public func contains(_ node: NodeID) -> Bool { word(node) & Self.bit(node) != 0 }

    /// Adds a node.
    public mutating func insert(_ node: NodeID) { setWord(node, word(node) | Self.bit(node)) }

    /// Takes a node out.
    public mutating func remove(_ node: NodeID) { setWord(node, word(node) & ~Self.bit(node)) }

    /// The nodes that are in both.
    public func intersection(_ other: NodeSet) -> NodeSet {
        var result = self
        result.words.0 &= other.words.0
        result.words.1 &= other.words.1
        result.words.2 &= other.words.2
        result.words.3 &= other.words.3
        return result
    }

    /// The nodes that are in one of them.
    public func union(_ other: NodeSet) -> NodeSet {
        var result = self
        result.words.0 |= other.words.0
        result.words.1 |= other.words.1
        result.words.2 |= other.words.2
        result.words.3 |= other.words.3
        return result
    }

    /// The nodes in ascending order; allocates, so not for the heartbeat path.
    public var nodes: [NodeID] {
        var rest = self
        var list: [NodeID] = []
        while let node = rest.lowest {
            list.append(node)
            rest.remove(node)
        }
        return list
    }

    /// Both sets hold the same nodes.
    public static func == (left: NodeSet, right: NodeSet) -> Bool { left.words == right.words }

    /// Feeds all words.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
    }

    /// The numbers in braces.
    public var description: String { "{" + nodes.map { String($0.rawValue) }.joined(separator: ",") + "}" }

    /// Reads 32 bytes: four words, the lowest nodes first.
    public init(parsing reader: inout ByteReader) throws(WireError) {
        words.0 = try reader.readUInt64()
        words.1 = try reader.readUInt64()
        words.2 = try reader.readUInt64()
        words.3 = try reader.readUInt64()
    }

    /// Writes 32 bytes.
    public func encode(into writer: inout ByteWriter) {
        writer.write(words.0)
        writer.write(words.1)
        writer.write(words.2)
        writer.write(words.3)
    }

    private static func bit(_ node: NodeID) -> UInt64 { 1 << UInt64(node.rawValue & 63) }

    private func word(_ node: NodeID) -> UInt64 {
        switch node.rawValue >> 6 {
        case 0: words.0
        case 1: words.1
        case 2: words.2
        default: words.3
        }
    }

    private mutating func setWord(_ node: NodeID, _ value: UInt64) {
        switch node.rawValue >> 6 {
        case 0: words.0 = value
        case 1: words.1 = value
        case 2: words.2 = value
        default: words.3 = value
        }
    }
}
