import AdminAPI
import ArgumentParser
import ClusterModel

/// `status`.
struct StatusCommand: AgentCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows quorum, nodes, resources, fencing, listeners and servers, and what is wrong."
    )

    @Flag(help: "Write JSON.")
    var json = false

    func run(_ session: Session) throws(CommandFailure) {
        let view = try session.status()
        if json { return try session.printJSON(view) }
        session.print(StatusText.text(view))
    }
}

/// `quorum`.
struct QuorumCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quorum",
        abstract: "Who votes.",
        subcommands: [Status.self, Unblock.self]
    )

    /// `quorum status`.
    struct Status: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows who votes, who is heard, and who is missing for a quorum."
        )

        @Flag(help: "Write JSON.")
        var json = false

        func run(_ session: Session) throws(CommandFailure) {
            guard case .quorum(let view) = try session.ask(.quorumStatus) else { throw Session.unexpected }
            if json { return try session.printJSON(view) }
            session.print(QuorumText.text(view))
        }
    }

    /// `quorum unblock`.
    struct Unblock: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lets this node go on alone where too many voters are gone for ever.",
            discussion: """
                Name every voter that is gone, after you have seen that it is off. What only they had committed is lost;
                when one of them is heard again, it gives its own history up and joins this one. If one of them still
                runs, its resources run twice. Nodes that are heard join this one at once.
                """
        )

        @Argument(help: "The nodes that are gone; none where all are heard and too many of them have lost their disks.")
        var nodes: [NodeName] = []

        @Flag(name: .customLong("yes"), help: "You have seen that they are off.")
        var isSure = false

        func run(_ session: Session) throws(CommandFailure) {
            if isSure { return try session.carryOut(.unblock(dead: nodes)) }
            guard case .quorum(let view) = try session.ask(.quorumStatus) else { throw Session.unexpected }
            session.print(QuorumText.text(view))
            let seen = nodes.isEmpty ? "" : "if you have seen that \(nodes.joined(separator: ", ")) is off: "
            let command = (["haven quorum unblock"] + nodes + ["--yes"]).joined(separator: " ")
            throw CommandFailure(.usage, seen + command)
        }
    }
}
