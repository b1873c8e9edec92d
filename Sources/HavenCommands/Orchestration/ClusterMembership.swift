import AdminAPI
import ClusterModel
import ClusterSetup

/// What `haven cluster` does on machines: set-up, joining, starting, stopping, forgetting.
enum ClusterMembership {
    /// Makes a cluster of machines, from one of them.
    static func setUp(
        name: String?,
        words: [String],
        roles: [NodeName: NodeRole],
        start: Bool,
        remoteShell: [String],
        _ session: Session
    ) throws(CommandFailure) {
        var nodes = words
        guard let first = name ?? nodes.first else {
            throw CommandFailure(.usage, "give a name and nodes: haven cluster setup openstack controller1 controller2")
        }
        if name == nil { nodes.removeFirst() }
        if nodes.isEmpty { throw CommandFailure(.usage, "no nodes are named; give them after the name \"\(first)\"") }
        let setup: Setup
        do throws(SetupError) {
            let planned = try PlannedNode.parse(nodes, roles: roles)
            setup = try Setup(name: first, nodes: planned, shell: shell(remoteShell), starts: start) { print($0) }
        } catch { throw CommandFailure(.usage, error.description) }
        try reporting { () throws(SetupError) in try setup.run() }
        if !start { session.print("start the agents with: haven cluster start --all") }
    }

    /// Makes this machine a node of a running cluster.
    static func join(token: String, start: Bool, _ session: Session) throws(CommandFailure) {
        try reporting { () throws(SetupError) in
            let identity = try Joining.join(token: token, paths: .standard)
            let own = identity.own?.name ?? ""
            session.print("this machine is \(own) of the cluster \"\(identity.clusterName)\" now")
            if start { try AgentService(paths: .standard).start() }
        }
    }

    /// Starts the agent of this node, or of all.
    static func start(everyNode: Bool, remoteShell: [String], _ session: Session) throws(CommandFailure) {
        try reporting { () throws(SetupError) in
            let identity = try ownIdentity()
            try AgentService(paths: .standard).start()
            if everyNode { try onOthers(identity, remoteShell, "start", session) }
        }
    }

    /// Stops the agent of this node after its work was moved, or all agents.
    static func stop(everyNode: Bool, _ session: Session) throws(CommandFailure) {
        let incomplete = try order(.stop(everyNode: everyNode), session)
        try reporting { () throws(SetupError) in
            let service = AgentService(paths: .standard)
            try service.waitForEnd()
            try service.disable()
        }
        if let incomplete { throw incomplete }
    }

    /// Has all nodes stopped; a failure of a part of them does not keep this one from ending.
    private static func order(_ stop: AdminRequest, _ session: Session) throws(CommandFailure) -> CommandFailure? {
        let response: AdminResponse
        do throws(AdminClientError) { response = try session.send(stop) } catch { throw CommandFailure(error) }
        switch response {
        case .done: return nil
        case .failed(let failure) where failure.kind == .failed: return CommandFailure(failure)
        case .failed(let failure): throw CommandFailure(failure)
        default: throw Session.unexpected
        }
    }

    /// Makes this machine, or all, forget the cluster.
    static func destroy(everyNode: Bool, remoteShell: [String], _ session: Session) throws(CommandFailure) {
        let service = AgentService(paths: .standard)
        if everyNode {
            try reporting { () throws(SetupError) in try onOthers(try ownIdentity(), remoteShell, "destroy", session) }
        }
        if service.isRunning { try stop(everyNode: false, session) }
        try reporting { () throws(SetupError) in
            // Also an agent that does not run now must not be started by the next boot.
            try service.disable()
            try service.destroy()
        }
    }

    private static func ownIdentity() throws(SetupError) -> Identity {
        do throws(IdentityError) {
            return try Identity.load(AgentPaths.standard.identity)
        } catch { throw .failed(error.description) }
    }

    /// Runs `haven cluster VERB` on every other node.
    private static func onOthers(
        _ identity: Identity,
        _ remoteShell: [String],
        _ verb: String,
        _ session: Session
    ) throws(SetupError) {
        for node in identity.known where node.id != identity.node {
            try shell(remoteShell).run(["haven", "cluster", verb], on: node, step: verb)
            session.print("\(node.name): \(verb) done")
        }
    }

    static func shell(_ words: [String]) -> RemoteShell { words.isEmpty ? .ssh : RemoteShell(words: words) }

    private static func reporting(_ body: () throws(SetupError) -> Void) throws(CommandFailure) {
        do throws(SetupError) {
            try body()
        } catch { throw CommandFailure(.failed, error.description) }
    }
}
