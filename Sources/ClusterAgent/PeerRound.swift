import AdminAPI
import ClusterModel

/// One request put to several nodes, again and again until each has answered or the time is over.
///
/// A datagram may be lost, and so may its answer: only an answer, or the end of the node's agent where that was asked
/// for, ends the asking. The request has the same number for all, because answers come with their sender.
struct PeerRound {
    /// The number under which answers come.
    let id: Random128
    /// What is asked.
    let request: AdminRequest
    /// On whose behalf.
    let uid: UInt32
    /// When those that are silent are given up.
    let deadline: Instant
    /// Who has not answered yet.
    private(set) var silent: Set<NodeID>
    /// What was answered.
    private(set) var answers: [NodeID: AdminResponse] = [:]
    private var nextTry: Instant

    /// The time between two tries to reach a node.
    static let retryInterval = Duration.milliseconds(200)

    init(
        id: Random128,
        _ request: AdminRequest,
        uid: UInt32,
        to nodes: some Sequence<NodeID>,
        now: Instant,
        _ patience: Duration
    ) {
        self.id = id
        self.request = request
        self.uid = uid
        deadline = now + patience
        silent = Set(nodes)
        nextTry = now
    }

    /// Whether nothing more is to come.
    func isOver(now: Instant) -> Bool { silent.isEmpty || now >= deadline }

    /// When something is due.
    var nextDeadline: Instant { min(nextTry, deadline) }

    /// A node's answer; the first one counts.
    mutating func take(_ response: AdminResponse, from node: NodeID) {
        if silent.remove(node) != nil { answers[node] = response }
    }

    /// A node's agent has ended: it will not answer, and where the request was to end, it has done so.
    mutating func takeEnd(of node: NodeID) { silent.remove(node) }

    /// Whom to ask now, in a fixed order; empty while the last try may still be answered.
    mutating func due(now: Instant) -> [NodeID] {
        guard now >= nextTry, !isOver(now: now) else { return [] }
        nextTry = now + Self.retryInterval
        return silent.sorted()
    }
}
