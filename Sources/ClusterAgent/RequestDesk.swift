import AdminAPI
import ClusterModel
import Consensus
import NodeCore

/// Operators' requests from their arrival to their answer: carried out here while this node leads, sent to the leader
/// otherwise, again and again until it answers or the time is over.
///
/// A request keeps its number wherever it is sent, so that the leader carries out a repeated one only once.
struct RequestDesk {
    /// Where an answer goes.
    enum Origin {
        /// To the operator's command on this node.
        case here(@Sendable (AdminResponse) -> Void)
        /// To the node that sent it on.
        case peer(NodeID)
    }

    /// What the desk wants done.
    enum Action {
        /// Hand a change to the core under this number.
        case change(Change, RequestOrigin)
        /// Send the request to the leader.
        case forward(Random128, AdminRequest, uid: UInt32, to: NodeID)
        /// Answer a peer.
        case answer(Random128, AdminResponse, to: NodeID)
        /// Answer a question from what this node knows: it is the best informed one now.
        case read(AdminRequest, Origin, Random128)
    }

    struct Pending {
        var request: AdminRequest
        var uid: UInt32
        var origin: Origin
        var deadline: Instant
        /// From when on a question is answered by a node that knows no leader.
        var leaderlessFrom: Instant
        var stage = Stage.waitsForLeader(nextTry: nil)
        /// Which try at changing the configuration this is; each has a number of its own in the log.
        var attempt: UInt64 = 0
        /// The last try of which it is known what became: a later one that was cut short keeps its number, because it
        /// may still be carried out, and then must not be carried out, or refused, a second time.
        var settled: UInt64 = 0
        /// Whether a leader may have taken it: then nobody can say any more that nothing was changed.
        var mayBeUnderWay = false
        var notes: [String] = []
    }

    enum Stage {
        /// Nobody has taken it, or the leader has not answered yet.
        case waitsForLeader(nextTry: Instant?)
        /// These changes are on their way through the log.
        case proposed(Set<Random128>)
        /// The move was accepted and goes on.
        case moving(ResourceName, to: NodeID)
        /// The fence was ordered and goes on.
        case fencing(NodeID, Incarnation)
    }

    /// The most requests at once; more are refused.
    static let mostPending = 256
    /// The time between two tries to reach the leader.
    static let retryInterval = Duration.milliseconds(300)
    /// How long a change may take: longer than an election.
    static let changePatience = Duration.seconds(20)
    /// How long a move or a fence may take.
    static let actionPatience = Duration.seconds(120)
    /// How often a change is made anew when others change the configuration at the same time.
    static let mostAttempts: UInt64 = 8
    /// Answers kept for peers that ask again.
    static let answersKept = 128

    let id: NodeID
    private(set) var pending: [Random128: Pending] = [:]
    private var answered: [(id: Random128, response: AdminResponse)] = []

    init(id: NodeID) { self.id = id }

    /// When `advance` should run at the latest.
    var nextDeadline: Instant? {
        pending.values.map { pending in
            guard case .waitsForLeader(let nextTry?) = pending.stage else { return pending.deadline }
            return min(nextTry, pending.deadline)
        }.min()
    }

    /// Takes a request in.
    mutating func take(
        _ request: AdminRequest,
        id: Random128,
        uid: UInt32,
        origin: Origin,
        core: NodeCore,
        now: Instant,
        into actions: inout [Action]
    ) {
        if case .peer(let peer) = origin {
            if pending[id] != nil { return }
            if let known = answered.first(where: { $0.id == id }) {
                actions.append(.answer(id, known.response, to: peer))
                return
            }
            // A peer that knows an older leader asks again when it knows better.
            guard core.isLeading else { return }
        }
        var new = Pending(
            request: request,
            uid: uid,
            origin: origin,
            deadline: now + Self.patience(of: request),
            leaderlessFrom: now + core.consensus.timing.electionTimeout * 2
        )
        guard pending.count < Self.mostPending else {
            respond(&new, id, .failed(AdminFailure(.refused, "too many requests are under way; try again")), &actions)
            return
        }
        pending[id] = new
        advance(core: core, now: now, into: &actions)
    }

    private static func patience(of request: AdminRequest) -> Duration {
        switch request {
        case .move, .fence: actionPatience
        default: changePatience
        }
    }

    /// The leader's answer to a request that was sent on.
    mutating func takeAnswer(_ id: Random128, _ response: AdminResponse) {
        guard let done = pending.removeValue(forKey: id), case .here(let reply) = done.origin else { return }
        reply(response)
    }

    /// What became of a change.
    mutating func takeOutcome(
        of change: Random128,
        _ outcome: ChangeOutcome,
        core: NodeCore,
        now: Instant,
        into actions: inout [Action]
    ) {
        for (id, var request) in pending {
            guard case .proposed(var waiting) = request.stage, waiting.remove(change) != nil else { continue }
            request.stage = .proposed(waiting)
            switch outcome {
            case .applied(.applied(let version)):
                if waiting.isEmpty { changeApplied(&request, id, version: version, core: core, into: &actions) }
            case .applied(.conflict(let current)): conflict(&request, id, current: current, into: &actions)
            case .applied(.refused(let reason)), .refused(let reason):
                respond(&request, id, .failed(AdminFailure(.refused, reason)), &actions)
            case .notLeader:
                request.attempt = request.settled
                request.stage = .waitsForLeader(nextTry: now + Self.retryInterval)
            }
            if pending[id] != nil { pending[id] = request }
        }
        advance(core: core, now: now, into: &actions)
    }

    private mutating func changeApplied(
        _ request: inout Pending,
        _ id: Random128,
        version: ConfigurationVersion,
        core: NodeCore,
        into actions: inout [Action]
    ) {
        switch request.request {
        case .move(let resource, _):
            if let target = core.state.moves[resource] {
                request.stage = .moving(resource, to: target)
                return
            }
        case .fence(let name):
            if let node = core.state.configuration.node(named: name)?.id, let fence = core.state.fences[node] {
                request.stage = .fencing(node, fence.incarnation)
                return
            }
        default: break
        }
        respond(&request, id, .done(version: version, notes: request.notes), &actions)
    }

    mutating func conflict(
        _ request: inout Pending,
        _ id: Random128,
        current: ConfigurationVersion,
        into actions: inout [Action]
    ) {
        if case .edit(_, nil) = request.request, request.attempt < Self.mostAttempts {
            request.stage = .waitsForLeader(nextTry: nil)
            return
        }
        let failure = AdminFailure(
            .conflict,
            "the configuration was changed by somebody else meanwhile (it now has version \(current))",
            remedy: "look at it and repeat the command"
        )
        respond(&request, id, .failed(failure), &actions)
    }

    /// Goes on with everything that can go on.
    mutating func advance(core: NodeCore, now: Instant, into actions: inout [Action]) {
        for (id, var request) in pending.sorted(by: { $0.value.deadline < $1.value.deadline }) {
            if now >= request.deadline {
                respond(&request, id, .failed(timeout(of: request, core: core)), &actions)
                continue
            }
            switch request.stage {
            case .waitsForLeader(let nextTry):
                if let nextTry, now < nextTry { continue }
                if request.request.isQuestion, core.isLeading || isLeaderless(request, core, now: now) {
                    pending[id] = nil
                    actions.append(.read(request.request, request.origin, id))
                } else if core.isLeading {
                    begin(&request, id, core: core, now: now, into: &actions)
                } else {
                    request.stage = .waitsForLeader(nextTry: now + Self.retryInterval)
                    if case .here = request.origin, let leader = core.consensus.leader, leader != self.id {
                        request.mayBeUnderWay = true
                        actions.append(.forward(id, request.request, uid: request.uid, to: leader))
                    }
                }
            case .proposed: break
            case .moving(let resource, let target): checkMove(&request, id, resource, target, core: core, &actions)
            case .fencing(let node, let incarnation):
                checkFence(&request, id, node, incarnation, core: core, &actions)
            }
            if pending[id] != nil { pending[id] = request }
        }
    }

    /// Whether a question has waited long enough for a leader to be elected: what a node knows by itself may be old, above
    /// all just after its start.
    private func isLeaderless(_ request: Pending, _ core: NodeCore, now: Instant) -> Bool {
        core.consensus.leader == nil && now >= request.leaderlessFrom
    }

    private func timeout(of request: Pending, core: NodeCore) -> AdminFailure {
        if case .waitsForLeader = request.stage, core.consensus.leader == nil, !request.mayBeUnderWay {
            return AdminFailure(
                .noQuorum,
                "there is no leader, so nothing can be decided",
                remedy: "haven quorum status says which nodes are missing"
            )
        }
        return AdminFailure(.timeout, "no end within the time given", remedy: "haven status shows what became of it")
    }

    private mutating func checkMove(
        _ request: inout Pending,
        _ id: Random128,
        _ resource: ResourceName,
        _ target: NodeID,
        core: NodeCore,
        _ actions: inout [Action]
    ) {
        guard core.state.moves[resource] == nil else { return }
        let assigned = core.state.assignments[resource]
        let report = core.reports[target]?.resources.first { $0.resource == resource }
        if assigned?.node == target, report?.epoch == assigned?.epoch, report?.state == .running {
            respond(&request, id, .done(version: core.state.version, notes: request.notes), &actions)
        } else if assigned?.node != target {
            let name = core.state.configuration.node(target)?.name ?? target.description
            respond(
                &request,
                id,
                .failed(AdminFailure(.failed, "\(resource) could not be moved to \(name)", remedy: "see haven status")),
                &actions
            )
        }
    }

    private mutating func checkFence(
        _ request: inout Pending,
        _ id: Random128,
        _ node: NodeID,
        _ incarnation: Incarnation,
        core: NodeCore,
        _ actions: inout [Action]
    ) {
        guard let fence = core.state.fences[node], fence.incarnation == incarnation else { return }
        switch fence.outcome {
        case .ordered: return
        case .verified: respond(&request, id, .done(version: core.state.version, notes: request.notes), &actions)
        case .failed(let reason):
            let failure = AdminFailure(
                .failed,
                "the node could not be powered off: \(reason)",
                remedy: "it is tried again; see haven status"
            )
            respond(&request, id, .failed(failure), &actions)
        }
    }

    mutating func respond(
        _ request: inout Pending,
        _ id: Random128,
        _ response: AdminResponse,
        _ actions: inout [Action]
    ) {
        pending[id] = nil
        switch request.origin {
        case .here(let reply): reply(response)
        case .peer(let peer):
            answered.append((id, response))
            if answered.count > Self.answersKept { answered.removeFirst() }
            actions.append(.answer(id, response, to: peer))
        }
    }
}

extension AdminRequest {
    /// Whether it only asks, and the leader knows the answer best.
    fileprivate var isQuestion: Bool {
        switch self {
        case .status, .configuration, .failoverCheck: true
        default: false
        }
    }
}
