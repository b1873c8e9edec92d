import AdminAPI
import Arbiter
import ClusterModel
import ClusterSetup
import FenceRunner
import Foundation
import LinuxIO
import Logging
import NodeCore
import Recovery
import Store

/// The core thread: takes what sockets, timers and workers bring to the node's core, and carries out what it decides.
///
/// Everything in it runs on one thread and nothing in it waits: the disk, programs and operators have threads of their
/// own and answer through the inbox.
final class AgentLoop {
    /// Tokens of the poller.
    enum Token {
        static let inbox: UInt64 = 1
        static let signals: UInt64 = 2
        static let joins: UInt64 = 3
        /// Tokens from here on, `ConfigurationLimits.arbiterAddresses` of them, belong to `ArbiterDesk`.
        static let arbiters: UInt64 = 16
        /// Tokens from here on belong to `PeerLinks`.
        static let links: UInt64 = 1 << 32
    }

    /// The most news from other threads that may wait.
    static let inboxCapacity = 4096
    /// The most warnings of this agent's own that a status shows.
    static let mostNotices = 32
    /// The most requests to several nodes at once.
    static let mostRounds = 16
    /// The longest sleep, so that wall-clock times and derived views never grow old.
    static let longestSleep = Duration.seconds(1)

    let identity: Identity
    let paths: AgentPaths
    let log: Logger
    let inbox: Inbox<AgentNews>
    let disk: DiskWorker
    let leaseWord: LeaseWord
    let links: PeerLinks
    let record: IdentityRecord
    let joins: JoinDesk
    let operations: OperationDesk
    let guarding: GuardDesk
    let fences: FenceDesk
    let proxy: ProxySupervisor
    var core: NodeCore
    var watch: FenceWatch
    /// The configuration that the watch was told of.
    var watchedVersion: ConfigurationVersion?
    let arbiters = ArbiterDesk()
    var arbiterWatch: ArbiterWatch
    /// What the watch over arbiters was told.
    var arbiterPlan: ArbiterPlan?
    /// Whether an arbiter forbids this node to go on alone, as the log says.
    var isVetoed = false
    var desk: RequestDesk
    /// Requests that went to several nodes.
    var rounds: [OpenRound] = []
    var poller: Poller
    let signals: SignalInput
    var stalls = StallDetector()
    var diskHealth = DiskHealth()
    var counters: AgentCounters
    var notices: [String]
    var ending: Ending?
    /// Whether the node was asked to leave.
    var isLeaving = false
    /// Whether the node has left; the loop ends when nobody waits for other nodes' answers any more.
    var hasLeft = false
    var needsRefresh = true
    /// The newest stalls here and elsewhere that were long enough to matter, oldest first.
    var stallNotes: [StallNote] = []
    /// The secrets that the transport was told of.
    var followedKeys: ClusterKeys?
    /// When the leader looks after a rotation again.
    var nextKeyStep: Instant?
    /// Peers that were lost and have not been heard since.
    var lostPeers: Set<NodeID> = []

    /// How the loop ends.
    enum Ending {
        /// As asked: the node has left.
        case left
        /// To start again with what the disk holds now, or in another history, for this reason.
        case anew(String)
        /// Something that an operator must look at.
        case fault(String)
    }

    init(_ parts: consuming AgentParts) throws {
        identity = parts.identity
        record = IdentityRecord(parts.identity, path: parts.paths.identity, log: parts.log)
        paths = parts.paths
        log = parts.log
        inbox = parts.inbox
        disk = parts.disk
        leaseWord = parts.leaseWord
        links = parts.links
        joins = parts.joins
        operations = parts.operations
        guarding = parts.guarding
        fences = parts.fences
        proxy = parts.proxy
        core = parts.core
        notices = parts.notices
        counters = AgentCounters(
            incarnation: parts.core.incarnation,
            isRealtime: parts.isRealtime,
            now: Clock.monotonic()
        )
        watch = FenceWatch(node: parts.identity.node)
        arbiterWatch = ArbiterWatch(identifier: UInt16.random(in: .min ... .max))
        desk = RequestDesk(id: parts.identity.node)
        signals = try SignalInput([SIGTERM, SIGINT])
        poller = try Poller()
        try poller.add(inbox.wakeUp.descriptor.number, .read, token: Token.inbox)
        try poller.add(signals.descriptor.number, .read, token: Token.signals)
        try poller.add(joins.descriptor, .read, token: Token.joins)
        try links.register(in: &poller, base: Token.links)
    }

    /// Runs until the node has left or must stop.
    func run() throws -> Ending {
        var effects: [NodeEffect] = []
        core.start(now: Clock.monotonic(), wallClock: Clock.wallMilliseconds(), into: &effects)
        carryOut(&effects)
        var events: [Poller.Event] = []
        while ending == nil {
            refreshIfNeeded()
            let beforeWait = Clock.monotonic()
            let deadline = nextDeadline(now: beforeWait)
            report(stall: stalls.willWait(until: deadline, now: beforeWait))
            events.removeAll(keepingCapacity: true)
            try poller.wait(until: deadline, now: beforeWait, into: &events)
            report(stall: stalls.didWake(now: Clock.monotonic()))
            for event in events { handle(event) }
            tick()
        }
        shutDown()
        return ending ?? .left
    }

    private func nextDeadline(now: Instant) -> Instant {
        let deadlines = [
            core.nextDeadline, desk.nextDeadline, links.nextDeadline, joins.nextDeadline, roundsDeadline, keysDeadline,
            watch.nextDeadline, arbiterWatch.nextDeadline, diskHealth.nextDeadline,
        ]
        return deadlines.compactMap(\.self).min().map { min($0, now + Self.longestSleep) } ?? now + Self.longestSleep
    }

    private func report(stall: Duration?) {
        guard let stall else { return }
        tell(stall: stall)
        counters.note(stall: stall, now: Clock.monotonic())
        feed(.stalled(stall))
    }

    private func handle(_ event: Poller.Event) {
        switch event.token {
        case Token.inbox: for news in inbox.takeAll() { handle(news) }
        case Token.joins: joins.receive(now: Clock.monotonic())
        case Token.arbiters..<Token.arbiters + UInt64(ConfigurationLimits.arbiterAddresses):
            for input in arbiters.receive(token: event.token) { askArbiters(input) }
        case Token.signals: while signals.next() != nil { beginLeaving() }
        default: for news in links.receive(token: event.token, now: Clock.monotonic()) { handle(news) }
        }
    }

    private func handle(_ news: AgentNews) {
        switch news {
        case .request(let request, let uid, let reply): answer(request, uid: uid, reply: reply)
        case .stopRecorded(let uid, let reply): orderEveryNode(uid: uid, reply)
        case .disk(.written(let receipt)):
            feed(.persisted(receipt))
            follow(diskHealth.written(receipt, now: Clock.monotonic()))
        case .disk(.failing(let reason)): follow(diskHealth.failed(reason))
        case .disk(.broken(let reason)): ending = .fault(reason)
        case .operationEnded(let resource, let operation, let outcome):
            feed(.operationEnded(resource, operation: operation, outcome))
        case .processExited(let resource, let startedBy, let reason):
            feed(.processExited(resource, startedBy: startedBy, reason: reason))
        case .fenceEnded(let node, let incarnation, let failure):
            feed(.fenceEnded(node: node, incarnation: incarnation, failure: failure))
        case .fenceDevicesChecked(let number, let failure):
            feed(.fenceDevicesChecked(number: number, failure: failure))
        case .deviceChecked(let number, let failure): watch(.ended(number: number, failure: failure))
        case .rival(let text): log.warning("\(text)")
        case .remark(let text): log.info("\(text)")
        }
    }

    private func handle(_ news: PeerNews) {
        switch news {
        case .session(let peer, let incarnation, let session, let level):
            feed(.peerSession(peer, incarnation, session, level: level))
        case .foreignLevels(let text, let cluster):
            log.error("\(text)")
            feed(.clusterLevel(cluster))
        case .message(.core(let message), let peer): feed(.message(message, from: peer))
        case .message(.request(let id, let request, let uid), let peer):
            handleForwarded(request, id: id, uid: uid, from: peer)
        case .message(.answer(let id, let response), let peer):
            desk.takeAnswer(id, response)
            takeRoundAnswer(id, response, from: peer)
        case .message(.stalled(let time), let peer): note(stall: .milliseconds(Int64(time)), of: peer)
        case .link(let peer, let link, let isUp): noteLink(peer, link, isUp: isUp)
        case .alarm(let text):
            log.error("\(text)")
            if !notices.contains(text), notices.count < Self.mostNotices { notices.append(text) }
        case .refused(let text): quarantine(text)
        }
    }

    private func tick() {
        let now = Clock.monotonic()
        report(stall: stalls.look(now: now))
        leaseWord.lastPass = now
        guarding.look(now: now)
        for news in links.tick(now: now) { handle(news) }
        joins.tick(now: now)
        advanceKeys(now: now)
        if let deadline = core.nextDeadline, deadline <= now { feed(.tick) }
        follow(diskHealth.look(now: now))
        if let deadline = watch.nextDeadline, deadline <= now { watch(.tick) }
        tickArbiters(now: now)
        advanceDesk()
        advanceRounds(now: now)
    }

    /// Gives the core one input and carries out what it decides.
    func feed(_ input: NodeInput) {
        let now = Clock.monotonic()
        report(stall: stalls.look(now: now))
        var effects: [NodeEffect] = []
        core.receive(input, now: now, wallClock: Clock.wallMilliseconds(), into: &effects)
        carryOut(&effects)
    }

    /// Steps aside while the disk is not good enough, and takes part again when it is.
    private func follow(_ verdict: DiskHealth.Verdict?) {
        switch verdict {
        case .stepsAside:
            log.error("\(diskHealth.trouble ?? ""): this node takes no part until it can write again")
            feed(.storage(working: false))
        case .takesPart:
            log.notice("the disk takes writes again: this node takes part")
            feed(.storage(working: true))
        case nil: break
        }
    }

    /// Asks the cluster to take this node's work; the loop ends when that is done.
    func beginLeaving() {
        isLeaving = true
        log.notice("leaving: resources go to other nodes")
        feed(.leave)
    }

    /// Another machine speaks for this node, or this node has forgotten what it promised: it must not vote again, not
    /// even after a restart, until it has joined anew.
    private func quarantine(_ reason: String) {
        let text =
            "\(reason). This node must join again: haven cluster destroy here, haven cluster token on another node"
        try? DurableFile.replace(paths.quarantine, content: Array(text.utf8), mode: 0o600)
        ending = .fault(text)
    }

    private func shutDown() {
        leaseWord.end = nil
        disk.close()
        let hasLeft = if case .left? = ending { true } else { false }
        operations.shutDown(hasLeft: hasLeft)
        guarding.shutDown(hasLeft: hasLeft)
        fences.shutDown()
        proxy.shutDown()
    }
}
