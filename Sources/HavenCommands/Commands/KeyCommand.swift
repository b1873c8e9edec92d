import AdminAPI
import ArgumentParser

/// `key`.
struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "The secret that seals everything between nodes.",
        subcommands: [Status.self, Rotate.self, Retire.self]
    )

    /// `key status`.
    struct Status: AgentCommand {
        static let configuration = CommandConfiguration(abstract: "Shows which generations of the secret are in use.")

        @Flag(help: "Write JSON.")
        var json = false

        func run(_ session: Session) throws(CommandFailure) {
            guard case .keys(let view) = try session.ask(.keyStatus) else { throw Session.unexpected }
            if json { return try session.printJSON(view) }
            session.print(Self.text(view))
        }

        private static func text(_ view: KeyView) -> String {
            var lines = ["generation \(view.current) seals"]
            if view.oldest < view.current {
                lines.append("generations from \(view.oldest) are still opened: haven key retire ends that")
            }
            if view.newest > view.current {
                lines.append("generation \(view.newest) is being handed out")
            }
            if !view.waitsFor.isEmpty { lines.append("waiting for \(view.waitsFor.joined(separator: ", "))") }
            if view.mustRotate { lines.append("a node was removed that knows generation \(view.current)") }
            return lines.joined(separator: "\n")
        }
    }

    /// `key rotate`.
    struct Rotate: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Draws a new secret, hands it to every node and seals with it once every node has it.",
            discussion: "Nothing is interrupted. The secret before is still opened until haven key retire."
        )

        @Flag(help: "Do not wait for nodes that are away: they need a token (haven cluster token) to join again.")
        var force = false

        func run(_ session: Session) throws(CommandFailure) { try session.carryOut(.rotateKey(force: force)) }
    }

    /// `key retire`.
    struct Retire: AgentCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends every secret before the one in use: who holds only an old one is not understood any more."
        )

        @Flag(help: "Although nodes are away that may know no newer one: they need a token to join again.")
        var force = false

        func run(_ session: Session) throws(CommandFailure) { try session.carryOut(.retireKey(force: force)) }
    }
}
