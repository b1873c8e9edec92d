import ClusterModel
import Processes
import Testing

@Suite
struct StopSequenceTests {
    private static let start = Instant(nanoseconds: 5)

    @Test
    func `Terminate sends TERM now, and KILL after the grace time, and then nothing`() {
        var progress = StopProgress(.terminate(grace: .seconds(3)), now: Self.start)
        #expect(progress.signal(now: Self.start) == 15)
        #expect(progress.signal(now: Self.start) == nil)
        #expect(progress.nextDeadline == Self.start + .seconds(3))
        #expect(progress.signal(now: Self.start + .seconds(2)) == nil)
        #expect(progress.signal(now: Self.start + .seconds(3)) == 9)
        #expect(progress.nextDeadline == nil)
        #expect(progress.signal(now: Self.start + .seconds(99)) == nil)
    }

    @Test
    func `A caller that comes late gets the last signal that is due`() {
        let sequence = StopSequence([
            .init(signal: 1, patience: .seconds(1)), .init(signal: 15, patience: .seconds(1)),
            .init(signal: 9, patience: .zero),
        ])
        var progress = StopProgress(sequence, now: Self.start)
        #expect(progress.signal(now: Self.start + .milliseconds(1500)) == 15)
        #expect(progress.nextDeadline == Self.start + .seconds(2))
    }

    @Test
    func `An empty sequence is over at once`() {
        var progress = StopProgress(StopSequence([]), now: Self.start)
        #expect(progress.nextDeadline == nil)
        #expect(progress.signal(now: Self.start) == nil)
    }
}
