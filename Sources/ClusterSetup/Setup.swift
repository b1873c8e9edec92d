import Bytes
public import ClusterModel
import Foundation
import LinuxIO
import Synchronization

/// Sets a cluster up on all its nodes from one of them.
public struct Setup: Sendable {
    /// The cluster's name.
    public var name: String
    /// The nodes, by number in this order.
    public var nodes: [Node]
    /// How commands reach the other nodes.
    public var shell: RemoteShell
    /// Whether the agents are started.
    public var starts: Bool
    /// Where this machine's agent keeps its files; the other nodes use the standard places.
    public var paths: AgentPaths
    /// Told a line for every step.
    public var progress: @Sendable (String) -> Void

    /// - Parameters:
    ///   - name: The cluster's name.
    ///   - nodes: The nodes, by number.
    ///   - shell: How commands reach the other nodes.
    ///   - starts: Whether the agents are started.
    ///   - progress: Told a line for every step.
    /// - Throws: for a name that cannot be one.
    public init(
        name: String,
        nodes: [Node],
        shell: RemoteShell,
        starts: Bool,
        progress: @escaping @Sendable (String) -> Void
    ) throws(SetupError) {
        if let violation = NameRule.violation(name) { throw .failed("the cluster's name: \(violation)") }
        self.name = name
        self.nodes = nodes
        self.shell = shell
        self.starts = starts
        paths = .standard
        self.progress = progress
    }

    /// How often it is looked whether a remote command has ended.
    private static let lookInterval = Duration.milliseconds(20)

    /// Does it; when a node fails, those that were done before are undone.
    public func run() throws(SetupError) {
        try Joining.refuseMember(paths)
        let identity = try makeIdentity()
        try joinAll(identity)
        if starts { try start(identity.node) }
    }

    /// Makes every node a member; the port is free again afterwards, for the agent.
    private func joinAll(_ identity: Identity) throws(SetupError) {
        let desk: JoinDesk
        do {
            desk = try JoinDesk(identity: identity, shared: false)
        } catch { throw .failed("\(error)") }
        let own = identity.node
        var joined: [Node] = []
        do throws(SetupError) {
            for node in nodes where node.id != own {
                try join(node, desk)
                joined.append(node)
                progress("\(node.name): joined")
            }
            try Joining.install(identity, paths: paths)
            progress("\(nodeName(own)): joined")
        } catch {
            undo(joined)
            throw error
        }
    }

    private func nodeName(_ id: NodeID) -> NodeName { nodes.first { $0.id == id }?.name ?? id.description }

    private func makeIdentity() throws(SetupError) -> Identity {
        guard let own = nodes.first(where: { $0.addresses.contains(where: Self.isLocal) }) else {
            throw .notLocal(nodes.map(\.name))
        }
        do {
            let secret = try SystemRandom.bytes(32)
            return Identity(
                cluster: try SystemRandom.random128(),
                clusterName: name,
                secret: Secret(Hex.encode(secret)),
                node: own.id,
                nodes: nodes
            )
        } catch { throw .failed("\(error)") }
    }

    /// Whether the machine has the address: only then can it be bound.
    private static func isLocal(_ address: IPAddress) -> Bool {
        (try? DatagramSocket(binding: address, port: 0).descriptor.number) != nil
    }

    /// Runs `haven cluster join` on a node and answers it meanwhile.
    private func join(_ node: Node, _ desk: JoinDesk) throws(SetupError) {
        let token = try desk.issue(for: node.id, now: Clock.monotonic())
        let remote = RemoteJoin(shell: shell, node: node, token: token)
        do throws(SystemError) {
            var poller = try Poller()
            try poller.add(desk.descriptor, .read, token: 0)
            remote.begin()
            var events: [Poller.Event] = []
            while remote.result == nil {
                let now = Clock.monotonic()
                desk.receive(now: now)
                desk.tick(now: now)
                events.removeAll()
                try poller.wait(until: now + Self.lookInterval, now: now, into: &events)
            }
        } catch { throw .failed("\(error)") }
        try remote.result?.get()
    }

    private func undo(_ joined: [Node]) {
        for node in joined {
            do throws(SetupError) {
                try shell.run(["haven", "cluster", "destroy"], on: node, step: "undo")
                progress("\(node.name): undone")
            } catch { progress("\(error); run there: haven cluster destroy") }
        }
        try? AgentService(paths: paths).destroy()
    }

    private func start(_ own: NodeID) throws(SetupError) {
        try AgentService(paths: paths).start()
        progress("\(nodeName(own)): started")
        for node in nodes where node.id != own {
            try shell.run(["haven", "cluster", "start"], on: node, step: "start")
            progress("\(node.name): started")
        }
    }
}

/// A `haven cluster join` on another node, run by a thread of its own.
private final class RemoteJoin: Sendable {
    private let outcome = Mutex<Result<Void, SetupError>?>(nil)
    private let shell: RemoteShell
    private let node: Node
    private let token: String

    init(shell: RemoteShell, node: Node, token: String) {
        self.shell = shell
        self.node = node
        self.token = token
    }

    var result: Result<Void, SetupError>? { outcome.withLock { $0 } }

    func begin() {
        Thread { [self] in
            let result = Result { () throws(SetupError) -> Void in
                try shell.run(
                    ["haven", "cluster", "join"],
                    on: node,
                    step: "join",
                    input: Array((token + "\n").utf8)
                )
            }
            outcome.withLock { $0 = result }
        }.start()
    }
}
