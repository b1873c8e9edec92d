/// One match under way: takes its input in pieces, and never looks at a byte twice.
public struct BytePatternScan: Sendable {
    private let steps: [BytePattern.Step]
    /// Places that wait for the next byte, or for the end.
    private var waiting: [Int] = []
    private var next: [Int] = []
    /// For each place the position at which it was put into the list.
    private var seen: [Int]
    private var pending: [Int] = []
    private var position = 0
    private var hasMatched = false
    /// Places that waited for the end before the last byte, if that was a line feed.
    private var beforeLineFeed: [Int] = []

    /// Starts before the first byte.
    public init(_ pattern: BytePattern) {
        steps = pattern.steps
        seen = Array(repeating: -1, count: pattern.steps.count)
    }

    /// Takes more input; true once the pattern has matched somewhere in it.
    public mutating func feed(_ bytes: ArraySlice<UInt8>) -> Bool {
        for byte in bytes {
            if hasMatched { break }
            // A match may begin at every byte.
            enter(0, isEnd: false)
            if hasMatched { break }
            take(byte)
        }
        return hasMatched
    }

    /// Nothing more comes; whether the pattern has matched.
    public mutating func finish() -> Bool {
        guard !hasMatched else { return true }
        enter(0, isEnd: false)
        for place in waiting + beforeLineFeed where steps[place] == .atEnd {
            // Places beyond the end have not been visited: nothing goes on behind it before.
            enter(place + 1, isEnd: true)
        }
        return hasMatched
    }

    private mutating func take(_ byte: UInt8) {
        beforeLineFeed.removeAll(keepingCapacity: true)
        next.removeAll(keepingCapacity: true)
        swap(&next, &waiting)
        position += 1
        for place in next {
            switch steps[place] {
            case .take(let set): if set.contains(byte) { enter(place + 1, isEnd: false) }
            case .atEnd: if byte == 0x0A { beforeLineFeed.append(place) }
            case .fork, .jump, .atStart, .match: break
            }
        }
    }

    /// Follows everything that takes no byte from a place on.
    private mutating func enter(_ place: Int, isEnd: Bool) {
        pending.append(place)
        while let place = pending.popLast() {
            guard seen[place] != position else { continue }
            seen[place] = position
            switch steps[place] {
            case .take: waiting.append(place)
            case .atEnd: if isEnd { pending.append(place + 1) } else { waiting.append(place) }
            case .atStart: if position == 0 { pending.append(place + 1) }
            case .jump(let target): pending.append(target)
            case .fork(let one, let other):
                pending.append(other)
                pending.append(one)
            case .match: hasMatched = true
            }
        }
    }
}
