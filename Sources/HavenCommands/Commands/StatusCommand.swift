import AdminAPI
import ArgumentParser

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
        subcommands: [Status.self]
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
}
