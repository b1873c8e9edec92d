import ClusterModel
import Consensus
import Testing

@Suite
struct TimingAndStateTests {
    @Test
    func `The profile for a local network fits itself`() { #expect(ConsensusTiming.lan.violation() == nil) }

    @Test
    func `Each rule between times is checked`() {
        func violation(_ change: (inout ConsensusTiming) -> Void) -> String? {
            var timing = ConsensusTiming.lan
            change(&timing)
            return timing.violation()
        }
        #expect(violation { $0.lease = .milliseconds(490) }?.contains("must exceed the lease") == true)
        #expect(violation { $0.lease = .milliseconds(150) }?.contains("shorter than two") == true)
        #expect(violation { $0.suspectAfter = .milliseconds(150) }?.contains("suspect") == true)
        #expect(violation { $0.lostAfter = .milliseconds(300) }?.contains("lost before") == true)
        #expect(violation { $0.electionSpread = .zero }?.contains("spread") == true)
        #expect(violation { $0.clockRateErrorPercent = 50 }?.contains("percent") == true)
        #expect(violation { $0.grace = .milliseconds(-1) }?.contains("grace") == true)
        #expect(violation { $0.heartbeatInterval = .milliseconds(1) }?.contains("below 10 ms") == true)
    }

    @Test
    func `A damaged durable state is named, not started from`() {
        let noop = { (index: LogIndex, term: Term) in LogEntry(index: index, term: term, payload: .noop) }
        let snapshot = Snapshot(lastIndex: 5, lastTerm: 2, data: [])
        #expect(DurableState().violation() == nil)
        #expect(DurableState(term: 2, log: [noop(1, 1), noop(3, 1)]).violation() == "log entry 2 is missing")
        #expect(DurableState(term: 2, log: [noop(2, 1)]).violation()?.contains("missing") == true)
        #expect(DurableState(term: 2, log: [noop(1, 2), noop(2, 1)]).violation() == "log terms go back")
        #expect(DurableState(term: 1, log: [noop(1, 2)]).violation()?.contains("vote record") == true)
        #expect(DurableState(term: 2, snapshot: snapshot, log: [noop(7, 2)]).violation()?.contains("missing") == true)
        #expect(
            DurableState(term: 2, snapshot: snapshot, log: [noop(4, 1), noop(5, 2), noop(6, 2)]).violation() == nil
        )
    }

    @Test
    func `A write that fails gives no receipt, so what rests on it never leaves`() {
        struct DiskFull: Error {}
        var core = ConsensusCore(
            id: NodeID(1),
            voters: [NodeID(1)],
            incarnation: 1,
            timing: .lan,
            durable: DurableState(),
            seed: 1,
            now: .zero
        )
        let batch = core.receive(.tick, now: .zero).persist
        #expect(throws: DiskFull.self) { try batch?.write { _ throws(DiskFull) in throw DiskFull() } }
        #expect(core.role == .candidate)
    }
}
