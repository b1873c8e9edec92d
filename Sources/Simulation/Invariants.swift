import ClusterModel
import Consensus

/// What must hold at every moment, kept by an observer that sees all nodes at once.
struct Invariants: Sendable {
    private struct Decided: Sendable {
        let term: Term
        /// The term in which it was known to be committed.
        let committedIn: Term
        let digest: UInt64
    }

    private var leaders: [Term: NodeID] = [:]
    /// The highest term in which anybody was ever elected.
    private(set) var newestTerm: Term = 0
    /// What was ever committed anywhere, from index 1.
    private var decided: [Decided] = []
    /// The newest entry that each start of an agent has handed out.
    private var applied: [NodeID: LogIndex] = [:]
    /// Who votes by the newest configuration entry that was ever committed.
    var voters: VoterSet
    /// Where that entry is.
    private(set) var votersIndex: LogIndex = 0
    /// Up to here the log is that of another history, and who decides is not what its entries say (RULE 4.2-e).
    private(set) var partedAt: LogIndex = 0
    /// The newest violation; the run stops at it.
    private(set) var violation: String?

    init(voters: [NodeID]) { self.voters = VoterSet(unlisted: voters) }

    /// The highest index ever committed.
    var decidedIndex: LogIndex { LogIndex(decided.count) }

    /// The term of a committed entry.
    func decidedTerm(at index: LogIndex) -> Term { decided[Int(index) - 1].term }

    /// A history that has a part of what was decided in common with this one.
    ///
    /// - Parameters:
    ///   - index: The last entry of it.
    ///   - alone: Who decides from which entry on.
    /// - Returns: Its rules.
    func parted(through index: LogIndex, alone: ListedVoters) -> Invariants {
        var result = Invariants(voters: [])
        result.decided = Array(decided.prefix(Int(index)))
        result.voters = alone.set
        result.votersIndex = alone.index
        result.partedAt = alone.index
        return result
    }

    /// Whether an entry is the one behind the last that a node was seen to apply.
    func isNext(_ index: LogIndex, on node: NodeID) -> Bool { index == (applied[node] ?? 0) + 1 }

    /// A node applied what can no longer be read from its log, or took a snapshot in its place.
    mutating func skipped(to index: LogIndex, on node: NodeID) { applied[node] = index }

    mutating func fail(_ reason: String) {
        if violation == nil { violation = reason }
    }

    mutating func started(_ node: NodeID, snapshotIndex: LogIndex) { applied[node] = snapshotIndex }

    /// Election safety (Raft §5.2) and leader completeness (§5.4): one leader per term, who has all that is decided.
    mutating func becameLeader(_ node: NodeID, core: ConsensusCore) {
        if let other = leaders[core.term], other != node {
            fail("S4: \(other) and \(node) both lead term \(core.term)")
        }
        leaders[core.term] = node
        newestTerm = max(newestTerm, core.term)
        guard core.snapshotIndex < decidedIndex else { return }
        for index in core.snapshotIndex + 1...decidedIndex
        // A leader of an older term may be elected late; completeness is promised to later terms alone.
        where decided[Int(index) - 1].committedIn < core.term
            && core.termInLog(at: index) != decided[Int(index) - 1].term
        {
            fail("S4: \(node) leads term \(core.term) without committed entry \(index)")
            return
        }
    }

    /// State machine safety (§5.4.3), and S3: what is new must be on the disks of a quorum.
    ///
    /// - Parameters:
    ///   - entry: What is applied.
    ///   - node: Where.
    ///   - term: The node's term.
    ///   - holders: Whose disks hold an entry.
    ///   - hasEnded: Whether a start of a node will never act again, in truth.
    mutating func committed(
        _ entry: LogEntry,
        on node: NodeID,
        in term: Term,
        holders: (LogEntry) -> NodeSet,
        hasEnded: (Voter) -> Bool
    ) {
        if entry.index != (applied[node] ?? 0) + 1 {
            fail("S4: \(node) applies entry \(entry.index) after entry \(applied[node] ?? 0)")
        }
        applied[node] = entry.index
        if entry.index <= decidedIndex {
            let known = decided[Int(entry.index) - 1]
            let before = entry.index > 1 ? decided[Int(entry.index) - 2].digest : 0
            if known.term != entry.term || known.digest != LogRecorder.digest(before, entry) {
                fail("S4: \(node) applies another entry \(entry.index) than was committed")
            }
            return
        }
        guard entry.index == decidedIndex + 1 else {
            fail("S4: entry \(entry.index) is committed before entry \(decidedIndex + 1)")
            return
        }
        checkQuorum(of: entry, on: node, holders: holders(entry), hasEnded: hasEnded)
        if case .voters(let set) = entry.payload, entry.index > partedAt {
            voters = set
            votersIndex = entry.index
        }
        let digest = LogRecorder.digest(decided.last?.digest ?? 0, entry)
        decided.append(Decided(term: entry.term, committedIn: max(entry.term, term), digest: digest))
    }

    /// A snapshot stands for exactly what was committed up to its last entry.
    mutating func installed(_ snapshot: Snapshot, on node: NodeID, digest: UInt64?) {
        applied[node] = snapshot.lastIndex
        guard snapshot.lastIndex <= decidedIndex else {
            fail("S4: \(node) installs a snapshot of entry \(snapshot.lastIndex), which is not committed")
            return
        }
        let known = decided[Int(snapshot.lastIndex) - 1]
        if snapshot.lastTerm != known.term || (digest ?? known.digest) != known.digest {
            fail("S4: \(node) installs a snapshot that is not the committed entries up to \(snapshot.lastIndex)")
        }
    }

    /// A vote that was written is never another one in the same term (§5.2).
    mutating func wroteVote(_ node: NodeID, before: (term: Term, votedFor: NodeID?), after: DurableState) {
        if before.term > after.term {
            fail("S4: \(node) goes back from term \(before.term) to \(after.term)")
        }
        if before.term == after.term, let vote = before.votedFor, vote != after.votedFor {
            fail("S4: \(node) takes back its vote of term \(before.term)")
        }
    }

    /// Leases: once the newest leader ever elected says that a node's lease is over, it is over by that node's own clock.
    ///
    /// A leader of an older term that does not know of its end may be wrong: it can commit nothing any more, so nothing
    /// follows from what it believes. Nor does anything follow while no quorum answers.
    mutating func checkLeases<App>(_ nodes: [SimulatedNode<App>], at time: TrueTime) {
        for newest in nodes.indices {
            guard let agent = nodes[newest].agent, agent.core.role == .leader, agent.core.term == newestTerm else {
                continue
            }
            let now = nodes[newest].clock.local(time)
            for other in nodes.indices where other != newest && nodes[other].holdsLease(at: time) {
                if now >= agent.core.leaseOver(of: nodes[other].id), agent.core.decides(at: now) {
                    let left = (nodes[other].leaseWord ?? .zero) - nodes[other].clock.local(time)
                    let (leader, node) = (nodes[newest].id, nodes[other].id)
                    fail("S2: \(leader) takes the lease of \(node) for ended, which has \(left.milliseconds) ms left")
                }
            }
        }
    }
}
