import ClusterModel
import Testing

@testable import TransportCore

@Suite
struct ReplayWindowTests {
    @Test(arguments: 0..<8)
    func `Agrees with a set of everything seen, for any order and any jumps`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var window = ReplayWindow()
        var seen: Set<UInt64> = []
        var newest: UInt64 = 0
        for _ in 0..<20_000 {
            let jump: UInt64 = Int.random(in: 0..<200, using: &generator) == 0 ? 20_000 : 40
            let lowest = newest > 5000 ? newest - 5000 : 0
            let counter = UInt64.random(in: lowest...(newest + jump), using: &generator)
            let old = newest >= counter && newest - counter >= ReplayWindow.span
            let expected = counter != 0 && !old && !seen.contains(counter)
            #expect(window.isFresh(counter) == expected, "\(counter) of \(newest)")
            guard expected else { continue }
            window.mark(counter)
            seen.insert(counter)
            newest = max(newest, counter)
        }
        #expect(seen.count > 1000)
    }

    @Test
    func `The last counter of all is still told from its repetition`() {
        var window = ReplayWindow()
        window.mark(.max)
        #expect(!window.isFresh(.max))
        #expect(window.isFresh(.max - 1))
    }

    @Test
    func `A rate limit gives its burst, then so many a second, and does not save up`() {
        var limit = RateLimit(perSecond: 10)
        func taken(_ count: Int, at milliseconds: Int64) -> Int {
            (0..<count).count { _ in limit.take(now: .zero + .milliseconds(milliseconds)) }
        }
        #expect(taken(20, at: 0) == 10)
        #expect(taken(20, at: 500) == 5)
        #expect(taken(20, at: 400) == 0)
        #expect(taken(20, at: 100_000) == 10)
    }
}
