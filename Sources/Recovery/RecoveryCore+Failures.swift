import ClusterModel
import Placement

/// Counting failures and forgetting them.
extension RecoveryCore {
    /// Writes down failures that nodes report of what they were given, each once.
    mutating func countFailures(_ round: inout Round) {
        for node in nodes.keys {
            guard let known = report(of: node) else { continue }
            for report in known.resources where report.failures > 0 {
                guard let assignment = round.state.assignments[report.resource], assignment.node == node,
                    assignment.incarnation == known.incarnation, assignment.epoch == report.epoch
                else { continue }
                count(report, on: node, &round)
            }
        }
    }

    private mutating func count(_ report: ResourceReport, on node: NodeID, _ round: inout Round) {
        let counted = round.state.countedFailures[report.resource]
        let known = counted?.epoch == report.epoch ? counted?.number ?? 0 : 0
        guard report.failures > known else { return }
        for number in max(known, report.failures - RecoveryLimits.failuresCounted) + 1...report.failures {
            let change = Change.failure(
                resource: report.resource,
                node: node,
                reason: String(report.reason.prefix(RecoveryLimits.longestReason)),
                stopFailed: number == report.failures && report.state == .unknown,
                epoch: report.epoch,
                number: number
            )
            want(.failure(report.resource, report.epoch, number), change, &round)
        }
    }

    /// Forgets failures whose time is over.
    ///
    /// A failed stop is not forgotten with time: what runs is not known.
    mutating func expireFailures(_ round: inout Round) {
        guard let wallClock else { return }
        let time = wallClock.time + (round.now - wallClock.at).milliseconds
        for (resource, records) in round.state.failures.sorted(by: { $0.key < $1.key }) {
            for (node, record) in records.sorted(by: { $0.key < $1.key }) where !record.stopFailed {
                // A record from the future was written by a clock that was wrong.
                let age = abs(time - record.recordedAt)
                if age >= RecoveryLimits.failureExpiry {
                    want(.cleanup(resource, node), .cleanup(resource: resource, node: node), &round)
                } else {
                    round.wake(at: round.now + .milliseconds(RecoveryLimits.failureExpiry - age))
                }
            }
        }
    }

    /// Whether a resource that failed to start must wait before it is started on the same node again.
    mutating func mustPause(_ resource: ResourceName, _ assignment: Assignment, _ round: inout Round) -> Bool {
        guard report(of: resource, on: assignment.node)?.state == .failed else { return false }
        let record = round.state.failures[resource]?[assignment.node]
        // Counted and gone again: an operator cleaned up and wants it tried now.
        if record == nil, round.state.countedFailures[resource]?.epoch == assignment.epoch { return false }
        if startPauses[resource]?.epoch != assignment.epoch {
            let count = record?.count ?? 0
            let pause = RecoveryLimits.pause(
                RecoveryLimits.startPause,
                longest: RecoveryLimits.longestStartPause,
                repetition: count - 1
            )
            startPauses[resource] = StartPause(epoch: assignment.epoch, until: round.now + pause)
        }
        guard let until = startPauses[resource]?.until, round.now < until else { return false }
        round.wake(at: until)
        return true
    }
}
