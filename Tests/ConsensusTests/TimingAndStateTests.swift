import ClusterModel
import Consensus
import Testing

@Suite
struct TimingAndStateTests {
    @Test(arguments: TimingProfile.allCases)
    func `Every profile fits itself, with clocks that run ten percent wrong`(profile: TimingProfile) {
        let timing = ConsensusTiming(profile)
        #expect(timing.violation() == nil)
        #expect(timing.clockRateErrorPercent == 10)
        // A node that was just elected because of silence has nothing to wait out.
        #expect(timing.leaseCeiling <= timing.electionTimeout)
    }

    @Test(
        arguments: [
            (.fast, 150, 300, 500), (.lan, 600, 1200, 2000), (.wan, 3000, 6000, 10_000),
        ] as [(TimingProfile, Int64, Int64, Int64)]
    )
    func `A profile keeps the detection and promises the failover that it is chosen for`(
        profile: TimingProfile,
        lost: Int64,
        failover: Int64,
        longest: Int64
    ) {
        let timing = ConsensusTiming(profile)
        #expect(timing.lostAfter == .milliseconds(lost))
        #expect(timing.promisedFailover == .milliseconds(failover))
        #expect(timing.longestFailover == .milliseconds(longest))
        // Detection, a rank or two, and what is waited after a lease, fit in what is promised.
        let needed = timing.lostAfter + timing.electionSpread * 2 + timing.grace
        #expect(needed <= timing.promisedFailover)
    }

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
