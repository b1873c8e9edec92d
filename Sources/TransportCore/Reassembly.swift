import ClusterModel

/// Puts one message of one class of one peer together.
struct Reassembly: Sendable {
    private var current: Assembly?
    /// The newest message that was completed or given up; its parts and older ones are late.
    private var finished: UInt32 = 0

    private struct Assembly {
        var message: UInt32
        var total: Int
        var size: UInt16
        var parts: [[UInt8]]
        var arrived: Int
        var began: Instant
        var progressed: Instant
        var asked: Instant
    }

    enum Outcome: Hashable {
        /// The part was taken; more are needed.
        case taken
        /// The message is whole.
        case complete([UInt8])
        /// Doubled, late, or of a message that contradicts the one in assembly.
        case stray
    }

    /// Whether a message is incomplete.
    var isOpen: Bool { current != nil }

    /// When it has to be looked after: parts to be asked for, or given up.
    var deadline: Instant? {
        current.map {
            min(
                $0.began + TransportLimit.assemblyTime,
                $0.progressed + TransportLimit.assemblyQuiet,
                max($0.progressed, $0.asked) + TransportLimit.missingAfter
            )
        }
    }

    /// Takes a part whose header was checked.
    ///
    /// - Parameters:
    ///   - header: The part's header.
    ///   - bytes: Its bytes.
    ///   - now: The time.
    ///   - abandoned: Set when a newer message took the place of an incomplete one.
    /// - Returns: What became of it.
    mutating func take(_ header: PartHeader, _ bytes: [UInt8], now: Instant, abandoned: inout Bool) -> Outcome {
        guard bytes.count == header.length, header.message > finished else { return .stray }
        if let open = current, open.message != header.message {
            guard header.message > open.message else { return .stray }
            // One message in assembly: its sender sends one after the other, so the older one lost parts for good.
            finished = open.message
            current = nil
            abandoned = true
        }
        var assembly =
            current
            ?? Assembly(
                message: header.message,
                total: Int(header.total),
                size: header.size,
                parts: Array(repeating: [], count: Int(header.count)),
                arrived: 0,
                began: now,
                progressed: now,
                asked: now
            )
        // The parts stay in one place while they are changed.
        current = nil
        guard assembly.total == Int(header.total), assembly.size == header.size,
            assembly.parts[Int(header.index)].isEmpty
        else {
            current = assembly
            return .stray
        }
        assembly.parts[Int(header.index)] = bytes
        assembly.arrived += 1
        assembly.progressed = now
        guard assembly.arrived == assembly.parts.count else {
            current = assembly
            return .taken
        }
        finished = assembly.message
        var whole: [UInt8] = []
        whole.reserveCapacity(assembly.total)
        for part in assembly.parts { whole += part }
        return .complete(whole)
    }

    /// Gives up what took too long; true if it did.
    mutating func expire(now: Instant) -> Bool {
        guard let open = current,
            now >= open.began + TransportLimit.assemblyTime || now >= open.progressed + TransportLimit.assemblyQuiet
        else { return false }
        finished = open.message
        current = nil
        return true
    }

    /// The parts to ask for now, if the message has been quiet for long enough.
    mutating func missing(now: Instant) -> (message: UInt32, ranges: [Range<UInt16>])? {
        guard let open = current, now >= max(open.progressed, open.asked) + TransportLimit.missingAfter else {
            return nil
        }
        current?.asked = now
        var ranges: [Range<UInt16>] = []
        var index = 0
        while index < open.parts.count, ranges.count < TransportLimit.missingRanges {
            guard open.parts[index].isEmpty else {
                index += 1
                continue
            }
            let start = index
            while index < open.parts.count, open.parts[index].isEmpty { index += 1 }
            ranges.append(UInt16(start)..<UInt16(index))
        }
        return (open.message, ranges)
    }
}
