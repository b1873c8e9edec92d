import ClusterModel
import Consensus

/// Whether the disk is good enough to take part: what was handed to it is on it soon.
///
/// A node whose disk takes no writes, or takes them only after seconds, keeps no promise that has to be written down
/// first. It steps aside: votes for nobody, acknowledges nothing, runs nothing, so that others decide without it.
struct DiskHealth {
    /// Batches that were handed to the worker and are not known written, oldest first.
    private var pending: [(id: PersistID, since: Instant)] = []
    /// Why this node steps aside now; nil while it takes part.
    private(set) var trouble: String?
    /// When it takes part again after a slow disk.
    private var returnAt: Instant?
    /// When the newest slow times began.
    private var slowTimes: [Instant] = []

    /// How long a write may take: far beyond a sync of a healthy disk, and beyond an election.
    static let patience = Duration.seconds(3)
    /// How long a node stays aside after its disk was slow; doubled with each time within the memory.
    static let firstPause = Duration.seconds(5)
    static let longestPause = Duration.seconds(60)
    /// For how long a slow time is remembered.
    static let memory = Duration.seconds(600)
    /// How many are remembered at most.
    static let mostSlowTimes = 8

    /// What follows for the core; nil for nothing.
    enum Verdict: Hashable {
        case takesPart
        case stepsAside
    }

    /// When `look` should be called at the latest.
    var nextDeadline: Instant? {
        if trouble == nil { return pending.first.map { $0.since + Self.patience } }
        return returnAt
    }

    mutating func began(_ id: PersistID, now: Instant) { pending.append((id, now)) }

    /// Everything up to that batch is on the disk.
    mutating func written(_ receipt: PersistReceipt, now: Instant) -> Verdict? {
        pending.removeAll { $0.id <= receipt.id }
        guard trouble != nil else { return nil }
        // What is still waiting was handed over while an earlier write was held up.
        for index in pending.indices { pending[index].since = now }
        guard let last = slowTimes.last else { return recover() }
        if returnAt == nil {
            let pause = Self.firstPause * (1 << (slowTimes.count - 1))
            returnAt = max(now, last) + min(Self.longestPause, pause)
        }
        return look(now: now)
    }

    /// A write failed in a way that passes, such as for want of room.
    mutating func failed(_ reason: String) -> Verdict? {
        defer { trouble = reason }
        return trouble == nil ? .stepsAside : nil
    }

    /// Time has passed.
    mutating func look(now: Instant) -> Verdict? {
        slowTimes.removeAll { now - $0 > Self.memory }
        if trouble == nil, let first = pending.first, now >= first.since + Self.patience {
            if slowTimes.count == Self.mostSlowTimes { slowTimes.removeFirst() }
            slowTimes.append(now)
            trouble = "the disk has not taken a write for \(Self.patience.components.seconds) s"
            return .stepsAside
        }
        guard let returnAt, now >= returnAt else { return nil }
        // Held up again meanwhile: the next write that gets through begins another pause.
        if let first = pending.first, now >= first.since + Self.patience {
            self.returnAt = nil
            return nil
        }
        return recover()
    }

    private mutating func recover() -> Verdict {
        trouble = nil
        returnAt = nil
        return .takesPart
    }
}
