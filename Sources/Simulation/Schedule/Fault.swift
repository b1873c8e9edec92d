public import ClusterModel

/// One fault as a value: the same list of them and the same seed give the same run, and a list can be printed, shortened
/// and read again.
public struct Fault: Hashable, Sendable, CustomStringConvertible {
    /// What happens.
    public var kind: FaultKind
    /// When, in milliseconds from the start of the schedule.
    public var at: Int64
    /// To which node; nil for whoever leads then.
    public var node: NodeID?
    /// The second node, for kinds that have two.
    public var other: NodeID
    /// How long, in milliseconds, for kinds that end by themselves.
    public var length: Int64
    /// How much, of how many, or which; see the kind.
    public var amount: Int

    /// States a fault.
    public init(_ kind: FaultKind, at: Int64, node: NodeID?, other: NodeID, length: Int64, amount: Int) {
        self.kind = kind
        self.at = at
        self.node = node
        self.other = other
        self.length = length
        self.amount = amount
    }

    /// Moment, kind, node, second node, length and amount, as `init(parsing:)` reads them.
    public var description: String {
        let node = node.map { String($0.rawValue) } ?? "leader"
        return "\(at) \(kind.rawValue) \(node) \(other.rawValue) \(length) \(amount)"
    }

    /// Reads a line; nil for one that is none.
    public init?(parsing line: some StringProtocol) {
        let words = line.split(separator: " ")
        guard words.count == 6, let at = Int64(words[0]), let kind = FaultKind(rawValue: String(words[1])),
            let other = UInt8(words[3]), let length = Int64(words[4]), let amount = Int(words[5]), at >= 0, length >= 0
        else { return nil }
        let node = UInt8(words[2])
        guard node != nil || words[2] == "leader" else { return nil }
        self.init(kind, at: at, node: node.map { NodeID($0) }, other: NodeID(other), length: length, amount: amount)
    }
}
