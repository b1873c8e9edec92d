import ClusterModel

/// The newest lines of a run, for people.
struct Transcript: Sendable {
    private(set) var lines: [String] = []
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    mutating func add(_ time: TrueTime, _ node: NodeID?, _ text: String) {
        if lines.count >= limit * 2 { lines.removeFirst(lines.count - limit) }
        lines.append(Self.stamp(time) + (node.map { " n\($0.rawValue) " } ?? "    ") + text)
    }

    /// The last lines, at most the limit.
    var last: [String] { Array(lines.suffix(limit)) }

    /// Hands all lines over and starts anew.
    mutating func take() -> [String] {
        defer { lines.removeAll() }
        return lines
    }

    private static func stamp(_ time: TrueTime) -> String {
        let milliseconds = String(time / 1_000_000 % 1000)
        let padding = String(repeating: "0", count: 3 - milliseconds.count)
        return "\(time / 1_000_000_000).\(padding)\(milliseconds)"
    }
}
