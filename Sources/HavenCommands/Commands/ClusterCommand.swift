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

                The other machines are reached over the remote shell (ssh unless --rsh says otherwise); its words are
                passed as they are. --rsh takes all that follows, so it stands last.
                """,
            shouldDisplay: ClusterSetup.isAvailable
        )

        @Flag(help: "Start the agents on all machines afterwards.")
        var start = false

        @Option(help: "The cluster's name; without it the first word is the name.")
        var name: String?

        @Argument(help: ArgumentHelp("[NAME] NODE[=ADDRESS[,ADDRESS]] …", valueName: "node"))
        var words: [String]

        @Option(parsing: .remaining, help: "The remote shell with its options; the machine and the command follow.")
        var rsh: [String] = []

        func run(_ session: Session) throws(CommandFailure) {
            let plan = try ClusterSetup.Plan(name: name, words: words, start: start, remoteShell: rsh)
            try ClusterSetup.run(plan, session)
        }
    }

    /// `cluster token`.
    struct Token: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a token with which one machine can join; pass it on standard input to haven cluster join."
        )

        func run(_ session: Session) throws(CommandFailure) {
            guard case .token(let token) = try session.ask(.token) else { throw Session.unexpected }
            session.print(token)
        }
    }

    /// `cluster join`.
    struct Join: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes this machine a node of a cluster; reads the token from standard input.",
            shouldDisplay: ClusterJoin.isAvailable
        )

        @Flag(help: "Start the agent afterwards.")
        var start = false

        @Option(help: "This machine's name in the cluster; its host name without it.")
        var name: String?

        func run(_ session: Session) throws(CommandFailure) {
            let token = try session.readFile("-").prefix { !$0.isNewline }
            if token.isEmpty {
                let example = "haven cluster token | ssh NEWNODE haven cluster join"
                throw CommandFailure(
                    .usage,
                    "there is no token on standard input; on a node of the cluster: \(example)"
                )
            }
            try ClusterJoin.run(token: String(token), name: name, start: start, session)
        }
    }

    /// `cluster start`.
    struct Start: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Starts the agent of this node, or of all.",
            shouldDisplay: ClusterStart.isAvailable
        )

        @Flag(help: "On all nodes.")
        var all = false

        @Option(parsing: .remaining, help: "The remote shell with its options; stands last.")
        var rsh: [String] = []

        func run(_ session: Session) throws(CommandFailure) {
            try ClusterStart.run(everyNode: all, remoteShell: rsh, session)
        }
    }

    /// `cluster stop`.
    struct Stop: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Moves everything off this node and stops its agent, or stops all in order."
        )

        @Flag(help: "On all nodes.")
        var all = false

        func run(_ session: Session) throws(CommandFailure) { try session.carryOut(.stop(everyNode: all)) }
    }

    /// `cluster destroy`.
    struct Destroy: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes this machine, or all, forget the cluster.",
            shouldDisplay: ClusterDestroy.isAvailable
        )

        @Flag(help: "On all nodes.")
        var all = false

        @Option(parsing: .remaining, help: "The remote shell with its options; stands last.")
        var rsh: [String] = []

        func run(_ session: Session) throws(CommandFailure) {
            try ClusterDestroy.run(everyNode: all, remoteShell: rsh, session)
        }
    }
}

/// `failover`.
struct FailoverCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "failover",
        abstract: "Failovers on purpose.",
        shouldDisplay: FailoverTest.isAvailable,
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
