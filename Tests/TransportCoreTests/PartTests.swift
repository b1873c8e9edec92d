import ClusterModel
import Testing

@testable import TransportCore

@Suite
struct PartTests {
    private static func message(_ count: Int, _ generator: inout SeededGenerator) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    /// All parts of one message, whatever the pace.
    private static func parts(_ queue: inout PartQueue, from start: Instant) -> [(header: PartHeader, bytes: [UInt8])] {
        var now = start
        var all: [(header: PartHeader, bytes: [UInt8])] = []
        while !queue.isEmpty {
            all += queue.next(now: now)
            now = now + TransportLimit.pace
        }
        return all
    }

    @Test(arguments: [1201, 2400, 2401, 40_000, TransportLimit.message])
    func `A message comes back whole from parts in any order, each doubled`(count: Int) {
        var generator = SeededGenerator(seed: UInt64(count))
        let bytes = Self.message(count, &generator)
        var queue = PartQueue()
        #expect(queue.append(bytes, .general, size: TransportLimit.payload) == true)
        let parts = Self.parts(&queue, from: .zero)
        var assembly = Reassembly()
        var abandoned = false
        var whole: [[UInt8]] = []
        for part in (parts + parts).shuffled(using: &generator) {
            let outcome = assembly.take(part.header, part.bytes, now: .zero, abandoned: &abandoned)
            if case .complete(let bytes) = outcome { whole.append(bytes) }
        }
        #expect(whole == [bytes])
        #expect(!abandoned)
        #expect(!assembly.isOpen)
    }

    @Test
    func `Parts go out at a bounded pace, the log before what has not begun`() {
        var queue = PartQueue()
        let size = TransportLimit.payload * 20
        #expect(queue.append([UInt8](repeating: 1, count: size), .general, size: TransportLimit.payload) == true)
        #expect(queue.append([UInt8](repeating: 2, count: size), .general, size: TransportLimit.payload) == true)
        let first = queue.next(now: .zero)
        #expect(first.count == TransportLimit.partsPerPass)
        #expect(queue.next(now: .zero).count == 0)
        #expect(queue.deadline == Instant.zero + TransportLimit.pace)
        #expect(queue.append([UInt8](repeating: 3, count: size), .consensus, size: TransportLimit.payload) == true)
        let rest = Self.parts(&queue, from: .zero + TransportLimit.pace)
        let order = (first + rest).map { $0.bytes[0] }
        #expect(
            order == [UInt8](repeating: 1, count: 20) + [UInt8](repeating: 3, count: 20)
                + [UInt8](repeating: 2, count: 20)
        )
    }

    @Test
    func `Too many or too large messages are not taken, and room comes back`() {
        var queue = PartQueue()
        let large = [UInt8](repeating: 0, count: TransportLimit.message)
        #expect(queue.append(large, .general, size: TransportLimit.payload) == true)
        #expect(queue.append(large, .general, size: TransportLimit.payload) == true)
        #expect(queue.append([UInt8](repeating: 0, count: 2000), .consensus, size: TransportLimit.payload) == false)
        _ = Self.parts(&queue, from: .zero)
        for _ in 0..<TransportLimit.queuedMessages {
            #expect(queue.append([UInt8](repeating: 0, count: 2000), .general, size: TransportLimit.payload) == true)
        }
        #expect(queue.append([UInt8](repeating: 0, count: 2000), .general, size: TransportLimit.payload) == false)
    }

    @Test
    func `What is missing is asked for by range, and sent again while it is kept`() throws {
        var generator = SeededGenerator(seed: 5)
        let bytes = Self.message(TransportLimit.payload * 10, &generator)
        var queue = PartQueue()
        #expect(queue.append(bytes, .general, size: TransportLimit.payload) == true)
        let parts = Self.parts(&queue, from: .zero)
        var assembly = Reassembly()
        var abandoned = false
        for index in [0, 3, 4, 8] {
            _ = assembly.take(parts[index].header, parts[index].bytes, now: .zero, abandoned: &abandoned)
        }
        #expect(assembly.missing(now: .zero) == nil)
        let later = Instant.zero + TransportLimit.missingAfter
        #expect(assembly.deadline == later)
        let asked = assembly.missing(now: later)
        let missing = try #require(asked)
        #expect(missing.ranges == [1..<3, 5..<8, 9..<10])
        #expect(assembly.missing(now: later) == nil, "asked again at once")
        queue.again(
            MissingContent(messageClass: .consensus, message: missing.message, ranges: missing.ranges),
            size: TransportLimit.payload
        )
        #expect(queue.isEmpty, "of another class")
        queue.again(
            MissingContent(messageClass: .general, message: missing.message, ranges: missing.ranges),
            size: TransportLimit.payload
        )
        let again = queue.next(now: later)
        #expect(again.map(\.header.index) == [1, 2, 5, 6, 7, 9])
        var outcome = Reassembly.Outcome.taken
        for part in again { outcome = assembly.take(part.header, part.bytes, now: later, abandoned: &abandoned) }
        #expect(outcome == .complete(bytes))
        // After its time it is forgotten.
        _ = queue.next(now: later + TransportLimit.keptAfterSending)
        queue.again(
            MissingContent(messageClass: .general, message: missing.message, ranges: missing.ranges),
            size: TransportLimit.payload
        )
        #expect(queue.isEmpty)
    }

    @Test
    func `A newer message replaces an incomplete one; late parts of the old one are stray`() {
        var queue = PartQueue()
        #expect(queue.append([UInt8](repeating: 1, count: 3000), .general, size: TransportLimit.payload) == true)
        #expect(queue.append([UInt8](repeating: 2, count: 3000), .general, size: TransportLimit.payload) == true)
        let parts = Self.parts(&queue, from: .zero)
        var assembly = Reassembly()
        var abandoned = false
        #expect(assembly.take(parts[0].header, parts[0].bytes, now: .zero, abandoned: &abandoned) == .taken)
        #expect(!abandoned)
        #expect(assembly.take(parts[3].header, parts[3].bytes, now: .zero, abandoned: &abandoned) == .taken)
        #expect(abandoned)
        #expect(assembly.take(parts[1].header, parts[1].bytes, now: .zero, abandoned: &abandoned) == .stray)
    }

    @Test
    func `An incomplete message is given up after quiet, and in any case after its time`() {
        var queue = PartQueue()
        #expect(
            queue.append([UInt8](repeating: 1, count: TransportLimit.message), .general, size: TransportLimit.payload)
                == true
        )
        let parts = Self.parts(&queue, from: .zero)
        var abandoned = false
        var quiet = Reassembly()
        _ = quiet.take(parts[0].header, parts[0].bytes, now: .zero, abandoned: &abandoned)
        #expect(quiet.expire(now: .zero + TransportLimit.assemblyQuiet - .nanoseconds(1)) == false)
        #expect(quiet.expire(now: .zero + TransportLimit.assemblyQuiet) == true)
        #expect(!quiet.isOpen)
        var slow = Reassembly()
        var now = Instant.zero
        for part in parts where now < .zero + TransportLimit.assemblyTime {
            _ = slow.take(part.header, part.bytes, now: now, abandoned: &abandoned)
            now = now + .milliseconds(500)
        }
        #expect(slow.isOpen)
        #expect(slow.expire(now: .zero + TransportLimit.assemblyTime) == true)
    }

    @Test
    func `A message whose parts do not fit any more is cut anew when parts are missed`() {
        var generator = SeededGenerator(seed: 6)
        let bytes = Self.message(5000, &generator)
        var queue = PartQueue()
        #expect(queue.append(bytes, .general, size: 1300) == true)
        let lost = Self.parts(&queue, from: .zero)
        #expect(lost.count == 4)
        let missing = MissingContent(messageClass: .general, message: lost[0].header.message, ranges: [0..<4])
        #expect(queue.again(missing, size: 600) == true)
        let parts = Self.parts(&queue, from: .zero + .milliseconds(50))
        #expect(parts.count == 9 && parts.allSatisfy { $0.bytes.count <= 600 })
        var assembly = Reassembly()
        var abandoned = false
        var outcome = Reassembly.Outcome.taken
        for part in parts {
            outcome = assembly.take(part.header, part.bytes, now: .zero, abandoned: &abandoned)
        }
        #expect(outcome == .complete(bytes))
    }
}
