import AdminAPI
import ClusterModel
import ClusterSetup
import Consensus
import FenceRunner
import Foundation
import LinuxIO
import Logging
import NodeCore
import Processes
import ResourceRunner
import Store

/// What an agent is made of, put together in the order that safety asks for: the lock first, so that no second agent
/// reads or writes anything; then what the disk holds; the incarnation raised durably before anything is sent.
struct AgentParts {
    let identity: Identity
    let paths: AgentPaths
    let log: Logger
    let inbox: Inbox<AgentNews>
    let disk: DiskWorker
    let leaseWord: LeaseWord
    let links: PeerLinks
    let joins: JoinDesk
    let operations: OperationDesk
    let guarding: GuardDesk
    let fences: FenceDesk
    let proxy: ProxySupervisor
    let core: NodeCore
    /// What an operator should know of this machine.
    let notices: [String]
    /// Whether the core thread has real-time priority.
    let isRealtime: Bool

    init(options: AgentOptions, log: Logger) throws {
        let paths = options.paths
        self.paths = paths
        self.log = log
        try Self.takeLock(paths)
        var identity = try Self.identity(of: paths)
        try BranchRecord.carryOut(paths, log: log)
        identity = try Self.identity(of: paths)
        let inbox = try Inbox<AgentNews>(capacity: AgentLoop.inboxCapacity)
        self.inbox = inbox
        let opened = try Self.openStore(paths, identity)
        let store = opened.store
        disk = DiskWorker(store: store) { inbox.put(.disk($0)) }
        let session = try SystemRandom.random128()
        let incarnation = opened.incarnation
        let durable = opened.durable
        identity.branch = durable.branch.map { BranchRecord.text($0.mark) }
        self.identity = identity
        let contacts = Self.contacts(identity, durable)
        guard
            let core = NodeCore(
                id: identity.node,
                incarnation: incarnation,
                session: session,
                initial: identity.initialConfiguration,
                contacts: contacts.map(\.id),
                durable: durable,
                codec: WireCodec.codec,
                seed: session.low,
                now: Clock.monotonic()
            )
        else { throw AgentFailure("\(paths.database) was written by another version of Haven") }
        self.core = core
        (notices, isRealtime) = Self.takeRealtimeRights(options, log)
        leaseWord = try LeaseWord.create(path: paths.lease)
        links = try PeerLinks(
            identity: identity,
            nodes: Self.merge(contacts, durable.snapshot == nil ? [] : core.state.configuration.nodes),
            keys: AgentLoop.keysOnDisk(core.state.keys, opened.durable),
            incarnation: incarnation,
            session: session,
            log: log
        )
        joins = try JoinDesk(identity: identity, shared: true)
        operations = try OperationDesk(
            settings: Self.runnerSettings(identity, options),
            realtimePriority: options.realtime ? AgentOptions.realtimePriority : nil,
            inbox: inbox,
            log: log
        )
        operations.manage(core.state.configuration)
        guarding = GuardDesk(
            program: options.guardProgram,
            paths: GuardDesk.GuardPaths(lease: paths.lease, list: paths.guardList),
            session: session,
            realtime: options.realtime,
            log: log
        )
        fences = try FenceDesk(searchPath: options.fenceAgentPath, inbox: inbox)
        proxy = ProxySupervisor(
            program: options.proxyProgram,
            controlPath: paths.proxySocket,
            leasePath: paths.lease,
            log: log
        )
    }

    /// Who this node is, if it may be that one at all.
    private static func identity(of paths: AgentPaths) throws(AgentRefusal) -> Identity {
        if let reason = FileManager.default.contents(atPath: paths.quarantine) {
            throw AgentRefusal(String(decoding: reason, as: UTF8.self))
        }
        for profile in TimingProfile.allCases {
            if let violation = ConsensusTiming(profile).violation() { throw AgentRefusal("\(profile): \(violation)") }
        }
        do throws(IdentityError) { return try Identity.load(paths.identity) } catch {
            throw AgentRefusal(error.description)
        }
    }

    /// Takes the lock for as long as this process lives: its descriptor is given away and never closed.
    private static func takeLock(_ paths: AgentPaths) throws {
        try FileManager.default.createDirectory(
            atPath: paths.run,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o750]
        )
        let lock = try Descriptor.open(paths.lock, O_RDWR | O_CREAT, mode: 0o600)
        guard FileLock.tryLock(lock.number) else {
            throw AgentFailure("another agent runs on this node (it holds \(paths.lock))")
        }
        _ = lock.release()
    }

    /// What the disk holds, with what the identity says about a node that joined later, and a new incarnation.
    private static func openStore(
        _ paths: AgentPaths,
        _ identity: Identity
    ) throws -> (store: DurableStore, durable: DurableState, incarnation: Incarnation) {
        do {
            let store = try DurableStore.open(in: StateDirectory(path: paths.state))
            let recovered = try store.recover()
            guard var durable = DurableState(recovered) else {
                throw AgentFailure("\(paths.database) was written by another version of Haven")
            }
            if let violation = durable.violation() {
                throw StoreError.damaged(path: paths.database, detail: violation)
            }
            durable.isNewcomer = identity.isNewcomer == true && durable.isNewcomer
            durable.branch = try durable.branch ?? branchJoined(identity, paths)
            return (store, durable, try store.beginIncarnation(above: identity.formerIncarnation ?? 0))
        } catch let error as StoreError where error.isLasting {
            throw AgentRefusal(error.description)
        }
    }

    /// Real-time priority and locked memory where the machine allows them; elsewhere the operator is told.
    private static func takeRealtimeRights(_ options: AgentOptions, _ log: Logger) -> ([String], Bool) {
        guard options.realtime else {
            return (["the agent runs without real-time priority, as asked (--no-realtime)"], false)
        }
        var notices: [String] = []
        var isRealtime = false
        do throws(SystemError) {
            try Scheduling.lockMemory()
        } catch {
            notices.append("the agent's memory is not locked (\(error.reason)): under memory pressure it may stall")
        }
        do throws(SystemError) {
            try Scheduling.becomeRealtime(priority: AgentOptions.realtimePriority)
            isRealtime = true
        } catch { notices.append("the agent has no real-time priority (\(error.reason)): under load it may stall") }
        for notice in notices { log.warning("\(notice)") }
        return (notices, isRealtime)
    }

    private static func branchJoined(_ identity: Identity, _ paths: AgentPaths) throws -> DurableBranch? {
        guard let text = identity.branch else { return nil }
        guard let mark = BranchRecord.mark(text) else { throw AgentRefusal("\(IdentityError.damaged(paths.identity))") }
        return DurableBranch(mark: mark)
    }

    /// Everybody who may be part of the cluster by what this machine knows; the newest word about each node counts.
    private static func contacts(_ identity: Identity, _ durable: DurableState) -> [Node] {
        durable.log.compactMap(WireCodec.codec.configuration).reduce(identity.known) { merge($0, $1.nodes) }
    }

    /// All nodes of both, in ascending order; the newer word about each counts.
    static func merge(_ nodes: [Node], _ newer: [Node]) -> [Node] {
        var all = Dictionary(nodes.map { ($0.id, $0) }) { first, _ in first }
        for node in newer { all[node.id] = node }
        return all.values.sorted { $0.id < $1.id }
    }

    private static func runnerSettings(_ identity: Identity, _ options: AgentOptions) -> RunnerSettings {
        let name = identity.own?.name ?? identity.node.description
        var settings = RunnerSettings(node: name, nodeNumber: identity.node)
        settings.stateDirectory = options.paths.resources
        return settings
    }
}

/// Why an agent does not start or must stop, for the operator.
public struct AgentFailure: Error, CustomStringConvertible, Sendable {
    /// The sentence.
    public let description: String

    /// States a reason.
    public init(_ description: String) { self.description = description }
}

/// Why an agent must not start, not even by a second try, until an operator has done something.
public struct AgentRefusal: Error, CustomStringConvertible, Sendable {
    /// What is wrong, and what to do.
    public let description: String
    /// What the program ends with, so that nothing starts it again (`EX_CONFIG` of sysexits.h).
    public static let exitCode: Int32 = 78

    init(_ description: String) { self.description = description }
}
