import ClusterModel
import Consensus

extension Invariants {
    /// S3: what is committed for the first time is on the disks of a quorum of the voter set before and, if it is a voter
    /// set, of that too (RULE 4.2-a): of more than half, or of half while every start listed in the other half has ended
    /// in truth.
    mutating func checkQuorum(
        of entry: LogEntry,
        on node: NodeID,
        holders: NodeSet,
        hasEnded: (Voter) -> Bool
    ) {
        var sets = [voters]
        if case .voters(let set) = entry.payload, entry.index > partedAt { sets.append(set) }
        for set in sets {
            let count = holders.intersection(set.nodes).count
            if count * 2 > set.count { continue }
            let others = set.voters.filter { !holders.contains($0.node) }
            if count * 2 == set.count, others.allSatisfy(hasEnded) { continue }
            fail("S3: \(node) commits entry \(entry.index), which only \(holders) of \(set.nodes) hold")
            return
        }
    }

    /// The newest start of a machine's agent that will never act again: all but the one that runs, and that too once its
    /// end is on the disk.
    static func endedIncarnation(_ disk: VirtualDisk, of node: NodeID, runs: Bool) -> Incarnation {
        let said = disk.durable.deaths.list.last { $0.node == node && $0.proof == .left }?.incarnation ?? 0
        return max(said, runs ? disk.incarnation - 1 : disk.incarnation)
    }
}
