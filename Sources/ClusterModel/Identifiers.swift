/// The number of a node inside its cluster: 1 to 255, given at set-up and never reused for another machine.
public struct NodeID: RawRepresentable, Hashable, Comparable, Codable, Sendable, CustomStringConvertible {
    /// The number itself.
    public let rawValue: UInt8

    /// Wraps a number; every value is accepted because it may come from the wire and is looked up before use.
    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Shorthand for literals in code.
    @inlinable
    public init(_ value: UInt8) { rawValue = value }

    /// Orders by number; ties in the cluster are broken by it.
    @inlinable
    public static func < (left: NodeID, right: NodeID) -> Bool { left.rawValue < right.rawValue }

    /// The text form.
    public var description: String { "node \(rawValue)" }
}

/// A number that a node raises durably at every start of its agent; a fence or a loss applies to one incarnation.
public typealias Incarnation = UInt64

/// A Raft term (Raft paper §5.1).
public typealias Term = UInt64

/// A position in the replicated log, from 1; 0 means "before the first entry".
public typealias LogIndex = UInt64

/// Raised at every assignment of a resource to a node, so that a late order or report can be told from a current one.
public typealias Epoch = UInt64

/// The version of the replicated configuration, raised by one with every accepted change; 0 is the empty configuration.
public typealias ConfigurationVersion = UInt64

/// A 128-bit random number in two words, as sessions and clusters carry.
public struct Random128: Hashable, Codable, Sendable, CustomStringConvertible {
    /// The first eight bytes, big-endian.
    public let high: UInt64
    /// The last eight bytes, big-endian.
    public let low: UInt64

    /// Builds the number from its halves.
    @inlinable
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// 32 lower-case hexadecimal digits.
    public var description: String { Self.hex(high) + Self.hex(low) }

    /// Reads 32 hexadecimal digits; nil for anything else.
    public init?(_ text: String) {
        guard text.utf8.count == 32,
            let high = UInt64(text.prefix(16), radix: 16),
            let low = UInt64(text.suffix(16), radix: 16)
        else { return nil }
        self.init(high: high, low: low)
    }

    private static func hex(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}

/// Drawn afresh at every start of an agent; datagrams are sealed for one session of their receiver.
public typealias SessionID = Random128

/// Drawn once when a cluster is set up; agents of other clusters are not understood.
public typealias ClusterID = Random128
