import AdminAPI
import ArgumentParser

/// `link`.
struct LinkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "link",
        abstract: "The network paths between nodes.",
        subcommands: [Status.self]
    )

    /// `link status`.
    struct Status: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows this node's links with loss, round-trip time and the packet size that fits."
        )

        @Flag(help: "Write JSON.")
        var json = false

        func run(_ session: Session) throws(CommandFailure) {
            guard case .links(let links) = try session.ask(.linkStatus) else { throw Session.unexpected }
            if json { return try session.printJSON(links) }
            session.print(LinkText.text(links))
        }
    }
}
