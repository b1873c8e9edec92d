/// Hashes of client addresses and targets: the same on every node and in every version that follows this one.
public enum ClientHash {
    /// FNV-1a with a final mix, because its low bits alone are weak for keys that differ in their last byte.
    public static func of(_ bytes: Span<UInt8>) -> UInt32 {
        var hash: UInt32 = 0x811C_9DC5
        for index in bytes.indices { hash = (hash ^ UInt32(bytes[index])) &* 0x0100_0193 }
        return mixed(hash)
    }

    /// Spreads every bit over all (the finisher of MurmurHash3).
    static func mixed(_ value: UInt32) -> UInt32 {
        var hash = value
        hash = (hash ^ hash >> 16) &* 0x85EB_CA6B
        hash = (hash ^ hash >> 13) &* 0xC2B2_AE35
        return hash ^ hash >> 16
    }

    /// What a target is hashed by: its path, without the query (HAProxy's `balance uri`).
    public static func path(_ bytes: Span<UInt8>, _ target: Range<Int>) -> UInt32 {
        var end = target.lowerBound
        while end < target.upperBound, bytes[end] != UInt8(ascii: "?") { end += 1 }
        return of(bytes.extracting(target.lowerBound..<end))
    }
}

/// A server's place on the ring of consistent hashing.
public struct RingPoint: Sendable {
    /// Where.
    public var hash: UInt32
    /// Whose; its index among the servers.
    public var row: UInt16

    /// States both.
    public init(hash: UInt32, row: UInt16) {
        self.hash = hash
        self.row = row
    }
}

/// Consistent hashing: a server that leaves or joins moves its own share of the clients, and nobody else's.
public enum HashRing {
    /// Points of a server for each unit of its weight, as many as HAProxy has.
    public static let pointsPerWeight = 16
    /// The most points of a listener; weights are scaled down to them.
    public static let mostPoints = 65_536

    /// The ring of servers with these names and weights, sorted by hash.
    ///
    /// - Parameters:
    ///   - servers: In the order of their rows.
    ///   - pointsPerWeight: Points for each unit; fewer where weights are given in parts of units.
    /// - Returns: The ring.
    public static func points(
        _ servers: [(name: String, weight: Int)],
        pointsPerWeight: Int = HashRing.pointsPerWeight
    ) -> [RingPoint] {
        let total = servers.reduce(0) { $0 + max(0, $1.weight) } * pointsPerWeight
        var points: [RingPoint] = []
        for (row, server) in servers.enumerated() where server.weight > 0 {
            let wanted = server.weight * pointsPerWeight
            let count = total > mostPoints ? max(1, wanted * mostPoints / total) : wanted
            let name = Array(server.name.utf8)
            let seed = ClientHash.of(name.span)
            // A server's points depend on its name and their number alone, so that they stay where they are.
            for number in 0..<count {
                let hash = ClientHash.mixed(seed &+ UInt32(number) &* 0x9E37_79B9)
                points.append(RingPoint(hash: hash, row: UInt16(row)))
            }
        }
        return points.sorted { ($0.hash, $0.row) < ($1.hash, $1.row) }
    }

    /// The server whose point follows the hash; nil on an empty ring.
    ///
    /// - Parameters:
    ///   - points: From `points`.
    ///   - hash: The client's.
    ///   - avoided: A server that just failed: the next one on the ring, if there is one; -1 for none.
    /// - Returns: Its index.
    public static func pick(_ points: Span<RingPoint>, hash: UInt32, avoiding avoided: Int = -1) -> Int? {
        guard points.count > 0 else { return nil }
        var (low, high) = (0, points.count)
        while low < high {
            let middle = (low + high) / 2
            if points[middle].hash < hash { low = middle + 1 } else { high = middle }
        }
        var at = low == points.count ? 0 : low
        for _ in 0..<points.count {
            if Int(points[at].row) != avoided { return Int(points[at].row) }
            at = at + 1 == points.count ? 0 : at + 1
        }
        return Int(points[at].row)
    }
}
