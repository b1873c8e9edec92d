import AdminAPI
import ArgumentParser
import ClusterModel

/// `cluster`.
struct ClusterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster",
        abstract: "Set-up of clusters, and their agents.",
        subcommands: [Setup.self, Token.self, Join.self, Start.self, Stop.self, Destroy.self]
    )

    /// `cluster setup`.
    struct Setup: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a cluster of machines, from one of them.",
            discussion: """
                haven cluster setup --start openstack controller1=192.168.0.10 controller2=192.168.0.11
                haven cluster setup --start --name openstack controller1 controller2 --rsh ssh -l admin

                Several addresses make several links, the nth of each node with the nth of each other:
                haven cluster setup openstack controller1=192.168.0.10,10.0.0.10 controller2=192.168.0.11,10.0.0.11

                The other machines are reached over the remote shell (ssh unless --rsh says otherwise); its words are
                passed as they are. --rsh takes all that follows, so it stands last.
                """
        )

        @Flag(help: "Start the agents on all machines afterwards.")
        var start = false

        @Option(help: "The cluster's name; without it the first word is the name.")
        var name: String?

        @Option(help: ArgumentHelp("A node that votes and runs nothing.", valueName: "node"))
        var witness: [NodeName] = []

        @Option(help: ArgumentHelp("A node that runs resources and does not vote.", valueName: "node"))
        var satellite: [NodeName] = []

        @Argument(help: ArgumentHelp("[NAME] NODE[=ADDRESS[,ADDRESS]] …", valueName: "node"))
        var words: [String]

        @Option(parsing: .remaining, help: "The remote shell with its options; the machine and the command follow.")
        var rsh: [String] = []

        func run(_ session: Session) throws(CommandFailure) {
            var roles = Dictionary(witness.map { ($0, NodeRole.witness) }) { first, _ in first }
            for node in satellite where roles.updateValue(.satellite, forKey: node) != nil {
                throw CommandFailure(.usage, "\(node) cannot be witness and satellite")
            }
            try ClusterMembership.setUp(
                name: name,
                words: words,
                roles: roles,
                start: start,
                remoteShell: rsh,
                session
            )
        }
    }

    /// `cluster token`.
    struct Token: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Makes a token with which one machine can become a node: one that has not joined yet, or lost its disk.",
            discussion: """
                It works once, within 15 minutes, and goes to the machine on standard input:
                haven cluster token controller2 | ssh controller2 haven cluster join --start
                """
        )

        @Argument(help: "The node.")
        var node: NodeName

        func run(_ session: Session) throws(CommandFailure) {
            guard case .token(let token) = try session.ask(.token(node: node)) else { throw Session.unexpected }
            session.print(token)
        }
    }

    /// `cluster join`.
    struct Join: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes this machine a node of a cluster; reads the token from standard input."
        )

        @Flag(help: "Start the agent afterwards.")
        var start = false

        func run(_ session: Session) throws(CommandFailure) {
            let token = try session.readFile("-").prefix { !$0.isNewline }
            if token.isEmpty {
                let example = "haven cluster token NODE | ssh NODE haven cluster join"
                throw CommandFailure(
                    .usage,
                    "there is no token on standard input; on a node of the cluster: \(example)"
                )
            }
            try ClusterMembership.join(token: String(token), start: start, session)
        }
    }

    /// `cluster start`.
    struct Start: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Starts the agent of this node, or of all."
        )

        @Flag(help: "On all nodes.")
        var all = false

        @Option(parsing: .remaining, help: "The remote shell with its options; stands last.")
        var rsh: [String] = []

        func run(_ session: Session) throws(CommandFailure) {
            try ClusterMembership.start(everyNode: all, remoteShell: rsh, session)
        }
    }

    /// `cluster stop`.
    struct Stop: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Moves everything off this node and stops its agent, or stops all in order."
        )

        @Flag(help: "On all nodes.")
        var all = false

        func run(_ session: Session) throws(CommandFailure) { try ClusterMembership.stop(everyNode: all, session) }
    }

    /// `cluster destroy`.
    struct Destroy: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes this machine, or all, forget the cluster."
        )

        @Flag(help: "On all nodes.")
        var all = false

        @Option(parsing: .remaining, help: "The remote shell with its options; stands last.")
        var rsh: [String] = []

        func run(_ session: Session) throws(CommandFailure) {
            try ClusterMembership.destroy(everyNode: all, remoteShell: rsh, session)
        }
    }
}

/// `failover`.
struct FailoverCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "failover",
        abstract: "Failovers on purpose.",
        subcommands: [Test.self]
    )

    /// `failover test`.
    struct Test: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Checks that it is safe, moves the active node's work away and back, and prints the outage."
        )

        @Argument(help: "The node to empty; the active one where none is named.")
        var node: NodeName?

        func run(_ session: Session) throws(CommandFailure) { try FailoverTest.run(node: node, session) }
    }
}
