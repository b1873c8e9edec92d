import Balancing
import CLinux
import ProxyControl

/// Picking a server where no cookie decides.
extension Loop {
    /// Picks by the listener's method; false when none takes new clients.
    mutating func balance(_ client: SlotPointer, avoiding row: Int, reason: PickReason) -> Bool {
        let number = client.pointee.listener
        let entry = listener(number)
        guard let table, entry.pointee.sequenceCount > 0 else { return false }
        let first = Int(entry.pointee.firstInSequence)
        let end = first + Int(entry.pointee.sequenceCount)
        let sequence = UnsafeBufferPointer(rebasing: table.pointee.sequences[first..<end])
        guard let picked = pick(client, entry, sequence, avoiding: row) else { return false }
        client.pointee.server = serverNumber(entry, picked)
        notePick(client, reason)
        return true
    }

    @inline(__always)
    private mutating func pick(
        _ client: SlotPointer,
        _ entry: UnsafePointer<ListenerEntry>,
        _ sequence: UnsafeBufferPointer<UInt16>,
        avoiding row: Int
    ) -> Int? {
        let cursor = cursors + Int(client.pointee.listener)
        switch entry.pointee.method {
        case .sequence: return Selection.next(sequence.span, cursor: &cursor.pointee, avoiding: row)
        case .leastLoaded, .twoRandom, .first: return pickByLoad(entry, sequence, cursor, avoiding: row)
        case .sourceMap, .pathMap:
            var start = client.pointee.key
            return Selection.next(sequence.span, cursor: &start, avoiding: row)
        case .sourceRing, .pathRing:
            guard let table else { return nil }
            let first = Int(entry.pointee.firstPoint)
            let end = first + Int(entry.pointee.pointCount)
            let points = UnsafeBufferPointer(rebasing: table.pointee.points[first..<end])
            return HashRing.pick(points.span, hash: client.pointee.key, avoiding: row)
        }
    }

    private mutating func pickByLoad(
        _ entry: UnsafePointer<ListenerEntry>,
        _ sequence: UnsafeBufferPointer<UInt16>,
        _ cursor: UnsafeMutablePointer<UInt32>,
        avoiding row: Int
    ) -> Int? {
        guard let table else { return nil }
        let first = Int(entry.pointee.firstRow)
        let count = Int(entry.pointee.rowCount)
        let weights = UnsafeBufferPointer(rebasing: table.pointee.weights[first..<(first + count)])
        if entry.pointee.method == .first {
            return weights.indices.first { weights[$0] > 0 && $0 != row } ?? weights.firstIndex { $0 > 0 }
        }
        for index in 0..<count { loads[index] = load(of: serverNumber(entry, index)) }
        let loads = UnsafeBufferPointer(start: loads, count: count)
        if entry.pointee.method == .twoRandom {
            let draws = (random(), random())
            return LeastLoaded.pick(
                of: sequence.span,
                weights: weights.span,
                loads: loads.span,
                draws: draws,
                avoiding: row
            )
        }
        cursor.pointee &+= 1
        return LeastLoaded.pick(weights.span, loads: loads.span, from: cursor.pointee, avoiding: row)
    }

    /// How many connections of all loops serve clients at a server now.
    private mutating func load(of server: Int32) -> UInt32 {
        var sum: UInt64 = 0
        for index in 0..<threads { sum = sum &+ everyCounters[index].value(.open, server: server) }
        // Loops count at their own time, so that a sum may miss one end of a change.
        return UInt32(clamping: max(0, Int64(bitPattern: sum)))
    }

    /// Good enough to spread load, and for nothing else (xorshift).
    private mutating func random() -> UInt32 {
        randomState ^= randomState << 13
        randomState ^= randomState >> 7
        randomState ^= randomState << 17
        return UInt32(truncatingIfNeeded: randomState >> 32)
    }
}
