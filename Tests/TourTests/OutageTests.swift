import Testing

@testable import Tour

@Suite
struct OutageTests {
    private static let millisecond: Int64 = 1_000_000

    /// An attempt per entry: when it ended, in milliseconds, and whether it was answered.
    private func records(_ attempts: [(Int64, Bool)]) -> [ProbeRecord] {
        attempts.map { ended, isGood in
            ProbeRecord(
                began: (ended - 5) * Self.millisecond,
                ended: ended * Self.millisecond,
                outcome: isGood ? .good(host: "ctl1") : .none(reason: "no-answer")
            )
        }
    }

    private func longest(_ attempts: [(Int64, Bool)], from begin: Int64, to end: Int64) -> Double? {
        Outage.longest(in: records(attempts), from: begin * Self.millisecond, to: end * Self.millisecond)?.milliseconds
    }

    @Test
    func `An outage lasts from the last good answer before it to the first good one after it`() {
        let attempts: [(Int64, Bool)] = [(90, true), (100, true), (110, false), (700, false), (710, true), (720, true)]
        #expect(longest(attempts, from: 105, to: 720) == 610)
    }

    @Test
    func `The good answer before the window begins an outage that begins with the window`() {
        #expect(longest([(90, true), (300, false), (310, true)], from: 95, to: 320) == 220)
    }

    @Test
    func `An outage that goes on counts to the end of the window`() {
        #expect(longest([(90, true), (300, false)], from: 95, to: 500) == 410)
    }

    @Test
    func `A gap without failed attempts counts when it is longer than a busy machine explains`() {
        #expect(longest([(90, true), (100, true), (200, true)], from: 95, to: 200) == nil)
        #expect(longest([(90, true), (100, true), (201, true)], from: 95, to: 201) == 101)
    }

    @Test
    func `One failed attempt makes a short gap an outage`() {
        #expect(longest([(90, true), (100, true), (105, false), (112, true)], from: 95, to: 112) == 12)
    }

    @Test(arguments: [([], nil), ([3], 3), ([9, 1], 5), ([9, 1, 2], 2)] as [([Double], Double?)])
    func `The median is the middle value, or the mean of two`(values: [Double], expected: Double?) {
        #expect(Series(values: values).median == expected)
    }
}
