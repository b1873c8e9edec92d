import ClusterModel
import Testing

@testable import ClusterAgent

/// When a loop was itself not run.
@Suite
struct StallDetectorTests {
    private func at(_ milliseconds: Int64) -> Instant { .zero + .milliseconds(milliseconds) }

    @Test
    func `A wait that ends late is a stall, by how late it ends`() {
        var stalls = StallDetector()
        #expect(stalls.willWait(until: at(100), now: at(0)) == nil)
        #expect(stalls.didWake(now: at(140)) == nil)
        #expect(stalls.willWait(until: at(200), now: at(141)) == nil)
        #expect(stalls.didWake(now: at(600)) == .milliseconds(400))
        // A deadline that was over before is no delay.
        #expect(stalls.willWait(until: at(100), now: at(601)) == nil)
        #expect(stalls.didWake(now: at(602)) == nil)
    }

    /// A process that was stopped right after its wait gave a peer up that had been silent for as long as it stood itself.
    @Test
    func `A stop within a pass is noticed before anything is concluded after it, and once`() {
        var stalls = StallDetector()
        _ = stalls.willWait(until: at(100), now: at(0))
        #expect(stalls.didWake(now: at(100)) == nil)
        #expect(stalls.look(now: at(101)) == nil)
        #expect(stalls.look(now: at(540)) == .milliseconds(439))
        #expect(stalls.look(now: at(541)) == nil)
        #expect(stalls.willWait(until: at(700), now: at(542)) == nil)
        // While the loop waits nothing is looked at.
        #expect(stalls.look(now: at(690)) == nil)
        #expect(stalls.didWake(now: at(695)) == nil)
    }

    @Test
    func `A pass that takes long counts at its end`() {
        var stalls = StallDetector()
        _ = stalls.didWake(now: at(0))
        #expect(stalls.willWait(until: at(900), now: at(80)) == .milliseconds(80))
    }
}
