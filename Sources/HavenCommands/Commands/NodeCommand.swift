import AdminAPI
public import ArgumentParser
public import ClusterModel

extension NodeRole: ExpressibleByArgument {}

/// `node`.
struct NodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node",
        abstract: "Machines.",
        subcommands: [
            Add.self, Remove.self, Role.self, Standby.self, Unstandby.self, Maintenance.self, Unmaintenance.self,
        ]
    )

    /// `node add`.
    struct Add: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a machine a node of the running cluster.",
            discussion: """
                haven node add controller4=192.168.0.14 --start
                haven node add arbiter=192.168.0.20 --role witness --start

                The machine is reached over the remote shell (ssh unless --rsh says otherwise). Without one:
                haven node add controller4=192.168.0.14 --token, and that token goes to haven cluster join there.
                """
        )

        @Argument(help: ArgumentHelp("NODE[=ADDRESS[,ADDRESS]]", valueName: "node"))
        var word: String

        @Option(help: "member votes and runs resources, witness votes, satellite runs resources.")
        var role = NodeRole.member

        @Flag(help: "Start its agent afterwards.")
        var start = false

        @Flag(help: "Print a token for haven cluster join instead of reaching the machine.")
        var token = false

        @Option(parsing: .remaining, help: "The remote shell with its options; stands last.")
        var rsh: [String] = []

        func run(_ session: Session) throws(CommandFailure) {
            let membership = NodeMembership(session: session, shell: ClusterMembership.shell(rsh))
            try membership.add(word, role: role, arrival: token ? .token : .join(starts: start))
        }
    }

    /// `node remove`.
    struct Remove: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Moves everything off another node, stops it and takes it out of the cluster.",
            discussion: """
                A node that is lost must be known to be off: haven stonith fence NODE, or haven stonith confirm NODE.
                """
        )

        @Argument(help: "The node.")
        var node: NodeName

        @Option(parsing: .remaining, help: "The remote shell with its options; stands last.")
        var rsh: [String] = []

        func run(_ session: Session) throws(CommandFailure) {
            try NodeMembership(session: session, shell: ClusterMembership.shell(rsh)).remove(node)
        }
    }

    /// `node role`.
    struct Role: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Says whether a node votes, runs resources, or both."
        )

        @Argument(help: "The node.")
        var node: NodeName

        @Argument(help: "member votes and runs resources, witness votes, satellite runs resources.")
        var role: NodeRole

        func run(_ session: Session) throws(CommandFailure) { try session.edit(.setRole(node: node, role)) }
    }

    /// `node standby`.
    struct Standby: AgentCommand {
        static let configuration = CommandConfiguration(abstract: "Moves everything off nodes, and keeps it off.")

        @OptionGroup var nodes: Nodes

        func run(_ session: Session) throws(CommandFailure) {
            try session.edit(.setStandby(nodes: try nodes.named(session), standby: true))
        }
    }

    /// `node unstandby`.
    struct Unstandby: AgentCommand {
        static let configuration = CommandConfiguration(abstract: "Lets nodes run resources again.")

        @OptionGroup var nodes: Nodes

        func run(_ session: Session) throws(CommandFailure) {
            try session.edit(.setStandby(nodes: try nodes.named(session), standby: false))
        }
    }

    /// `node maintenance`.
    struct Maintenance: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Leaves everything on nodes as it is: nothing is started, stopped or monitored there."
        )

        @OptionGroup var nodes: Nodes

        func run(_ session: Session) throws(CommandFailure) {
            try session.edit(.setMaintenance(nodes: try nodes.named(session), maintenance: true))
        }
    }

    /// `node unmaintenance`.
    struct Unmaintenance: AgentCommand {
        static let configuration = CommandConfiguration(abstract: "Looks after nodes again.")

        @OptionGroup var nodes: Nodes

        func run(_ session: Session) throws(CommandFailure) {
            try session.edit(.setMaintenance(nodes: try nodes.named(session), maintenance: false))
        }
    }

    /// Which nodes.
    struct Nodes: ParsableArguments {
        @Argument(help: "The nodes; this one where none is named.")
        var names: [NodeName] = []

        @Flag(help: "All nodes.")
        var all = false

        func named(_ session: Session) throws(CommandFailure) -> [NodeName] {
            if all, !names.isEmpty { throw CommandFailure(.usage, "give names or --all, not both") }
            if !all, !names.isEmpty { return names }
            let view = try session.status()
            return all ? view.nodes.map(\.name) : [view.answeredBy]
        }
    }
}
