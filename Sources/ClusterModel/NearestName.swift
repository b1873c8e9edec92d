/// Finds what an operator probably meant.
public enum NearestName {
    /// Texts longer than this are compared no further; distances beyond it mean nothing to a reader.
    private static let longest = 64

    /// The known name nearest to `text`, if it is near: at most a third of the letters differ, case aside.
    public static func among(_ known: some Sequence<String>, to text: String) -> String? {
        let wanted = Array(text.lowercased().utf8.prefix(longest))
        var best: (name: String, distance: Int)?
        for name in known {
            let candidate = Array(name.lowercased().utf8.prefix(longest))
            let distance = distance(wanted, candidate)
            guard distance <= max(1, max(wanted.count, candidate.count) / 3) else { continue }
            if distance < best?.distance ?? .max { best = (name, distance) }
        }
        return best?.name
    }

    /// Insertions, deletions, replacements and swaps of neighbours that turn one into the other.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        for row in 0..<left.count {
            var current = [Int](repeating: row + 1, count: right.count + 1)
            for column in 0..<right.count {
                let cost = left[row] == right[column] ? 0 : 1
                current[column + 1] = min(last[column + 1] + 1, current[column] + 1, last[column] + cost)
                let swapped = row > 0 && column > 0 && left[row] == right[column - 1] && left[row - 1] == right[column]
                if swapped { current[column + 1] = min(current[column + 1], beforeLast[column - 1] + 1) }
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
