import AdminAPI
import ClusterModel
import ClusterSetup
import LinuxIO

/// Machines that become nodes of a running cluster, and nodes that cease to be.
struct NodeMembership {
    /// How a machine learns that it is a node.
    enum Arrival {
        /// Over the remote shell.
        case join(starts: Bool)
        /// By a token that the operator takes there.
        case token
    }

    let session: Session
    let shell: RemoteShell

    /// How long this node's agent may take to learn what the leader has committed.
    private static let newsPatience = Duration.seconds(10)
    /// How long a node may take to hand its work over and end.
    private static let leavePatience = Duration.seconds(120)
    private static let lookInterval = Duration.milliseconds(200)

    /// Adds a machine to the configuration, and has it join; where that fails it is taken out again.
    func add(_ word: String, role: NodeRole, arrival: Arrival) throws(CommandFailure) {
        let present = try session.configuration().0.nodes
        let node: Node
        do throws(SetupError) {
            node = try PlannedNode.newcomer(word, beside: present, role: role)
        } catch { throw CommandFailure(.usage, error.description) }
        try session.edit(.addNode(node))
        do throws(CommandFailure) {
            let token = try token(for: node.name)
            guard case .join(let starts) = arrival else { return session.print(token) }
            let command = ["haven", "cluster", "join"] + (starts ? ["--start"] : [])
            do throws(SetupError) {
                try shell.run(command, on: node, step: "join", input: Array((token + "\n").utf8))
            } catch { throw CommandFailure(.failed, error.description) }
            session.print("\(node.name): joined\(starts ? " and started" : "")")
            if !starts { session.print("start its agent there with: haven cluster start") }
        } catch {
            do throws(CommandFailure) { try session.edit(.removeNode(node.name)) } catch {
                session.printError("\(node.name) stays in the configuration: \(error)")
            }
            throw error
        }
    }

    /// The leader has the node; this node's agent may hear of it a moment later.
    private func token(for node: NodeName) throws(CommandFailure) -> String {
        let deadline = Clock.monotonic() + Self.newsPatience
        while true {
            do throws(CommandFailure) {
                guard case .token(let token) = try session.ask(.token(node: node)) else { throw Session.unexpected }
                return token
            } catch {
                guard Clock.monotonic() < deadline else { throw error }
            }
            Pause.until(Clock.monotonic() + Self.lookInterval)
        }
    }

    /// Stops a node in order, takes it out of the configuration and has its machine forget the cluster.
    func remove(_ name: NodeName) throws(CommandFailure) {
        let view = try session.status()
        guard let node = view.nodes.first(where: { $0.name == name }) else {
            let names = view.nodes.map(\.name).joined(separator: ", ")
            throw CommandFailure(.failed, "there is no node \"\(name)\"; nodes: \(names)")
        }
        let isHeard = node.state == .online || node.state == .suspect
        if isHeard {
            try session.carryOut(.stopNode(name))
            session.print("\(name): stopping")
            try waitForEnd(of: name)
        }
        try session.edit(.removeNode(name))
        session.print("\(name): out of the cluster")
        guard isHeard else {
            return session.print("where its disk still knows the cluster: haven cluster destroy")
        }
        do throws(SetupError) {
            let machine = Node(id: node.id, name: name, addresses: node.addresses)
            try shell.run(["haven", "cluster", "destroy"], on: machine, step: "destroy")
            session.print("\(name): has forgotten the cluster")
        } catch {
            session.printError("\(error); run there: haven cluster destroy")
        }
    }

    private func waitForEnd(of name: NodeName) throws(CommandFailure) {
        let deadline = Clock.monotonic() + Self.leavePatience
        while try session.status().nodes.contains(where: { $0.name == name && $0.state == .online }) {
            guard Clock.monotonic() < deadline else {
                let seconds = Self.leavePatience.components.seconds
                throw CommandFailure(.failed, "\(name) still runs after \(seconds) s; see haven status")
            }
            Pause.until(Clock.monotonic() + Self.lookInterval)
        }
    }
}
