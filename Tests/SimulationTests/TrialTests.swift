import ClusterModel
import Simulation
import Testing

/// Whole clusters under schedules of faults.
@Suite
struct TrialTests {
    @discardableResult
    private func expectSound(_ trial: Trial) -> TrialReport {
        let report = trial.run()
        #expect(report.failure == nil, "\(report.failure?.description ?? "")")
        return report
    }

    @Test(arguments: 0..<5)
    func `Every promise is kept under faults, and all runs again when they end`(block: UInt64) {
        for seed in block * 3 + 1...block * 3 + 3 {
            let report = expectSound(Trial(seed: seed, seconds: 15))
            #expect(report.starts >= 4, "seed \(seed)")
        }
    }

    /// Proof of a death let one entry commit, and acting on that at once the next ones, which were applied before it.
    @Test
    func `Entries are applied in their order, also when applying one commits others (seed 2985)`() {
        expectSound(Trial(seed: 2985, isMixed: false))
    }

    /// A node that came back between the proposal of a release and its commit was ordered to run what another was given.
    @Test
    func `Nothing is ordered under an epoch whose release is proposed (seed 52412)`() {
        expectSound(Trial(seed: 52412, isMixed: false))
    }

    /// What else was found in runs in which operators change what the cluster is made of.
    @Test(
        arguments: [
            // A node that knows nobody who came later did not understand the leader, who was one of them.
            80, 1203,
            // A leader that could commit nothing without a node of another history waited for that before it would meet it.
            145,
            // A fence of a node that was taken out of the cluster stayed under way for ever.
            267,
            // A newcomer was shot in the moment in which it was listed.
            296,
            // Two satellites handed the leadership to each other, again and again.
            882,
            // A node that had lost its disk started anew under a number that was on record as dead.
            1079,
            // A node whose log ended with its snapshot could not go on alone.
            201_017,
            // A leader in a history of its own, and one that led among those who came later, never met.
            201_112, 211_523,
            // Of two decisions about leases the older one was carried out last, so a node got none for ever.
            212_298,
            // A newcomer that had heard more than the last voter kept that one from going on by an operator's word.
            213_589,
            // The sheet of another history's leader, of a later term, barred those of a node's own leader for ever.
            315_954,
            // A leader let a voter go that had left, although none of the others could be powered off if it was lost too.
            401_952,
            // A node gave its log up for a history of which only newcomers were left, who held nothing of it.
            604_818,
            // A leader took voters out who shall vote no more, and had no quorum with those who were left.
            625_605,
            // Of two nodes that half of the voters shot one could not be: its next attempt fell due while the other's was
            // under way, and the agent woke for it without an end.
            831_536,
            // The death of a node was known to the leader a moment earlier than to others, and it handed over to one of them.
            323_958,
        ] as [UInt64]
    )
    func `What changes of membership broke once holds`(seed: UInt64) {
        expectSound(Trial(seed: seed, isMixed: false))
    }

    /// Two nodes, also without fencing.
    @Test(
        arguments: [
            // A leader of one that listed a newcomer had no quorum until that one had said that it counts.
            77,
            // A node whose start of something had failed could not give its history up.
            212_942,
        ] as [UInt64]
    )
    func `What was broken once in pairs holds`(seed: UInt64) {
        expectSound(Trial(seed: seed, nodes: 2, isMixed: false))
    }

    @Test(arguments: 0..<5)
    func `Every promise is kept while machines of two versions are upgraded`(block: UInt64) {
        for seed in block * 3 + 1...block * 3 + 3 {
            expectSound(Trial(seed: seed, seconds: 15, isMixed: true))
        }
    }

    /// Regression tests say so of their seeds, and so do all trials that are not mixed.
    @Test
    func `Whether machines begin mixed changes nothing else that is drawn`() {
        for seed in 1...30 as ClosedRange<UInt64> {
            let (drawn, plain) = (Trial(seed: seed), Trial(seed: seed, isMixed: false))
            if drawn.options.levels.isEmpty { #expect(drawn.schedule == plain.schedule) }
            #expect(drawn.nodes == plain.nodes)
            #expect(drawn.options.spares == plain.options.spares)
            #expect(plain.options.clusterLevel == ProtocolLevel.newest)
            #expect(!plain.schedule.faults.contains { $0.kind == .upgrade })
        }
    }

    @Test
    func `A seed repeats a run event for event`() {
        let trial = Trial(seed: 11, nodes: 3, seconds: 15)
        let (first, second) = (trial.run(lines: 5000), trial.run(lines: 5000))
        #expect(first.story == second.story)
        #expect(first.story.count > 50)
        #expect(first.events == second.events)
        // Whether a story is told changes nothing.
        #expect(trial.run().events == first.events)
    }

    @Test
    func `Every kind of fault is drawn and takes place`() {
        var injected: [FaultKind: Int] = [:]
        for seed in 1...120 as ClosedRange<UInt64> where Set(injected.keys).count < FaultKind.allCases.count {
            let nodes = seed.isMultiple(of: 3) ? 2 : 3
            let report = Trial(seed: seed, nodes: nodes, mode: .safety, seconds: 15).run()
            injected.merge(report.injected) { $0 + $1 }
        }
        for kind in FaultKind.allCases { #expect(injected[kind, default: 0] > 0, "\(kind)") }
    }
}

/// Faults as values.
@Suite
struct FaultScheduleTests {
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `A schedule can be printed and read again`(seed: UInt64) throws {
        let schedule = FaultSchedule.drawn(seed: seed, nodes: 5, milliseconds: 60_000)
        #expect(schedule.faults.count > 3)
        #expect(try FaultSchedule.parse(schedule.text).get() == schedule)
    }

    @Test
    func `A line that is no fault is named`() {
        let lines = [
            "1 pause 2 1 10", "x pause 2 1 10 0", "1 paws 2 1 10 0", "1 pause two 1 10 0", "-1 pause 2 1 10 0",
        ]
        for line in lines {
            let error = #expect(throws: UnreadableFault.self) { try FaultSchedule.parse(line).get() }
            #expect(error?.line == line)
        }
    }

    @Test
    func `Kinds that are excluded do not occur`() {
        for seed in 1...20 as ClosedRange<UInt64> {
            let schedule = FaultSchedule.drawn(
                seed: seed,
                nodes: 4,
                milliseconds: 100_000,
                excluded: \.breaksPowerControl
            )
            #expect(!schedule.faults.contains { $0.kind.breaksPowerControl })
        }
    }
}
